"""`maestro pod|node|workload list` as a person or a script calls them, against recorded answers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from maestro_cli.config.strict import parse_yaml
from tests.cli.api import ANSWERS, api_server, refusal
from tests.cli.program import check_golden, maestro

FORMATS = ("table", "wide", "json", "yaml", "csv", "md", "jsonpath={.items[*].name}")
COMMANDS = ("pod", "node", "workload")


@pytest.fixture
def api() -> Iterator[list[str]]:
    with api_server(dict(ANSWERS)) as asked:
        yield asked


def parameters(asked: list[str], path: str) -> dict[str, list[str]]:
    """The query of the first request for that path."""
    return next(parse_qs(url.query) for url in map(urlsplit, asked) if url.path == path)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_list_is_the_same_in_every_format(api: list[str], command: str, form: str) -> None:
    result = maestro(command, "list", "-o", form)
    assert (result.code, result.err) == (0, "")
    assert "\x1b" not in result.out
    assert "\u202e" not in result.out
    check_golden(f"{command}-list.{form.partition('=')[0]}", result.out)


def test_json_yaml_and_csv_name_the_same_pods(api: list[str]) -> None:
    body = json.loads(maestro("pod", "list", "-o", "json").out)
    assert body["schema"] == "maestro.dev/pod-list/v1"
    names = [item["name"] for item in body["items"]]
    assert names == ["churn-77-c", "fraud-5c9-a", "fraud-5c9-b"]
    assert parse_yaml(maestro("pod", "list", "-o", "yaml").out, "out").data == body
    rows = csv.DictReader(io.StringIO(maestro("pod", "list", "-o", "csv").out))
    assert [row["name"] for row in rows] == names


def test_danger_is_told_without_colour(api: list[str]) -> None:
    body = json.loads(maestro("pod", "list", "-o", "json").out)
    assert {item["name"]: item["health"] for item in body["items"]}["fraud-5c9-b"] == "bad"
    assert "CrashLoopBackOff" in maestro("--plain", "pod", "list").out


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["fraud"], "fraud-5c9-a fraud-5c9-b"),
        (["--sort-by", "restarts"], "fraud-5c9-b churn-77-c fraud-5c9-a"),
        (["--sort-by", "health"], "fraud-5c9-b churn-77-c fraud-5c9-a"),
        (["-A"], "churn-77-c fraud-5c9-a fraud-5c9-b"),
        (["-n", "ml", "churn"], "churn-77-c"),
    ],
)
def test_pods_are_picked_and_ordered(api: list[str], arguments: list[str], names: str) -> None:
    assert maestro("pod", "list", *arguments, "-o", "jsonpath={.items[*].name}").out == f"{names}\n"


def test_selectors_go_to_the_server_and_lists_come_by_pages(api: list[str]) -> None:
    maestro("pod", "list", "-A", "-l", "app in (a,b)", "--field-selector", "status.phase!=Running")
    asked = parameters(api, "/api/v1/pods")
    assert asked["labelSelector"] == ["app in (a,b)"]
    assert asked["fieldSelector"] == ["status.phase!=Running"]
    assert asked["limit"] == ["1000"]
    assert "resourceVersion" not in asked  # the newest state, never one that a stale cache remembers


def test_the_namespace_is_a_column_where_there_are_several(api: list[str]) -> None:
    assert maestro("pod", "list").out.startswith("NAME ")
    assert maestro("pod", "list", "-A").out.startswith("NAMESPACE ")


def test_nothing_found_is_said_and_is_no_error(api: list[str]) -> None:
    result = maestro("pod", "list", "-n", "empty")
    assert (result.code, result.out, result.err) == (0, "", "no pods found\n")
    assert json.loads(maestro("pod", "list", "zzz", "-o", "json").out)["items"] == []


def test_a_namespace_that_is_not_there_ends_6_with_a_suggestion(api: list[str]) -> None:
    result = maestro("pod", "list", "-n", "mll")
    assert (result.code, result.out) == (6, "")
    what, why, _ = result.error_lines
    assert what == "there is no namespace 'mll' in prod"
    assert why == "did you mean 'ml'?"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pod", "list", "-A", "-n", "ml"], "-n and -A exclude each other"),
        (["pod", "list", "--sort-by", "restart"], "did you mean 'restarts'?"),
        (["node", "list", "--sort-by", "node"], "known here: "),
        (["pod", "list", "-n", ".."], ""),
        (["pod", "list", "-o", "xml"], ""),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    api: list[str], arguments: list[str], said: str
) -> None:
    result = maestro(*arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert api == []


def test_who_may_not_list_ends_5() -> None:
    answers = {"/api/v1/namespaces/ml/pods": refusal(403, "Forbidden", "pods is forbidden", kind="pods")}
    with api_server(answers):
        result = maestro("pod", "list")
    assert (result.code, result.out) == (5, "")
    assert "pods is forbidden" in result.error_lines[1]


def test_who_may_not_see_nodes_gets_pods_without_zones_and_a_warning() -> None:
    with api_server({**ANSWERS, "/api/v1/nodes": refusal(403, "Forbidden", "nodes is forbidden")}):
        result = maestro("pod", "list", "-o", "json")
    assert result.code == 0
    assert {item["zone"] for item in json.loads(result.out)["items"]} == {""}
    assert "warning: zones are not shown: nodes is forbidden" in result.err


def test_a_server_that_does_not_answer_ends_4() -> None:
    with api_server({}):
        pass
    result = maestro("pod", "list")
    assert (result.code, result.out) == (4, "")


def test_a_context_without_a_cluster_ends_6(configured: object) -> None:
    result = maestro("pod", "list")
    assert result.code == 6
    assert "has no cluster" in result.err

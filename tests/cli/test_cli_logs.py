"""`maestro pod logs` as a person or a script calls it, against recorded answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.api import ANSWERS, EVIL, api_server, listing, pod, refusal
from tests.cli.program import check_golden, maestro

PODS = "/api/v1/namespaces/ml/pods"
FIRST = f"2026-11-26T10:00:01.000000001Z begin\n2026-11-26T10:00:03Z {EVIL}\n".encode()
SECOND = b"2026-11-26T10:00:02.5Z GET /healthz\n2026-11-26T10:00:04Z " + b"x" * 30 + b"\n"
GIANT = SECOND.replace(b"x", b"x" * 1000)
NO_PREVIOUS = refusal(400, "BadRequest", "previous terminated container not found")
LOGS: dict[str, Any] = {
    **ANSWERS,
    f"{PODS}/fraud-5c9-a": pod("fraud-5c9-a"),
    f"{PODS}/fraud-5c9-a/log": FIRST,
    f"{PODS}/fraud-5c9-b/log": SECOND,
    "/apis/apps/v1/namespaces/ml/deployments/fraud": {
        "metadata": {"name": "fraud", "namespace": "ml"},
        "spec": {"selector": {"matchLabels": {"app": "fraud"}}},
    },
    PODS: listing(pod("fraud-5c9-a"), pod("fraud-5c9-b")),
}
NAMED = {**LOGS, PODS: listing(pod("fraud-5c9-a"))}  # the field selector is the server's work


@pytest.fixture
def api() -> Iterator[list[str]]:
    with api_server(LOGS) as asked:
        yield asked


@pytest.fixture
def one_pod() -> Iterator[list[str]]:
    with api_server(NAMED) as asked:
        yield asked


@pytest.mark.parametrize("form", ["table", "wide", "json"])
def test_several_pods_are_one_log_in_every_form(api: list[str], form: str) -> None:
    result = maestro("pod", "logs", "deploy/fraud", "-o", form)
    assert (result.code, result.err) == (0, "")
    assert "\x1b" not in result.out
    assert "\u202e" not in result.out
    check_golden(f"pod-logs.{form}", result.out)


def test_each_line_of_json_is_a_document_and_a_giant_says_that_it_was_cut() -> None:
    with api_server({**LOGS, f"{PODS}/fraud-5c9-b/log": GIANT}):
        out = maestro("pod", "logs", "deploy/fraud", "-o", "json").out
        shown = maestro("pod", "logs", "deploy/fraud").out
    lines = [json.loads(line) for line in out.splitlines()]
    assert shown.endswith("xxx…\n")
    assert {line["schema"] for line in lines} == {"maestro.dev/log-line/v1"}
    assert [line["pod"][-1] for line in lines] == ["a", "b", "a", "b"]
    assert [line["is_cut"] for line in lines] == [False, False, False, True]
    assert lines[2]["text"] == EVIL


def test_one_pod_is_shown_as_it_printed(one_pod: list[str]) -> None:
    result = maestro("--plain", "pod", "logs", "fraud-5c9-a", "--tail", "5", "--since", "90s", "-c", "server")
    assert result.out.splitlines()[0] == "begin"
    asked = next(parse_qs(url.query) for url in map(urlsplit, one_pod) if url.path.endswith("/log"))
    assert asked == {
        "container": ["server"],
        "timestamps": ["true"],
        "sinceSeconds": ["90"],
        "tailLines": ["5"],
    }
    stamped = maestro("pod", "logs", "ml/pod/fraud-5c9-a", "--timestamps").out
    assert stamped.startswith("2026-11-26T10:00:01.000000Z begin\n")


@pytest.mark.parametrize(
    ("words", "pods"),
    [
        (["--grep", "^(begin|GET)"], "ab"),
        (["--exclude", "evil|x{20}"], "ab"),
        (["--grep", "e", "--exclude", "GET"], "aa"),
    ],
    ids=["grep", "exclude", "both"],
)
def test_lines_are_filtered(api: list[str], words: list[str], pods: str) -> None:
    out = maestro("pod", "logs", "deploy/fraud", *words).out.splitlines()
    assert "".join(line.split()[0][-1] for line in out) == pods


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nowhere"], 6),
        (["deploy/nowhere"], 6),
        (["node/a"], 2),
        (["fraud-5c9-a", "--grep", "(?=x)"], 2),
        (["fraud-5c9-a", "--since", "soon"], 2),
        (["fraud-5c9-a", "-f", "--previous"], 2),
        (["fraud-5c9-a", "-o", "csv"], 2),
        (["fraud-5c9-a", "-c", "none"], 6),
    ],
    ids=["no pod", "no workload", "no logs", "regex", "duration", "follow previous", "format", "container"],
)
def test_what_cannot_be_shown_ends_with_its_code(one_pod: list[str], words: list[str], code: int) -> None:
    result = maestro("pod", "logs", *words)
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith("maestro: error: ")


def test_a_log_that_is_not_there_is_said() -> None:
    with api_server({**LOGS, f"{PODS}/fraud-5c9-b/log": NO_PREVIOUS}):
        result = maestro("pod", "logs", "deploy/fraud", "--previous")
        assert (result.code, len(result.out.splitlines())) == (0, 2)
        assert "fraud-5c9-b server: no more lines: there is no log yet" in result.err


@pytest.mark.parametrize(
    "answers",
    [
        {**NAMED, f"{PODS}/fraud-5c9-a/log": NO_PREVIOUS},
        {**NAMED, PODS: listing()},
        {**NAMED, PODS: listing(pod("fraud-5c9-a", containerStatuses=[]))},
    ],
    ids=["no previous", "no pod", "not started"],
)
def test_where_there_is_no_log_at_all_it_ends_15(answers: dict[str, Any]) -> None:
    with api_server(answers):
        result = maestro("pod", "logs", "deploy/fraud", "--previous")
    assert (result.code, result.out) == (15, "")

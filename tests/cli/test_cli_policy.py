"""A policy file on the command line: checked, explained, and held by every change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from maestro_cli.config.locations import config_dir
from tests.cli.api import api_server
from tests.cli.program import check_golden, maestro
from tests.cli.test_cli_changes import COMMANDS, answers, writes

POLICY = """schema: maestro.policy/1
namespaces: [ml]
rules:
  - name: sre-scales
    kinds: [scale]
    who: [ada]
  - name: two-for-restarts
    kinds: [restart]
    targets: ["ml/deploy/*"]
    two_person: true
freezes:
  - name: always
    kinds: [set-image]
    cron: "* * * * *"
    duration: 1h
"""
ADA, EVE = {"MAESTRO_ACTOR": "ada"}, {"MAESTRO_ACTOR": "eve"}
ANYBODY = {"status": {"userInfo": {"username": "system:anonymous"}}}


@pytest.fixture
def api() -> Iterator[list[str]]:
    """The server of recorded answers, in a context with that policy, named relative to its config.yaml."""
    reviews = {"POST /apis/authentication.k8s.io/v1/selfsubjectreviews": ANYBODY}
    with api_server({**answers(), **reviews}) as asked:
        file = config_dir() / "config.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("{cluster:", "{policy: policy.yaml, cluster:"), encoding="utf-8")
        (config_dir() / "policy.yaml").write_text(POLICY, encoding="utf-8")
        yield asked


def here(text: str) -> str:
    """Without where the test runs and when."""
    text = text.replace(str(config_dir()), "HOME")
    return re.sub(r"20\d\d-\d\d-\d\d \d\d:\d\d|\w{3} \d\d:\d\d", "TIME", text)


def test_a_policy_is_checked_by_default_that_of_the_context(api: list[str]) -> None:
    result = maestro("policy", "check", "-o", "csv")
    assert (result.code, result.err) == (0, "")
    check_golden("policy-check.csv", here(result.out))
    assert maestro("policy", "check", str(config_dir() / "policy.yaml"), "-o", "csv").out == result.out


def test_a_wrong_policy_ends_3_and_stops_every_change(api: list[str]) -> None:
    (config_dir() / "policy.yaml").write_text(POLICY.replace("freezes:", "freeze:"), encoding="utf-8")
    for words in (["policy", "check"], [*COMMANDS["restart"], "--yes"]):
        result = maestro(*words)
        assert (result.code, result.out) == (3, "")
        assert result.err.splitlines()[0].endswith("policy.yaml:11: freeze: is not known here")
        assert "did you mean 'freezes'?" in result.err
    assert writes(api) == []


def test_a_context_without_a_policy_says_so() -> None:
    with api_server(answers()):
        result = maestro("policy", "check")
    assert (result.code, result.out) == (6, "")
    assert "context prod has no policy" in result.err


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        ("scale", 20, "policy.yaml:4: eve is not among ada"),
        ("restart", 17, "policy.yaml:7: the policy's rule 'two-for-restarts' asks for two"),
        ("set-image", 20, "policy.yaml:12: frozen from "),
    ],
)
def test_a_change_is_held_to_the_policy(api: list[str], kind: str, code: int, said: str) -> None:
    result = maestro(*COMMANDS[kind], "--yes", env=EVE)
    assert (result.code, result.out, writes(api)) == (code, "", [])
    assert said in result.err


def test_each_rule_is_explained(api: list[str]) -> None:
    told = maestro(*COMMANDS["scale"], "--dry-run", "-o", "json", env=EVE)
    dry = json.loads(told.out)
    assert (told.code, dry["gate"]["reasons"][0]["code"]) == (20, "policy")
    change_id = dry["plan"]["id"]
    table = maestro("policy", "explain", change_id, "-o", "csv", env=ADA)
    assert (table.code, table.err) == (0, "")
    check_golden("policy-explain.csv", here(table.out))
    document = json.loads(maestro("policy", "explain", change_id, "-o", "json", env=ADA).out)
    assert document["schema"] == "maestro.dev/policy-explanation/v1"
    refusing = [item["rule"] for item in document["items"] if item["refuses"]]
    assert refusing == ["sre-scales"]

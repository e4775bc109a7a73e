"""`maestro playbook` as a script drives it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maestro_cli.config.locations import config_dir
from tests.cli.program import check_golden, maestro

BAD = """maestro: playbook/v1
id: bad
trigger: {alert: {matchers: ['alertname="NoSuchAlert"']}}
incident: {title: "{{ label.x }} \u202e"}
policy: {mode: auto}
steps: [{runbook: high-latncy, with: {A: b}}]
"""
GREET = """maestro: playbook/v1
id: greet
trigger: {manual: {params: {WHO: {pattern: "[a-z]+"}}}}
steps:
  - inline: [{id: say, kind: sh, body: 'test "$WHO" = ana'}]
    with: {WHO: "{{ params.WHO }}"}
"""


@pytest.mark.parametrize("form", ["table", "json", "sarif"])
def test_lint_tells_findings_with_their_keys_without_any_context(tmp_path: Path, form: str) -> None:
    (tmp_path / "bad.yaml").write_text(BAD, encoding="utf-8")
    result = maestro("playbook", "lint", "./bad.yaml", "-o", form, cwd=tmp_path)
    assert (result.code, result.err) == (10, "")
    check_golden(f"playbook-lint.{form}", result.out)


def test_one_that_ships_has_no_fault_and_its_tests_are_green() -> None:
    lint = maestro("playbook", "lint", "high-error-rate", "--strict", "-o", "json")
    assert (lint.code, json.loads(lint.out)["items"]) == (0, [])
    tried = maestro("playbook", "test", "high-error-rate", "-o", "json")
    items = json.loads(tried.out)["items"]
    assert (tried.code, [one for one in items if not one["green"]]) == (0, [])
    assert {one["what"] for one in items} == {"sample", "rehearsal of high-error-rate"}


def test_an_alert_is_explained_and_one_that_nothing_takes_ends_with_10() -> None:
    labels = ("-l", "severity=page", "-l", "objective=fraud-availability", "-l", "namespace=ml")
    told = maestro("playbook", "explain", "ErrorBudgetBurn", *labels, "-l", "deployment=fraud", "-o", "json")
    body = json.loads(told.out)
    assert (told.code, body["playbook"], body["mode"]) == (0, "high-error-rate", "auto")
    assert body["runs"][0]["with"]["DEPLOY"] == "fraud"
    why_not = {one["playbook"]: one["why_not"] for one in body["others"]}
    assert why_not["high-latency"] == "objective=~\".*-latency\": it is 'fraud-availability'"
    resolved = maestro("playbook", "explain", "ErrorBudgetBurn", *labels, "--resolved")
    assert resolved.code == 10
    assert "the alert is resolved" in resolved.out


def test_a_person_starts_one_and_the_history_tells_it(configured: Path, tmp_path: Path) -> None:
    folder = config_dir() / "plays"
    folder.mkdir(parents=True)
    (folder / "greet.yaml").write_text(GREET)
    with configured.open("a") as file:
        file.write("playbooks: [plays]\n")
    done = maestro("playbook", "run", "greet", "WHO=ana", "-o", "json")
    assert done.code == 0, done.err
    failed = maestro("playbook", "run", "greet", "WHO=bo", "-o", "json")
    assert (failed.code, json.loads(failed.out)["status"]) == (12, "failed")
    refused = maestro("playbook", "run", "greet", "WHO=$(x)")
    assert refused.code == 2
    assert "does not match" in refused.err
    listed = json.loads(maestro("playbook", "history", "-o", "json").out)["items"]
    assert [one["status"] for one in listed] == ["failed", "succeeded"]
    again = maestro("playbook", "resume", json.loads(done.out)["id"], "-o", "json")
    assert (again.code, json.loads(again.out)["runs"]) == (0, json.loads(done.out)["runs"])

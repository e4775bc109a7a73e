"""`maestro incident rules`, as a person or a script runs it."""

from __future__ import annotations

import json
from pathlib import Path

from maestro_cli.config.locations import config_dir
from tests.cli.program import maestro

RULES = """maestro: incident-rules/v1
rules:
  - id: nodes
    matchers: ['alertname=~"KubeNode.*"']
    group_by: [node]
"""


def write_rules(configured: Path, text: str) -> None:
    (config_dir() / "rules.yaml").write_text(text, encoding="utf-8")
    settings = configured.read_text(encoding="utf-8")
    configured.write_text(settings.replace("  lab:\n", "  lab:\n    incident_rules: rules.yaml\n"))


def test_the_rules_of_a_context_come_before_the_shipped_ones(configured: Path) -> None:
    write_rules(configured, RULES)
    listed = maestro("--context", "lab", "incident", "rules", "list", "-o", "json")
    items = json.loads(listed.out)["items"]
    assert (items[0]["id"], items[0]["group_by"]) == ("nodes", ["node"])
    assert [one["id"] for one in items[-2:]] == ["workload", "storm"]
    words = ("KubeNodeNotReady", "-l", "node=a", "severity=page", "-o", "json")
    told = json.loads(maestro("--context", "lab", "incident", "rules", "explain", *words).out)
    assert (told["rule"], told["key"], told["would"]) == ("nodes", "rule/nodes/a", "opens an incident")
    assert told["others"][-1] == {"rule": "workload", "why_not": "it matches too; nodes comes first"}


def test_a_file_that_is_wrong_is_told_by_place_and_lint_ends_with_10(configured: Path) -> None:
    write_rules(configured, RULES.replace("group_by", "groupby"))
    refused = maestro("--context", "lab", "incident", "rules", "list")
    assert refused.code == 3
    assert "rules.yaml:5: rules[0].groupby" in refused.err
    assert "did you mean 'group_by'?" in refused.err
    linted = maestro("--context", "lab", "incident", "rules", "lint", "-o", "json")
    (finding,) = json.loads(linted.out)["items"]
    assert (linted.code, finding["rule"], finding["line"]) == (10, "invalid", 5)

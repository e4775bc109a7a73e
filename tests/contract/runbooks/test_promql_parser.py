"""Prometheus's own parser judges the queries that maestro fills in."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from maestro_cli.config.locations import shipped
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.promtool import faults_of
from maestro_cli.runbooks.substitution import into_promql

pytestmark = pytest.mark.contract
PROMTOOL = shutil.which("promtool")
HOSTILE = [
    *('"', "'", "\\", '\\"', "\\'", "`", "\n", "\t\x00\x1b", '"} or vector(1) or up{a="', "a|b", ".*", "("),
    *("[", "$X", "é\u202e", "{{ x }}", "# no comment", "\\x41", "\U0001f525"),
]


def check(folder: Path, queries: list[str]) -> subprocess.CompletedProcess[str]:
    """Rules are where promtool parses PromQL without a server; JSON is YAML."""
    assert PROMTOOL is not None
    rules = [{"record": f"r{number}", "expr": query} for number, query in enumerate(queries)]
    path = folder / "rules.json"
    path.write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}, ensure_ascii=False))
    return subprocess.run([PROMTOOL, "check", "rules", str(path)], capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(PROMTOOL is None, reason="promtool comes with prometheus")
def test_the_parser_notices_a_broken_query(tmp_path: Path) -> None:
    assert check(tmp_path, ["sum("]).returncode != 0


@pytest.mark.skipif(PROMTOOL is None, reason="promtool comes with prometheus")
def test_shipped_queries_parse(tmp_path: Path) -> None:
    queries = []
    for book in RunbookCatalog([shipped("runbooks")]).all():
        values = {parameter.name: parameter.default or "fraud" for parameter in book.parameters}
        steps = [one for step in book.steps for one in (step, *step.parts)]
        values |= {step.capture: "3" for step in steps if step.capture}
        queries += [into_promql(step.body, values) for step in steps if step.kind == "promql"]
    assert len(queries) >= 2
    answer = check(tmp_path, queries)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.skipif(PROMTOOL is None, reason="promtool comes with prometheus")
def test_hostile_values_stay_inside_their_strings(tmp_path: Path) -> None:
    forms = ('up{a="x$V"}', "up{a='x$V'}", 'up{a=~"x$V.*"}', "up{a!~'$V'}")
    queries = [into_promql(form, {"V": value}) for form in forms for value in HOSTILE]
    answer = check(tmp_path, queries)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.skipif(PROMTOOL is None, reason="promtool comes with prometheus")
def test_lint_is_told_which_query_is_broken_and_why() -> None:
    faults = faults_of(["up", "sum(", 'up{a="\\d"}', "rate(x[5m])"])
    assert faults is not None
    assert sorted(faults) == [1, 2]
    assert "unclosed left parenthesis" in faults[1]


def test_without_promtool_no_query_is_called_good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert faults_of(["up"]) is None

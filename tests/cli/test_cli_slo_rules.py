"""`maestro slo rules` as a person or a script runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maestro_cli.config.locations import shipped
from maestro_cli.config.strict import parse_yaml
from maestro_cli.local.preparation import prepare
from maestro_cli.slo.windows import PROFILES
from tests.cli.program import Result, check_golden, maestro

FORMATS = ("table", "wide", "json", "yaml", "csv", "md", "jsonpath={.items[*].what}")
EVIL = "\x1b[31m\u202eevil, =1+1 | x"
OBJECTIVES = """\
version: prometheus/v1
service: shop
labels: {team: risk}
slos:
  - name: answers
    objective: 99.9
    sli:
      events:
        error_query: 'sum(rate(requests_total{code=~"5.."}[{{.window}}]))'
        total_query: sum(rate(requests_total[{{.window}}]))
    alerting:
      name: ShopAnswers
      annotations: {summary: "{{ $labels.team }} is asked"}
      page_alert: {labels: {severity: critical}}
      ticket_alert: {disable: true}
  - name: share
    objective: 95
    sli: {raw: {error_ratio_query: "avg_over_time(bad[{{.window}}])"}}
    alerting: {page_alert: {disable: true}, ticket_alert: {disable: true}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: recovery}
spec:
  service: shop
  timeWindow: [{duration: 1Q, isRolling: true}]
  indicator: {spec: {thresholdMetric: {metricSource: {type: maestro, spec: {recovery: rto}}}}}
  objectives: [{op: lt, value: 900}]
"""
WINDOWS = """\
apiVersion: sloth.slok.dev/v1
kind: AlertWindows
spec:
  sloPeriod: 30d
  page:
    quick: {errorBudgetPercent: 1, shortWindow: 5m, longWindow: 30m}
    slow: {errorBudgetPercent: 5, shortWindow: 30m, longWindow: 6h}
  ticket:
    quick: {errorBudgetPercent: 10, shortWindow: 2h, longWindow: 1d}
    slow: {errorBudgetPercent: 10, shortWindow: 6h, longWindow: 3d}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "slo.yaml").write_text(OBJECTIVES, encoding="utf-8")
    return tmp_path


def rules(folder: Path, *words: str) -> Result:
    return maestro("slo", "rules", "generate", "slo.yaml", *words, cwd=folder)


def alert_names(text: str) -> list[str]:
    groups = parse_yaml(text, "rules.yaml").data["groups"]
    return [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rules", []),
        ("sloth", ["--names", "sloth", "--no-absent"]),
        ("least", ["--no-budget", "--windows", "windows.yaml"]),
        ("operator", ["--operator", "-n", "ml", "-l", "release=prom", "--name", "shop", "--no-budget"]),
        ("tests", ["--tests", "rules.yaml"]),
    ],
)
def test_rules_are_written(folder: Path, name: str, words: list[str]) -> None:
    (folder / "windows.yaml").write_text(WINDOWS, encoding="utf-8")
    found = rules(folder, *words)
    assert found.code == 0, found.err
    assert "recovery has no rules: no metric tells it" in found.err
    assert ("shop-share has no test" in found.err) is (name == "tests")
    check_golden(f"slo-rules-{name}.yaml", found.out)


def test_alerts_are_those_that_the_file_wants(folder: Path) -> None:
    found = rules(folder)
    assert alert_names(found.out) == ["ShopAnswers", "ShopAnswers", "ObjectiveWithoutData"]
    page = next(
        rule
        for group in parse_yaml(found.out, "rules.yaml").data["groups"]
        for rule in group["rules"]
        if "alert" in rule
    )
    assert page["labels"] == {
        "team": "risk", "severity": "critical", "service": "shop", "objective": "shop-answers",
        "burn_window": "1h",
    }  # fmt: skip
    assert page["annotations"]["summary"] == "{{ $labels.team }} is asked"


def test_few_bad_events_can_be_let_be_where_they_are_counted(folder: Path) -> None:
    refused = rules(folder, "--min-bad-events", "10")
    assert refused.code == 2
    assert "error: the events of shop-share cannot be counted\n" in refused.err
    text = (folder / "slo.yaml").read_text(encoding="utf-8").split("  - name: share")[0]
    (folder / "slo.yaml").write_text(text, encoding="utf-8")
    found = rules(folder, "--min-bad-events", "10")
    said = 'and on () sum(increase(requests_total{code=~"5.."}[1h])) >= 10'
    assert said in " ".join(found.out.split())


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (["--profile", "produktion"], 2, "there is no profile 'produktion'"),
        (["--names", "slot"], 2, "there are no names of 'slot'"),
        (["-l", "a=b"], 2, "only a PrometheusRule has labels and a namespace"),
        (["--operator", "--tests", "x"], 2, "promtool reads no PrometheusRule"),
        (["--windows", "slo.yaml"], 3, "slo.yaml:"),
        (["--min-bad-events", "-1"], 2, "fewer bad events than none"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, words: list[str], code: int, what: str) -> None:
    found = rules(folder, *words)
    assert (found.code, found.out) == (code, "")
    assert what in found.err


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("longWindow: 6h", "longWindow: 20m", "spec.page.slow.shortWindow"),
        ("longWindow: 6h", "longWindow: 31d", "spec.page.slow.longWindow"),
        ("errorBudgetPercent: 5,", "errorBudgetPercent: 0,", "spec.page.slow.errorBudgetPercent"),
        ("shortWindow: 2h", "shortWindow: soon", "spec.ticket.quick.shortWindow"),
        ("sloPeriod", "period", "spec.period"),
    ],
    ids=["short is longer", "longer than the period", "no share", "no duration", "another key"],
)
def test_windows_that_cannot_be_are_refused_by_place(
    folder: Path, before: str, after: str, what: str
) -> None:
    (folder / "windows.yaml").write_text(WINDOWS.replace(before, after), encoding="utf-8")
    found = rules(folder, "--windows", "windows.yaml")
    assert found.code == 3
    assert what in found.err


def changed(folder: Path) -> str:
    """Rules as somebody left them: one changed, one gone, one of nobody any more, one hostile."""
    text = rules(folder).out.replace("> 14.4 *", "> 13 *").replace("for: 5m", "for: 30m")
    document = parse_yaml(text, "rules.yaml").data
    first = document["groups"][0]["rules"]
    evil = {"record": "slo:error_ratio:rate5m", "expr": EVIL, "labels": {"objective": EVIL}}
    gone = {**first[0], "labels": {**first[0]["labels"], "objective": "shop-gone"}}
    document["groups"][0] = {"name": EVIL, "rules": [*first[1:], gone, evil]}
    return json.dumps(document)


@pytest.mark.parametrize("form", FORMATS)
def test_differences_are_the_same_in_every_format(folder: Path, form: str) -> None:
    words = ("slo", "rules", "diff", "slo.yaml", "--file", "-", "-o", form)
    found = maestro(*words, cwd=folder, stdin=changed(folder))
    assert (found.code, found.err) == (10, "")
    assert "\x1b" not in found.out
    assert "\u202e" not in found.out
    check_golden(f"slo-rules-diff.{form.partition('=')[0]}", found.out)


def test_what_is_as_it_should_be_ends_with_0(folder: Path) -> None:
    for words in ([], ["--operator"]):
        (folder / "loaded.yaml").write_text(rules(folder, *words).out, encoding="utf-8")
        found = maestro("slo", "rules", "diff", "slo.yaml", "--file", "loaded.yaml", "-o", "json", cwd=folder)
        assert (found.code, json.loads(found.out)["items"]) == (0, [])


def test_the_platform_loads_what_is_written_with_these_options(folder: Path) -> None:
    prepare(folder / "state", PROFILES["drill"])
    loaded = str(folder / "state" / "config" / "rules.yaml")
    words = (
        "slo",
        "rules",
        "diff",
        str(shipped("deploy") / "objectives"),
        "--profile",
        "drill",
        "--no-absent",
    )
    same = maestro(*words, "--no-budget", "--watched", "--file", loaded, cwd=folder)
    assert (same.code, same.out) == (0, "")
    assert maestro(*words, "--no-budget", "--file", loaded, cwd=folder).code == 10  # ratios for reports alone


def test_what_cannot_be_compared_is_no_difference(folder: Path, configured: Path) -> None:
    """An error has its own exit code, so that a gate that cannot look is not taken for one that did."""
    (folder / "not.yaml").write_text("- 1\n", encoding="utf-8")
    (folder / "other.yaml").write_text("groups: [{rules: [{expr: 1}]}]\n", encoding="utf-8")
    words = ("slo", "rules", "diff", "slo.yaml")
    assert maestro(*words, "--file", "not.yaml", cwd=folder).code == 3
    assert maestro(*words, "--file", "other.yaml", cwd=folder).code == 3
    assert maestro(*words, "--file", "gone.yaml", cwd=folder).code == 3
    assert maestro(*words, "--file", "not.yaml", "--resource", "a/b", cwd=folder).code == 2
    assert maestro(*words, "--resource", "nameless", cwd=folder).code == 2
    assert maestro(*words, cwd=folder, env={"PROD_TOKEN": "x"}).code == 4  # nobody listens there

"""Objectives as a person or a script meets them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from maestro_cli.output.renderers.objectives import objective_view, objectives_view
from maestro_cli.output.views import View
from maestro_cli.slo.files.reading import find_in_text
from tests.cli.program import check_golden, maestro
from tests.cli.test_cli_people import written

FORMATS = ("table", "wide", "json", "yaml", "csv", "md", "jsonpath={.items[*].name}")
TEXT = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: web, displayName: "web \\e[31m answers", labels: {namespace: ml, deployment: fraud}}
spec:
  service: fraud
  timeWindow: [{duration: 1M, calendar: {startTime: 2026-01-01 00:00:00, timeZone: Europe/Zurich}}]
  budgetingMethod: Timeslices
  indicator: {spec: {ratioMetric: {
    bad: {metricSource: {type: Prometheus, spec: {query: 'errors_total{code=~"5.."}'}}},
    total: {metricSource: {type: Prometheus, spec: {query: requests_total}}}}}}
  objectives:
    - {target: 0.999, timeSliceTarget: 0.99, timeSliceWindow: 1m}
---
version: prometheus/v1
service: shop
slo_plugins: {chain: [{id: x}]}
slos:
  - name: raw
    objective: 95
    sli: {raw: {error_ratio_query: "avg_over_time(bad[{{.window}}])"}}
---
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: probes}
spec: {target: "99", window: 4w, indicator: {bool_gauge: {metric: probe_success, grouping: [job]}}}
---
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: quick}
spec: {target: "95", window: 1w, indicator: {latencyNative: {latency: 100ms, total: {metric: seconds}}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: recovery}
spec:
  service: fraud
  timeWindow: [{duration: 1Q, isRolling: true}]
  indicator: {spec: {thresholdMetric: {metricSource: {type: maestro, spec: {recovery: rto}}}}}
  objectives: [{op: lt, value: 900}]
"""
BROKEN = TEXT.replace("target: 0.999", "target: 99.9").replace('target: "99"', 'target: "0.99"')


def own(configured: Path, text: str) -> Path:
    """A folder of the context `prod` with one file."""
    file = configured.parent / "objectives" / "slo.yaml"
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    there = configured.read_text(encoding="utf-8")
    configured.write_text(there.replace("namespace: ml", "objectives: [objectives]", 1), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("what", "form"),
    [*(("list", form) for form in FORMATS), *(("show", form) for form in FORMATS if form != "csv")],
)
def test_objectives_are_the_same_in_every_format(what: str, form: str) -> None:
    found = find_in_text(TEXT, "slo.yaml")
    assert found.broken == ()
    views: dict[str, View] = {
        "list": objectives_view(found.objectives),
        "show": objective_view(found.objectives[0], found.notes),
    }
    text = written(views[what], form.replace(".items[*]", "") if what == "show" else form)
    assert "\x1b" not in text
    check_golden(f"slo-{what}.{form.partition('=')[0]}", text)


def test_objectives_are_listed_and_shown(configured: Path) -> None:
    own(configured, TEXT)
    found = maestro("slo", "list", "-o", "json")
    assert (found.code, found.err) == (0, "")
    names = [item["name"] for item in json.loads(found.out)["items"]]
    assert names == ["web", "shop-raw", "probes", "quick", "recovery"]
    shown = maestro("slo", "show", "web")
    assert "99.9 % = 40m19s to 44m38s of a calendar month" in shown.out
    assert maestro("slo", "show", "prob").error_lines[2] == "did you mean 'probes'?"
    assert maestro("slo", "show", "nothing").code == 6


def test_a_broken_objective_is_told_and_hides_no_other(configured: Path) -> None:
    own(configured, BROKEN)
    found = maestro("slo", "list", "-o", "jsonpath={.items[*].name}")
    assert (found.code, found.out.split()) == (3, ["shop-raw", "quick", "recovery"])
    assert len(found.err.splitlines()) == 2
    assert maestro("slo", "show", "quick").code == 0
    assert maestro("slo", "show", "web").code == 3


def test_what_is_wrong_and_what_is_ignored_is_found(configured: Path) -> None:
    file = own(configured, BROKEN)
    for arguments in ((), (str(file),), (str(file.parent),)):
        found = maestro("slo", "lint", *arguments, "-o", "json")
        assert found.code == 10
        items = json.loads(found.out)["items"]
        assert [(item["line"], item["rule"], item["level"]) for item in items] == [
            (12, "invalid", "error"), (14, "ignored", "warning"), (25, "invalid", "error"),
        ]  # fmt: skip
        assert "write 0.999, or targetPercent: 99.9" in items[0]["text"]
        assert "write 99" in items[2]["text"]
    sarif = json.loads(maestro("slo", "lint", "-o", "sarif").out)
    assert len(sarif["runs"][0]["results"]) == 3


def test_what_is_only_ignored_is_no_mistake_unless_that_is_asked_for(configured: Path) -> None:
    own(configured, TEXT)
    assert maestro("slo", "lint").code == 0
    assert maestro("slo", "lint", "--strict").code == 10
    assert maestro("slo", "lint", "elsewhere").code == 6


def test_lint_says_why_it_reads_no_pipe_and_no_device(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "objectives.yaml")
    for place in (str(tmp_path), "/dev/zero"):
        found = maestro("slo", "lint", place)
        assert (found.code, "Not a regular file" in found.out) == (10, True)


def test_without_a_context_that_is_said(configured: Path) -> None:
    for arguments in (("list",), ("lint",), ("show", "x")):
        found = maestro("--context", "local", "slo", *arguments)
        assert found.err.startswith("maestro: error: the embedded platform is not up"), found.err


def test_their_names_are_offered(configured: Path) -> None:
    own(configured, TEXT)
    words = {"COMP_WORDS": "maestro slo show ", "COMP_CWORD": "3", "_MAESTRO_COMPLETE": "complete_bash"}
    offered = maestro(env={**words, "PATH": os.environ["PATH"]}).out.split()
    assert {"web", "shop-raw", "probes"} <= set(offered)


@pytest.mark.parametrize(
    "command",
    [
        ("slo", "status", "--month="),
        ("slo", "status", "--month", "  "),
        ("slo", "budget", "--at="),
        ("slo", "explain", "web", "--window="),
        ("slo", "gate", "--zone="),
        ("slo", "what-if", "web", "-t", "99%", "--month="),
        ("slo", "status", "--prometheus="),
        ("slo", "status", "--watch", "--timeout="),
        ("slo", "status", "--watch", "--every="),
        ("slo", "exclude", "add", "a", "--owner=b", "--reason=c", "--start=", "--duration=2h"),
        ("sla", "report", "--month="),
        ("sla", "report", "--zone="),
    ],
    ids=" ".join,
)
def test_an_option_that_is_given_empty_is_not_one_that_is_left_out(command: tuple[str, ...]) -> None:
    """A script whose variable is not set gets no verdict of a time that it did not name."""
    done = maestro(*command)
    assert (done.code, done.out) == (2, "")
    assert "is empty" in done.err
    assert "leave out --" in done.err

"""Objectives are read strictly, and become rules that carry their workload and their objective."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.config.locations import shipped
from maestro_cli.config.strict import dump_yaml
from maestro_cli.slo.files.reading import read_objectives
from maestro_cli.slo.objectives import Counters, Objective
from maestro_cli.slo.rules.alerts import ALERT_NAME, RuleOptions, rule_file
from maestro_cli.slo.rules.naming import MAESTRO
from maestro_cli.slo.windows import PROFILES

RATIO = "spec.indicator.spec.ratioMetric"


def metric(query: str) -> dict[str, Any]:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}


def document() -> dict[str, Any]:
    ratio = {"counter": True, "bad": metric('errors_total{code=~"5.."}'), "total": metric("requests_total")}
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": "answers", "labels": {"namespace": "ml", "deployment": "fraud"}},
        "spec": {
            "service": "fraud",
            "indicator": {"spec": {"ratioMetric": ratio}},
            "timeWindow": [{"duration": "30d"}],
            "objectives": [{"target": 0.999}],
        },
    }


def changed(path: str, value: Any) -> dict[str, Any]:
    """A good document with another value at a dotted path; None removes the key."""
    data = document()
    at: Any = data
    *parents, last = path.split(".")
    for part in parents:
        at = at[int(part) if part.isdigit() else part]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return data


def objective(target: float = 0.999, **values: Any) -> Objective:
    fields: dict[str, Any] = {
        "name": "answers", "title": "answers", "service": "fraud", "target": target,
        "window_seconds": 2592000.0, "indicator": Counters("requests_total", "errors_total"),
        "labels": {"namespace": "ml", "deployment": "fraud"},
    }  # fmt: skip
    return Objective(**{**fields, **values})


def test_those_that_ship_can_be_read() -> None:
    found = read_objectives(shipped("deploy") / "objectives")
    by_name = {item.name: item for item in found}
    assert {name: item.echo for name, item in by_name.items()} == {
        "fraud-accuracy": "95 % = 1d12h of 30 days",
        "fraud-availability": "99.9 % = 40m19s to 44m38s of a calendar month",
        "fraud-errors": "99.9 % = 43m12s of 30 days",
        "fraud-latency": "99 % = 7h12m of 30 days",
        "fraud-p95-latency": "95 % = 1d12h of 30 days",
        "fraud-rpo": "RPO of at most 1h00m",
        "fraud-rto": "RTO of at most 15m00s",
    }
    assert [item.name for item in found if item.is_watched] == ["fraud-availability", "fraud-latency"]
    assert all(item.labels == {"namespace": "ml", "deployment": "fraud"} for item in found)


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "answers.yml"
    file.write_text(dump_yaml(document()), encoding="utf-8")
    (read,) = read_objectives(tmp_path)
    counters = Counters("requests_total", 'errors_total{code=~"5.."}')
    assert read == objective(indicator=counters, origin=f"{file}:1")
    assert read_objectives(file) == (read,)


def test_a_target_is_said_back_in_time() -> None:
    assert objective(0.999).echo == "99.9 % = 43m12s of 30 days"


@given(st.integers(1, 99_999))
def test_budget_and_target_are_the_whole(parts: int) -> None:
    target = parts / 100_000
    assert objective(target).budget == pytest.approx(1 - target, abs=1e-12)
    assert float(f"{objective(target).budget:.12g}") == objective(target).budget  # as the rule writes it


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_every_window_has_its_two_records_and_its_alert(profile: Any) -> None:
    group, _ = rule_file([objective(runbook="https://r")], profile)["groups"]
    records = [rule["record"] for rule in group["rules"] if "record" in rule]
    alerts = [rule for rule in group["rules"] if "alert" in rule]
    assert len(alerts) == len(profile.windows)
    assert len(records) == len(set(records))
    for window, alert in zip(profile.windows, alerts, strict=True):
        assert alert["alert"] == ALERT_NAME
        for span in (window.long_seconds, window.short_seconds):
            assert MAESTRO.record(span) in records
            assert f'{MAESTRO.record(span)}{{objective="answers"}}' in alert["expr"]
        assert alert["annotations"]["runbook_url"] == "https://r"


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
@pytest.mark.parametrize("budget", [False, True])
def test_what_reads_the_whole_period_is_evaluated_every_four_minutes(profile: Any, budget: bool) -> None:
    """Each quarter of a minute it were half a million samples a second for fifty objectives."""
    groups = rule_file([objective()], profile, RuleOptions(budget=budget))["groups"]
    of_period = [one for one in groups if any("[30d]" in rule["expr"] for rule in one["rules"])]
    assert len(of_period) == 1 + budget
    assert {one["interval"] for one in of_period} == {"4m"}


def test_labels_of_the_objective_cannot_take_the_place_of_ours() -> None:
    mine = {"severity": "none", "service": "x", "objective": "y", "namespace": "ml"}
    group, _ = rule_file([objective(labels=mine)], PROFILES["drill"])["groups"]
    labels = next(rule["labels"] for rule in group["rules"] if "alert" in rule)
    assert labels == {
        "namespace": "ml",
        "severity": "page",
        "service": "fraud",
        "objective": "answers",
        "burn_window": "20s",
    }


def test_the_production_windows_are_those_of_the_workbook() -> None:
    """Google SRE workbook, chapter 5, table 5-8: share of a 30-day budget, window, factor."""
    shares = [round(w.factor * w.long_seconds / (30 * 86400), 4) for w in PROFILES["production"].windows]
    assert shares == [0.02, 0.05, 0.1, 0.1]
    assert all(w.long_seconds == 12 * w.short_seconds for w in PROFILES["production"].windows)

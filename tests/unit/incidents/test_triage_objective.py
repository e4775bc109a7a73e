"""The budget that is spoken of is that of the incident's own objective, or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from maestro_cli.core.facts.metrics import Instant, Sample
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.model import Signal
from maestro_cli.incidents.register import list_incidents
from maestro_cli.incidents.triage.investigate import Triage, TriageSettings
from maestro_cli.incidents.triage.objective import choose_objective
from maestro_cli.slo.burning import ratio_query
from maestro_cli.slo.objectives import Alerting, Counters, Notice, Objective
from tests.unit.incidents.platform import at, objective
from tests.unit.incidents.triage_cases import bad_release
from tests.unit.incidents.world import T0, Room, SetClock, alert

FRAUD = WorkloadRef("Deployment", "ml", "fraud")
AVAILABILITY, LATENCY = objective("availability"), objective("latency", kind="good")
OTHER = objective("other", service="search", namespace="ml", deployment="search")
ELSEWHERE = objective("elsewhere", namespace="staging", deployment="fraud")
STATEFUL = objective("stateful", namespace="ml", statefulset="fraud")


def signal(**labels: str) -> Signal:
    return Signal("f", "c", True, "Alert", labels, {}, T0, "alertmanager-api", "inc-1", T0, T0)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    made.detector.reconcile([alert()], source="alertmanager-api")
    yield made
    made.journal.close()


@pytest.mark.parametrize("first", [OTHER, ELSEWHERE, STATEFUL])
def test_one_of_another_workload_is_never_taken(first: Objective) -> None:
    assert choose_objective([first, AVAILABILITY], FRAUD, ()).objective is AVAILABILITY
    none = choose_objective([first], FRAUD, ())
    assert (none.objective, none.why) == (None, "none of 1 objectives is for ml/deploy/fraud")


def test_of_several_it_is_the_one_whose_alert_fired() -> None:
    for fired in (AVAILABILITY, LATENCY):
        alerts = [signal(objective="other"), signal(objective=fired.name)]
        assert choose_objective([AVAILABILITY, LATENCY, OTHER], FRAUD, alerts).objective is fired


def test_where_none_of_theirs_fired_it_is_the_one_that_counts_errors() -> None:
    other = [signal(alertname="Other")]
    assert choose_objective([LATENCY, AVAILABILITY], FRAUD, other).objective is AVAILABILITY
    twice = replace(AVAILABILITY, name="twice")
    none = choose_objective([AVAILABILITY, twice], FRAUD, [])
    assert none.objective is None
    assert none.why == "availability, twice are for ml/deploy/fraud, and no alert of theirs fired"


def test_one_that_nobody_is_told_of_is_not_what_an_incident_spends() -> None:
    quiet = Alerting(page=Notice(disabled=True), ticket=Notice(disabled=True))
    report = replace(AVAILABILITY, name="report", alerting=quiet)
    assert choose_objective([report, AVAILABILITY], FRAUD, ()).objective is AVAILABILITY
    assert choose_objective([report], FRAUD, ()).objective is None


def test_without_objectives_that_is_said() -> None:
    assert choose_objective([], FRAUD, []).why == "no objective is given"


def test_its_selector_names_the_workload_where_its_labels_do_not() -> None:
    def counting(total: str) -> Objective:
        return replace(objective("named", team="payments"), indicator=Counters(total, "bad_total"))

    ours = counting('all_total{namespace="ml", deployment="fraud", code=~"5.."}')
    theirs = counting('all_total{namespace="ml", deployment="search"}')
    assert choose_objective([theirs, ours], FRAUD, ()).objective is ours


def test_one_that_names_no_workload_is_found_by_its_service() -> None:
    unnamed = objective("unnamed", team="payments")
    assert choose_objective([unnamed], FRAUD, ()).objective is unnamed
    checkout = replace(unnamed, service="checkout")
    assert choose_objective([checkout], FRAUD, ()).objective is None
    assert choose_objective([checkout], FRAUD, [signal(service="checkout")]).objective is checkout
    elsewhere = objective("unnamed", namespace="staging")
    assert choose_objective([elsewhere], FRAUD, ()).objective is None


def test_the_budget_of_an_objective_that_counts_no_errors_is_its_own(room: Room) -> None:
    case, incident = bad_release(), list_incidents(room.journal)[0]
    slow = objective("fraud-latency", kind="good")
    asked: list[str] = []
    query = case.query

    def answered(promql: str, *, at: datetime | None = None) -> Instant:
        asked.append(promql)
        if "good_total" not in promql:
            return query(promql, at=at)
        return Instant(promql, at or T0, (Sample({}, 0.05, at or T0),))

    object.__setattr__(case, "query", answered)
    triage = Triage(case, case, SetClock(at(30)), settings=TriageSettings(objectives=(slow,)))
    facts = triage.measure_impact(incident, (), onset=at(-18)).facts
    assert (facts["objective"], facts["burn"]) == ("fraud-latency", pytest.approx(5.0))
    assert ratio_query(slow, "48s") in asked
    found = {one.kind: one for one in triage.investigate(incident, ()).evidence}
    assert found["budget"].facts["burn"] == pytest.approx(5.0)
    assert "of the budget of fraud-latency so far" in found["budget"].summary


def test_without_an_objective_of_the_workload_it_says_so(room: Room) -> None:
    case, incident = bad_release(), list_incidents(room.journal)[0]
    settings = TriageSettings(objectives=(objective("other", namespace="ml", deployment="search"),))
    triage = Triage(case, case, SetClock(at(30)), settings=settings)
    found = {one.kind: one for one in triage.investigate(incident, ()).evidence}
    assert found["budget"].facts["burn"] is None
    assert "none of 1 objectives is for ml/deploy/fraud" in found["budget"].summary

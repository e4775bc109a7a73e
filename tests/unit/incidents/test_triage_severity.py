"""The severity that triage proposes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.triage.facts import CaseFacts, SplitRow, Tally
from maestro_cli.incidents.triage.model import Onset, Proposal, Suspect, SuspectKind
from maestro_cli.incidents.triage.severity import TABLE, propose_severity
from maestro_cli.incidents.triage.surroundings import Around
from tests.unit.incidents.platform import FRAUD, at
from tests.unit.incidents.triage_cases import bad_release, investigate
from tests.unit.incidents.world import Room, alert

NO_BUDGET = {"burn": None, "budget_spent": None}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path, ChangesProjection())
    made.detector.reconcile([alert()], source="alertmanager-api")
    yield made
    made.journal.close()


def case(failing: float | None = None, segment: str = "direct", **more: Any) -> CaseFacts:
    """So much of a thousand requests fails; None: nobody counts them."""
    rows = (SplitRow("p", "n", "1", "1", Tally(1000, 0, 1000, 1000 * (failing or 0)), segment=segment),)
    split = () if failing is None else rows
    return CaseFacts(FRAUD, Onset(at(0), at(-1), "errors"), split=split, **more)


def proposed(facts: CaseFacts, *suspects: Suspect, **budget: float) -> Proposal:
    return propose_severity(facts, suspects, NO_BUDGET | budget, frozenset({"checkout"}))


@pytest.mark.parametrize(
    ("share", "severity"),
    [(0.6, "sev1"), (0.5, "sev1"), (0.3, "sev2"), (0.01, "sev3"), (0.001, "sev4"), (0.0, "sev4")],
)
def test_the_more_requests_fail_the_graver_it_is(share: float, severity: str) -> None:
    assert proposed(case(share)).severity == severity


def test_of_what_is_measured_the_gravest_counts_with_its_reason() -> None:
    found = proposed(case(0.01), burn=30.0, budget_spent=0.2)
    assert found.severity is Severity.SEV2
    assert found.reasons == (
        "the error budget burns at 30.0 times the allowed rate",
        "20% of the error budget is spent by this",
    )


def test_failures_of_the_segment_that_earns_money_are_graver() -> None:
    assert proposed(case(0.06)).severity is Severity.SEV2
    found = proposed(case(0.06, segment="checkout"))
    assert found.severity is Severity.SEV1
    assert found.reasons == ("6.0% of the requests that earn money fail",)


def test_unsure_means_higher() -> None:
    nothing = proposed(case(None))
    assert (nothing.severity, nothing.unsure) == (Severity.SEV2, True)
    assert "unsure means higher" in nothing.reasons[0]
    known = proposed(case(None), burn=5.0)
    assert (known.severity, known.unsure) == (Severity.SEV2, True)


def test_of_an_incident_without_a_workload_as_little_is_known() -> None:
    found = proposed(replace(case(None), workload=None))
    assert (found.severity, found.unsure) == (Severity.SEV2, True)
    found = proposed(replace(case(None), workload=None), burn=5.0)
    assert (found.severity, found.unsure) == (Severity.SEV2, True)


def test_requests_that_nobody_answers_count_as_well() -> None:
    gone = case(0.0, around=Around(gone=True))
    assert proposed(gone).severity is Severity.SEV1
    assert proposed(replace(case(0.0), load_factor=0.5)).severity is Severity.SEV2
    assert proposed(replace(case(0.0), load_factor=3.0)).severity is Severity.SEV4


def test_answers_that_became_wrong_count_without_an_error() -> None:
    judged = {"3": Tally(1000, 250, 1000, 600)}
    assert proposed(case(0.0, judged=judged)).severity is Severity.SEV2


def test_wrong_answers_that_may_be_chance_are_as_if_not_measured_and_never_less_grave() -> None:
    judged = {"3": Tally(25, 2, 25, 10)}
    found = proposed(case(0.0, judged=judged))
    assert (found.severity, found.unsure) == (Severity.SEV2, True)
    assert "may be chance: unsure means higher" in found.reasons[0]
    known = proposed(case(0.01, judged=judged))
    assert (known.severity, known.unsure) == (Severity.SEV2, True)
    assert proposed(case(0.6, judged=judged)).severity is Severity.SEV1


def test_a_difference_of_right_answers_too_small_to_count_leaves_no_doubt() -> None:
    for judged in (Tally(1000, 80, 1000, 90), Tally(25, 10, 25, 2), Tally(25, 2, 19, 10)):
        found = proposed(case(0.0, judged={"3": judged}))
        assert (found.severity, found.unsure) == (Severity.SEV4, False), judged


def test_a_cause_alone_can_be_grave_and_only_when_it_is_named() -> None:
    key = Suspect(SuspectKind.KEY, "key partner", 0.8, ())
    assert proposed(case(0.0), key).severity is Severity.SEV2
    assert proposed(case(0.0), replace(key, score=0.3)).severity is Severity.SEV4


def test_each_measure_of_the_table_is_graver_the_more_there_is() -> None:
    for measure in {row.measure for row in TABLE}:
        rows = sorted((row for row in TABLE if row.measure == measure), key=lambda row: -row.from_)
        assert [row.severity for row in rows] == sorted(row.severity for row in rows)


def test_a_triage_proposes_it_and_records_it(room: Room) -> None:
    report = investigate(room, bad_release())
    assert report.severity is not None
    assert report.severity.severity is Severity.SEV2
    recorded = report.suspects_as_data()["severity"]
    assert recorded["severity"] == "sev2"
    assert "30.0% of the requests fail" in recorded["reasons"]


def test_the_page_tells_the_table_as_it_is() -> None:
    page = (Path(__file__).parents[3] / "docs" / "triage.md").read_text(encoding="utf-8")
    table = [line for line in page.splitlines() if line.count("|") == 5]
    for row in TABLE:
        told = f"{row.from_:g}" if row.measure == "burn" else f"{100 * row.from_:g} %"
        column = 1 + int(row.severity.value[3])
        assert any(line.split("|")[column].strip() == told for line in table), row

"""What an incident means for a contract: the credit with it and without, and no guess before the time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.incidents.model import State
from maestro_cli.incidents.triage.model import Evidence
from maestro_cli.services.incident_credit import measure_credit
from tests.unit.slo.report.month import ANSWERS, ASKED_AT, BACK, BAD, SPAN, Strict, requests

CONTRACT = """
maestro: contract/v1
name: gold
customer: ACME
objectives: [{objective}]
zone: Europe/Berlin
judged: {judged}
credits: [{{below_percent: 99.9, credit_percent: 10}}, {{below_percent: 99, credit_percent: 25}}]
"""


class Bare(Strict):
    def identity(self) -> None:
        """Nothing is kept of it."""


def hurt(number: int, start: datetime, end: datetime) -> Any:
    times = SimpleNamespace(started_at=start, mitigated_at=end, resolved_at=None)
    return SimpleNamespace(
        times=times, id=f"inc-{number}", number=number, drill=False, state=State.RESOLVED, workload=None
    )


def credit(
    folder: Path, now: datetime = ASKED_AT, judged: str = "adjusted", objective: str = "answers"
) -> Evidence | None:
    file = folder / "contract.yaml"
    file.write_text(CONTRACT.format(judged=judged, objective=objective))
    soon = hurt(6, BAD[0] - timedelta(days=1), BAD[0] - timedelta(days=1) + timedelta(minutes=1))
    incident = hurt(7, *BAD)
    context = SimpleNamespace(contract=str(file), exclusions=())
    services: Any = SimpleNamespace(
        context=context,
        objectives={"answers": ANSWERS, "back": BACK},
        desk=SimpleNamespace(list=lambda limit: [soon, incident]),
        journal=SimpleNamespace(events=lambda **_: ()),
        raw_prometheus=Bare(requests(*BAD)),
        journal_path=file.with_name("none.sqlite"),
    )
    return measure_credit(services, incident, now)


@pytest.mark.parametrize("judged", ["adjusted", "raw"])
def test_the_credit_is_told_with_the_incident_and_without(tmp_path: Path, judged: str) -> None:
    found = credit(tmp_path, judged=judged)
    assert found is not None
    assert found.summary.startswith("10 % of the fee, 0 % without this incident; it spent 201.3% of answers")
    assert found.summary.endswith("of 2026-10, over 20% of that of answers: the budget policy wants a review")
    told = [found.facts[name] for name in ("contract", "customer", "period")]
    assert told == ["gold", "ACME", "2026-10"]


def test_a_promise_of_recovery_is_counted_with_the_incident_and_without(tmp_path: Path) -> None:
    """Of two incidents this one took longer than promised."""
    found = credit(tmp_path, objective="back")
    assert found is not None
    assert found.summary.startswith("25 % of the fee, 0 % without this incident")


def test_before_the_period_is_over_no_credit_is_told(tmp_path: Path) -> None:
    found = credit(tmp_path, now=SPAN.start + timedelta(days=10))
    assert found is not None
    assert found.summary.startswith("not known until 2026-11-01, when the period is over; so far it spent")


def test_without_a_contract_nothing_is_measured_and_a_broken_one_is_told(tmp_path: Path) -> None:
    none: Any = SimpleNamespace(context=SimpleNamespace(contract=None))
    assert measure_credit(none, none, ASKED_AT) is None
    (tmp_path / "contract.yaml").write_text("maestro: contract/v9")
    broken: Any = SimpleNamespace(
        context=SimpleNamespace(contract=str(tmp_path / "contract.yaml")), objectives={}
    )
    found = measure_credit(broken, none, ASKED_AT)
    assert found is not None
    assert not found.ok
    assert found.summary.startswith("not known: ")

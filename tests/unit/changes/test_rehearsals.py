"""A dry run says what the change itself would be told now, and takes nothing for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.ledger import Ledger, take_target
from maestro_cli.changes.model import Consent, Gate, GateDecision
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.records import decision_error
from maestro_cli.changes.rehearsals import told_dry
from maestro_cli.core.errors import Busy, GateNotMet, MaestroError, NotFound, UsageError, WaitingForApproval
from maestro_cli.output.formats import parse_format
from maestro_cli.output.writer import OutputOptions
from tests.unit.changes.bench import POLICY, YES, Bench
from tests.unit.changes.fake_cluster import REF
from tests.unit.changes.test_recovery import leave_intent

NOBODY = Consent(given=False)


def decided(pipeline: ChangePipeline, kind: str = "rollback", consent: Consent = NOBODY) -> GateDecision:
    decision = pipeline.execute(pipeline.plan(kind, REF), consent, dry_run=True).decision
    assert decision is not None
    return decision


def test_while_another_change_is_at_work_it_is_busy_and_every_other_reason_is_told(bench: Bench) -> None:
    first = bench.pipeline().plan("rollback", REF)
    Ledger(bench.journal, "ada").planned(first, key=None, cause="")
    lease = take_target(bench.journal, REF, first.id, 60)
    with pytest.raises(Busy) as real:
        bench.pipeline(actor="grace").execute(bench.pipeline().plan("rollback", REF), YES)
    found = decided(bench.pipeline(actor="grace", read_only=True))
    assert [reason.code for reason in found.reasons] == ["busy", "read-only"]
    told = decision_error(found)
    assert (type(told), told.what, told.fix) == (Busy, real.value.what, real.value.fix)
    since = f"(rollback by ada, planned since {bench.clock.now():%H:%M:%S}Z)"
    assert told.what == f"{REF} is being changed by change {first.id} {since}"
    assert bench.journal.lease(f"target/{REF}") == lease.lease
    lease.release()
    assert decided(bench.pipeline()).allowed


def test_what_an_unknown_outcome_will_come_to_is_a_warning_and_is_not_probed(bench: Bench) -> None:
    left = leave_intent(bench)
    before = bench.kinds(left.id)
    found = decided(bench.pipeline())
    assert found.allowed
    assert f"what became of {left.id} (rollback by ada) is found out first" in found.warnings
    assert bench.kinds(left.id) == before


def test_a_context_that_was_typed_has_to_be_the_one(bench: Bench) -> None:
    protected = bench.pipeline(protected=True)
    assert decided(protected).allowed
    assert decided(protected, consent=Consent(given=False, typed_context="staging")).allowed
    wrong = decided(protected, consent=Consent(given=False, typed_context="prod"))
    assert [reason.code for reason in wrong.reasons] == ["protected"]


def test_what_cannot_wait_for_a_second_person_is_refused_as_it_would_be(bench: Bench) -> None:
    class Forgetful:
        def __getattr__(self, name: str) -> Any:
            return getattr(KINDS["restart"], name)

        def reload(self, world: object, plan: object) -> Any:
            raise NotFound("the value is kept nowhere")

    means: dict[str, Any] = {"policy": replace(POLICY, protected=True), "clock": bench.clock, "actor": "ada"}
    pipeline = ChangePipeline(bench.journal, bench.world, kinds={"restart": Forgetful()}, **means)
    error = decision_error(decided(pipeline, "restart"))
    assert (type(error), "cannot wait" in error.what) == (GateNotMet, True)


def test_a_dry_run_that_would_wait_names_no_change_to_approve(bench: Bench) -> None:
    found = decided(bench.pipeline(protected=True), "restart")
    assert "maestro approve chg-" in found.reasons[0].fix
    told = decision_error(told_dry(found))
    assert type(told) is WaitingForApproval
    assert "chg-" not in told.fix
    assert told_dry(replace(found, outcome=Gate.REFUSED)).reasons == found.reasons


class Rehearsing:
    """Services that refuse the second plan of those that they are asked about."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def dry_run(
        self, plan: Any, accepts: Any, typed_context: str
    ) -> tuple[GateDecision, MaestroError | None]:
        self.asked.append(plan)
        error = {2: GateNotMet("the second"), 3: Busy("the third")}.get(len(self.asked))
        return GateDecision(Gate.ALLOWED), error


@pytest.mark.parametrize("stops", [False, True])
def test_of_several_the_first_that_is_refused_is_what_it_ends_with(
    bench: Bench, capsys: pytest.CaptureFixture[str], stops: bool
) -> None:
    """All are shown; what can be planned no more after it is told: the changes would not get there."""
    from maestro_cli.cli.changing import _rehearse_all

    plan = bench.pipeline().plan("rollback", REF)

    def plans() -> Iterable[Any]:
        yield from (plan, plan)
        if stops:
            raise UsageError("not the third")
        yield plan

    services = Rehearsing()
    with pytest.raises(GateNotMet, match="the second"):
        _rehearse_all(services, plans(), OutputOptions(parse_format("json")), typed_context="", accept=None)
    out, err = capsys.readouterr()
    assert out.count("change-plan/v1") == len(services.asked) == (2 if stops else 3)
    assert ("what follows cannot be planned: not the third" in err) is stops


def test_what_cannot_be_planned_at_all_is_raised(bench: Bench) -> None:
    from maestro_cli.cli.changing import _rehearse_all

    def plans() -> Iterable[Any]:
        raise UsageError("none")
        yield

    with pytest.raises(UsageError, match="none"):
        _rehearse_all(
            Rehearsing(), plans(), OutputOptions(parse_format("json")), typed_context="", accept=None
        )

"""A plan that is not carried out says how it ended: nothing stays planned for ever."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_cli.changes.history import get_change
from maestro_cli.changes.ledger import PLAN_SECONDS
from maestro_cli.changes.model import State
from maestro_cli.core.errors import GateNotMet, Interrupted, MaestroError, Unreachable
from maestro_cli.journal.verification import verify
from maestro_cli.output.renderers.changes import changes_view
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import REF


def test_a_plan_to_which_a_person_said_no_is_cancelled_and_may_be_agreed_to_later(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    pipeline.execute(plan, YES, dry_run=True)
    pipeline.cancel(plan.id, "you said no")
    found = get_change(bench.journal, plan.id)
    assert (found.state, found.nothing_done) == (State.CANCELLED, True)
    assert found.error is not None
    assert found.error.why == "you said no"
    with pytest.raises(GateNotMet, match="was cancelled"):
        pipeline.recover(plan.id)
    assert pipeline.execute(plan, YES).state is State.VERIFIED


def test_what_was_carried_out_is_not_cancelled(bench: Bench) -> None:
    pipeline = bench.pipeline()
    change = pipeline.execute(pipeline.plan("rollback", REF), YES)
    pipeline.cancel(change.id, "too late")
    assert get_change(bench.journal, change.id).state is State.VERIFIED


@pytest.mark.parametrize(
    ("error", "state"),
    [(Unreachable("Kubernetes does not answer"), State.FAILED), (Interrupted("stopped"), State.CANCELLED)],
    ids=["unreachable", "interrupted"],
)
def test_what_stops_a_change_before_anything_was_done_ends_it(
    bench: Bench, error: MaestroError, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)

    def decide(*asked: Any) -> Any:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(pipeline, "decide", decide)
        with pytest.raises(type(error)):
            pipeline.execute(plan, YES, key="k")
    found = get_change(bench.journal, plan.id)
    assert (found.state, found.nothing_done) == (state, True)
    assert pipeline.execute(plan, YES, key="k").state is State.VERIFIED


def test_a_plan_that_nobody_spoke_of_expires_with_the_next_one(bench: Bench) -> None:
    pipeline = bench.pipeline()
    old, agreed_late = pipeline.plan("rollback", REF), pipeline.plan("rollback", REF)
    pipeline.execute(old, YES, dry_run=True)
    bench.clock.pass_time(seconds=PLAN_SECONDS - 60)
    pipeline.execute(agreed_late, YES, dry_run=True)
    assert get_change(bench.journal, old.id).state is State.PLANNED
    bench.clock.pass_time(seconds=120)
    pipeline.execute(pipeline.plan("rollback", REF), YES, dry_run=True)
    states = {one: get_change(bench.journal, one).state for one in (old.id, agreed_late.id)}
    assert states == {old.id: State.EXPIRED, agreed_late.id: State.PLANNED}
    assert verify(bench.journal.path, bench.journal._projections).intact


@pytest.mark.parametrize("state", list(State), ids=lambda state: state.value)
def test_every_state_has_a_tone_and_none_that_did_nothing_is_alarming(bench: Bench, state: State) -> None:
    from dataclasses import replace

    pipeline = bench.pipeline()
    change = replace(pipeline.execute(pipeline.plan("rollback", REF), YES), state=state)
    column = next(one for one in changes_view([change]).columns if one.title == "state")
    assert column.tone is not None
    quiet = state in (State.PLANNED, State.REFUSED, State.CANCELLED, State.EXPIRED)
    assert (column.tone(change) == "dim") is quiet

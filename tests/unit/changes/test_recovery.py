"""Answers that are missing, keys that come again, targets that are taken: applied once or not at all."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any

import pytest

from maestro_cli.changes.history import find_by_key, get_change, named_change
from maestro_cli.changes.holder import Holder, parse_holder, this_process
from maestro_cli.changes.ledger import Ledger, lease_name, take_target
from maestro_cli.changes.model import Gate, GateDecision, Plan, State
from maestro_cli.core.errors import (
    Busy,
    GateNotMet,
    NotFound,
    PolicyRefused,
    Refused,
    RolledBack,
    Unreachable,
)
from maestro_cli.core.refs import ObjectRef
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import REF, template


def test_the_latest_change_has_a_name(bench: Bench) -> None:
    with pytest.raises(NotFound, match="no change yet"):
        named_change(bench.journal, "latest")
    first = bench.pipeline().perform("rollback", REF, {}, YES, key="one")
    assert named_change(bench.journal, "latest").id == first.id
    last = bench.pipeline().perform("restart", REF, {}, YES, key="two")
    assert named_change(bench.journal, "latest").id == last.id
    assert named_change(bench.journal, first.id).id == first.id


def leave_intent(
    bench: Bench,
    kind: str = "rollback",
    parameters: Mapping[str, Any] | None = None,
    *,
    key: str | None = None,
    ref: ObjectRef = REF,
) -> Plan:
    """What a process leaves that dies between its intent and the call."""
    pipeline = bench.pipeline()
    plan = pipeline.plan(kind, ref, parameters)
    ledger = Ledger(bench.journal, "ada")
    change = ledger.planned(plan, key=key, cause="")
    lease = take_target(bench.journal, ref, plan.id, 60)
    ledger.intended(
        change, lease, resource_version=plan.target.resource_version, decision=GateDecision(Gate.ALLOWED),
        accepts=(), attempt=1,
    )  # fmt: skip
    lease.release()
    return plan


@pytest.mark.parametrize("fault", ["lost answer", "garbled answer", "lost request", "late", "later"])
def test_a_missing_answer_is_probed_and_the_write_lands_once(bench: Bench, fault: str) -> None:
    pipeline = bench.pipeline()
    bench.cluster.faults = [fault]
    plan = pipeline.plan("rollback", REF)
    change = pipeline.execute(plan, YES)
    assert change.state is State.VERIFIED
    assert bench.cluster.marks == [plan.id]
    assert "unknown" in bench.kinds(plan.id)
    assert bench.cluster.get_workload(REF).generation == plan.target.generation + 1


def test_a_cluster_that_answers_no_write_ends_it_with_nothing_done(bench: Bench) -> None:
    pipeline = bench.pipeline()
    bench.cluster.faults = ["lost request"] * 9
    plan = pipeline.plan("rollback", REF)
    with pytest.raises(Unreachable, match="answers no write"):
        pipeline.execute(plan, YES)
    assert get_change(bench.journal, plan.id).nothing_done


def test_an_outcome_that_cannot_be_probed_is_unknown_until_it_can(bench: Bench) -> None:
    pipeline = bench.pipeline()
    bench.cluster.faults = ["lost answer, then down"]
    plan = pipeline.plan("rollback", REF)
    with pytest.raises(Busy, match="unknown") as raised:
        pipeline.execute(plan, YES, key="k")
    assert raised.value.exit_code == 75
    assert "rollout history deployment/fraud" in raised.value.fix
    assert get_change(bench.journal, plan.id).state is State.UNKNOWN
    assert pipeline.recover("k").state is State.VERIFIED
    assert bench.cluster.marks == [plan.id]


def test_a_refused_write_is_a_failure_with_nothing_done(bench: Bench) -> None:
    pipeline = bench.pipeline()
    bench.cluster.faults = ["refused"]
    with pytest.raises(Refused):
        pipeline.execute(pipeline.plan("rollback", REF), YES, key="k")
    change = pipeline.perform("rollback", REF, {}, YES, key="k")
    assert change.state is State.VERIFIED


def test_an_intent_without_a_call_is_applied_by_recovery(bench: Bench) -> None:
    plan = leave_intent(bench, key="k")
    bench.cluster.report_status()
    change = bench.pipeline(actor="grace").recover(plan.id)
    assert change.state is State.VERIFIED
    assert (change.actor, bench.cluster.marks) == ("ada", [plan.id])


def test_an_applied_write_without_a_record_is_not_repeated(bench: Bench) -> None:
    plan = leave_intent(bench)
    _land(bench, plan)
    change = bench.pipeline().recover(plan.id)
    assert change.state is State.VERIFIED
    assert bench.cluster.marks == [plan.id]
    assert bench.kinds(plan.id) == ["planned", "intended", "applied", "verified"]


def _land(bench: Bench, plan: Plan) -> None:
    bench.cluster.write_spec(
        REF,
        uid=plan.target.uid,
        resource_version=str(bench.cluster.get_workload(REF).resource_version),
        spec=plan.payload,
        annotations={
            "maestro.io/change": plan.id,
            "kubernetes.io/change-cause": f"maestro rollback to revision 1 ({plan.id})",
        },
    )


def test_a_write_that_was_overtaken_before_recovery_is_found_in_the_history(bench: Bench) -> None:
    plan = leave_intent(bench)
    _land(bench, plan)
    bench.cluster.ship(template(3), "release 3")
    bench.cluster.set(annotations={"kubernetes.io/change-cause": "release 3"})
    with pytest.raises(Exception, match="overtaken"):
        bench.pipeline().recover(plan.id)
    change = get_change(bench.journal, plan.id)
    assert (change.state, change.applied_at is None) == (State.FAILED, False)
    assert bench.cluster.get_workload(REF).template == template(3)


def test_a_mark_that_lingers_does_not_vouch_for_somebody_elses_template(bench: Bench) -> None:
    plan = leave_intent(bench)
    _land(bench, plan)
    bench.cluster.ship(template(3))
    with pytest.raises(Exception, match="overtaken"):
        bench.pipeline().recover(plan.id)


def test_a_changed_target_without_a_mark_stays_unknown_and_blocks(bench: Bench) -> None:
    plan = leave_intent(bench, key="k")
    bench.cluster.ship(template(3), "release 3")
    pipeline = bench.pipeline()
    with pytest.raises(Busy, match="unknown"):
        pipeline.recover("k")
    with pytest.raises(Busy, match=plan.id):
        pipeline.execute(pipeline.plan("rollback", REF), YES)
    assert bench.cluster.marks == []
    settled = pipeline.settle(plan.id, applied=False, why="the audit log has no such patch")
    assert settled.nothing_done
    assert pipeline.execute(pipeline.plan("rollback", REF), YES).state is State.VERIFIED


def test_a_known_outcome_cannot_be_settled(bench: Bench) -> None:
    pipeline = bench.pipeline()
    change = pipeline.execute(pipeline.plan("rollback", REF), YES)
    with pytest.raises(GateNotMet, match="is known"):
        pipeline.settle(change.id, applied=False, why="")


def test_a_target_made_again_ends_the_change_with_nothing_done(bench: Bench) -> None:
    plan = leave_intent(bench)
    bench.cluster.set(uid="uid-2")
    with pytest.raises(NotFound, match="is gone"):
        bench.pipeline().recover(plan.id)


def test_an_abandoned_intent_is_settled_before_another_change(bench: Bench) -> None:
    left = leave_intent(bench)
    pipeline = bench.pipeline(actor="grace")
    change = pipeline.execute(pipeline.plan("rollback", REF), YES)
    assert change.state is State.VERIFIED
    assert get_change(bench.journal, left.id).nothing_done
    assert bench.cluster.marks == [change.id]


def test_recovery_in_read_only_mode_writes_nothing(bench: Bench) -> None:
    plan = leave_intent(bench)
    with pytest.raises(PolicyRefused):
        bench.pipeline(read_only=True).recover(plan.id)
    assert bench.cluster.marks == []


def test_a_key_is_carried_out_once(bench: Bench) -> None:
    pipeline = bench.pipeline()
    first = pipeline.perform("rollback", REF, {}, YES, key="run-1/step-1")
    again = bench.pipeline().perform("rollback", REF, {}, YES, key="run-1/step-1")
    assert again == first
    plan = pipeline.plan("rollback", REF, {"to_revision": 2})
    assert pipeline.execute(plan, YES, key="run-1/step-1") == first
    assert bench.cluster.marks == [first.id]


def test_only_a_finished_change_that_changed_something_is_undone_and_once(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    pipeline.execute(plan, YES, dry_run=True)
    with pytest.raises(GateNotMet, match="has changed nothing"):
        pipeline.plan_undo(plan.id)
    left = leave_intent(bench)
    _land(bench, left)
    Ledger(bench.journal, "ada").applied(
        get_change(bench.journal, left.id), None, evidence="", part=left.payload_digest, observed=None
    )
    with pytest.raises(GateNotMet, match="is not finished") as raised:
        pipeline.plan_undo(left.id)
    assert raised.value.fix.endswith(f"maestro change resume {left.id}")
    pipeline.recover(left.id)
    undone = pipeline.execute(pipeline.plan_undo(left.id), YES)
    assert bench.cluster.get_workload(REF).template == template(2)
    with pytest.raises(GateNotMet, match="already"):
        pipeline.plan_undo(left.id)
    again = pipeline.execute(pipeline.plan_undo(undone.id), YES)
    assert (again.state, bench.cluster.get_workload(REF).template) == (State.VERIFIED, template(1))


def test_a_plan_is_carried_out_once(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    assert pipeline.execute(plan, YES) == pipeline.execute(plan, YES)
    assert bench.cluster.marks == [plan.id]


def test_a_bad_end_is_given_again_for_the_same_key(bench: Bench) -> None:
    bench.cluster.set(broken=["fraud=1"])
    pipeline = bench.pipeline()
    for _ in range(2):
        with pytest.raises(RolledBack, match="was undone by"):
            pipeline.perform("rollback", REF, {}, YES, key="k")
    assert len(bench.cluster.marks) == 2  # the change and its undo


def test_a_key_belongs_to_one_piece_of_work(bench: Bench) -> None:
    pipeline = bench.pipeline()
    pipeline.perform("rollback", REF, {}, YES, key="k")
    other = type(REF)(REF.kind, REF.namespace, "churn")
    with pytest.raises(GateNotMet, match="belongs to another change"):
        pipeline.perform("rollback", other, {}, YES, key="k")


def test_a_plan_leaves_its_key_free(bench: Bench) -> None:
    pipeline = bench.pipeline()
    pipeline.execute(pipeline.plan("rollback", REF), YES, key="k", dry_run=True)
    assert find_by_key(bench.journal, "k") is None


def test_an_unknown_name_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.pipeline().recover("chg-nothing")


def test_a_taken_target_names_the_change_that_has_it(bench: Bench) -> None:
    pipeline = bench.pipeline(actor="grace")
    first, second = pipeline.plan("rollback", REF), pipeline.plan("rollback", REF)
    Ledger(bench.journal, "ada").planned(first, key=None, cause="")
    lease = take_target(bench.journal, REF, first.id, 60)
    with pytest.raises(Busy, match=rf"by change {first.id} \(rollback by ada, planned since "):
        pipeline.execute(second, YES)
    assert bench.kinds(second.id) == ["planned", "refused"]
    lease.release()
    assert pipeline.execute(second, YES).state is State.VERIFIED


def test_the_lease_of_a_dead_process_is_taken_over(bench: Bench) -> None:
    dead = Holder("chg-dead", socket.gethostname(), os.getpid(), "1", "00000000")
    bench.journal.acquire_lease(lease_name(REF), str(dead), 3600)
    pipeline = bench.pipeline()
    assert pipeline.execute(pipeline.plan("rollback", REF), YES).state is State.VERIFIED


def test_a_process_of_another_machine_is_never_called_dead(bench: Bench) -> None:
    far = Holder("chg-far", "elsewhere", 1, "1", "00000000")
    bench.journal.acquire_lease(lease_name(REF), str(far), 60)
    pipeline = bench.pipeline()
    with pytest.raises(Busy, match="chg-far"):
        pipeline.execute(pipeline.plan("rollback", REF), YES)
    bench.clock.pass_time(seconds=61)
    assert pipeline.execute(pipeline.plan("rollback", REF), YES).state is State.VERIFIED


def test_a_lost_lease_records_nothing_more(bench: Bench) -> None:
    bench.cluster.set(frozen=True)
    pipeline = bench.pipeline(verify_timeout_seconds=1e9)
    plan = pipeline.plan("rollback", REF)

    class Thief:
        def phase(self, name: str, text: str) -> None: ...

        def update(self, text: str) -> None:
            bench.clock.pass_time(minutes=5)
            bench.cluster.set(frozen=False)

        def note(self, text: str) -> None: ...

    with pytest.raises(Busy, match="lease"):
        pipeline.execute(plan, YES, progress=Thief())
    assert bench.kinds(plan.id)[-1] == "applied"
    assert pipeline.recover(plan.id).state is State.VERIFIED


def test_holders_read_back() -> None:
    holder = this_process("chg-1")
    assert parse_holder(str(holder)) == holder
    assert not holder.is_dead
    assert parse_holder("somebody else") is None
    assert Holder("x", socket.gethostname(), 2**22 + 1, "-", "n").is_dead


def test_no_intent_beside_one_whose_outcome_is_unknown(bench: Bench) -> None:
    left = leave_intent(bench)
    plan = bench.pipeline().plan("rollback", REF)
    ledger = Ledger(bench.journal, "grace")
    change = ledger.planned(plan, key=None, cause="")
    lease = take_target(bench.journal, REF, plan.id, 60)
    with pytest.raises(Busy, match=left.id):
        ledger.intended(
            change, lease, resource_version="1", decision=GateDecision(Gate.ALLOWED), accepts=(), attempt=1
        )
    assert bench.kinds(plan.id) == ["planned"]


def test_no_record_over_one_that_was_not_seen(bench: Bench) -> None:
    """Two processes with one plan: the later one must not write an intent over the other's result."""
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    ledger = Ledger(bench.journal, "grace")
    seen = ledger.planned(plan, key=None, cause="")
    pipeline.execute(plan, YES)
    lease = take_target(bench.journal, REF, plan.id, 60)
    with pytest.raises(Busy, match="moved on"):
        ledger.intended(
            seen, lease, resource_version="1", decision=GateDecision(Gate.ALLOWED), accepts=(), attempt=1
        )
    assert get_change(bench.journal, plan.id).state is State.VERIFIED

"""Plan, gate, apply, verify, undo: what is written where, and how each way ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maestro_cli.changes.history import get_change, list_changes
from maestro_cli.changes.model import Consent, State
from maestro_cli.changes.policy import UndoPolicy
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import (
    ActionFailed,
    GateNotMet,
    Interrupted,
    NotFound,
    PolicyRefused,
    Refused,
    RolledBack,
    StalePlan,
    UndoFailed,
)
from maestro_cli.journal.verification import verify
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import REF, template


def test_a_rollback_is_applied_marked_and_verified(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    change = pipeline.execute(plan, YES, cause="burn alert")
    assert change.state is State.VERIFIED
    now = bench.cluster.get_workload(REF)
    assert now.template == template(1)
    assert now.annotations["maestro.io/change"] == change.id == plan.id
    assert now.annotations["kubernetes.io/change-cause"] == f"maestro rollback to revision 1 ({change.id})"
    assert bench.kinds() == ["planned", "intended", "applied", "verified"]
    assert verify(bench.journal.path, bench.journal._projections).intact


def test_the_intent_says_what_is_about_to_happen(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    pipeline.execute(plan, YES, key="run-1/step-2", cause="burn alert")
    intent = next(event for event in bench.journal.events() if event.kind == "change.intended")
    assert intent.data["digest"] == plan.digest
    assert (intent.data["uid"], intent.data["resource_version"]) == ("uid-1", plan.target.resource_version)
    assert intent.data["undo"]["parameters"]["to_revision"] == 2
    assert intent.data["key"] == "run-1/step-2"


def test_no_template_is_written_to_the_journal(bench: Bench) -> None:
    bench.cluster.ship(template(3, DB_PASSWORD="hunter2-hunter2"))
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    pipeline.execute(plan, YES)
    assert "hunter2" not in bench.journal.path.read_bytes().decode("latin-1")
    assert [(line.path, line.before) for line in plan.diff.lines if "PASSWORD" in line.path] == [
        ("containers[server].env[DB_PASSWORD]", "«hidden»")
    ]


def test_what_the_journal_says_equals_the_plan(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    change = pipeline.execute(plan, YES)
    assert change.plan == plan
    assert [item.id for item in list_changes(bench.journal, target=REF)] == [change.id]


def test_a_dry_run_changes_nothing_and_takes_no_key(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    before = bench.cluster.get_workload(REF)
    rehearsal = pipeline.execute(plan, Consent(given=False), key="k", dry_run=True)
    assert (rehearsal.state, rehearsal.dry_run) == (State.PLANNED, True)
    assert rehearsal.decision is not None
    assert rehearsal.decision.allowed
    assert rehearsal.plan.blast.replicas_ended == 3
    assert bench.cluster.get_workload(REF) == before
    assert pipeline.execute(plan, YES, key="k").state is State.VERIFIED


def test_a_dry_run_in_read_only_mode_says_so_and_sends_nothing(bench: Bench) -> None:
    pipeline = bench.pipeline(read_only=True)
    rehearsal = pipeline.execute(pipeline.plan("rollback", REF), YES, dry_run=True)
    assert rehearsal.decision is not None
    assert [reason.code for reason in rehearsal.decision.reasons] == ["read-only"]


def test_read_only_is_refused_before_anything_is_done(bench: Bench) -> None:
    pipeline = bench.pipeline(read_only=True)
    with pytest.raises(PolicyRefused, match="read-only"):
        pipeline.execute(pipeline.plan("rollback", REF), YES)
    assert bench.cluster.marks == []
    assert bench.kinds() == ["planned", "refused"]


def test_a_missing_permission_is_named(bench: Bench) -> None:
    bench.cluster.set(denied=["patch deployments.apps"])
    pipeline = bench.pipeline()
    with pytest.raises(Refused, match=r"patch deployments\.apps"):
        pipeline.execute(pipeline.plan("rollback", REF), YES)
    assert bench.cluster.marks == []


def test_a_refused_plan_can_be_agreed_to_afterwards(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    with pytest.raises(GateNotMet, match="nobody agreed"):
        pipeline.execute(plan, Consent(given=False), key="k")
    assert pipeline.execute(plan, YES, key="k").state is State.VERIFIED


@pytest.mark.parametrize("tampering", ["payload_digest", "summary"])
def test_a_plan_that_was_tampered_with_is_refused(bench: Bench, tampering: str) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    with pytest.raises(GateNotMet, match="not what its digest says"):
        pipeline.execute(replace(plan, **{tampering: "other"}), YES)  # type: ignore[arg-type]


def test_consent_to_another_plan_is_refused(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    with pytest.raises(GateNotMet, match="another plan"):
        pipeline.execute(plan, replace(YES, digest="0" * 64))


def test_a_stale_plan_is_refused_not_re_aimed(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    bench.cluster.ship(template(3))
    with pytest.raises(StalePlan, match="changed since the plan"):
        pipeline.execute(plan, YES)
    assert bench.cluster.marks == []
    assert get_change(bench.journal, plan.id).nothing_done


@pytest.mark.parametrize("values", [{"uid": "uid-2"}, {"replicas": 4}, {"generation": 9}])
def test_any_decision_of_somebody_else_makes_a_plan_stale(bench: Bench, values: dict[str, object]) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    bench.cluster.set(**values)
    with pytest.raises(StalePlan):
        pipeline.execute(plan, YES)
    assert bench.cluster.marks == []


def test_status_reports_do_not_make_a_plan_stale(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    bench.cluster.report_status()
    bench.cluster.faults = ["status first", "status first"]
    assert pipeline.execute(plan, YES).state is State.VERIFIED
    assert bench.kinds() == ["planned", "intended", "intended", "intended", "applied", "verified"]
    assert bench.cluster.marks == [plan.id]


def test_a_target_that_is_not_there_is_not_found(bench: Bench) -> None:
    bench.cluster.set(exists=False)
    with pytest.raises(NotFound):
        bench.pipeline().plan("rollback", REF)


def test_a_rollout_that_does_not_come_up_is_undone(bench: Bench) -> None:
    bench.cluster.set(broken=["fraud=1"])
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    with pytest.raises(RolledBack, match=r"was undone by chg-") as raised:
        pipeline.execute(plan, YES)
    assert raised.value.exit_code == 16
    change = get_change(bench.journal, plan.id)
    assert change.state is State.ROLLED_BACK
    assert change.undone_by is not None
    undo = get_change(bench.journal, change.undone_by)
    assert (undo.state, undo.undo_of) == (State.VERIFIED, plan.id)
    assert bench.cluster.get_workload(REF).template == template(2)
    assert bench.cluster.marks == [plan.id, undo.id]
    assert bench.kinds(plan.id) == ["planned", "intended", "applied", "verify_failed", "undone"]


def test_a_rollout_that_gave_up_is_not_waited_for(bench: Bench) -> None:
    bench.cluster.set(broken=["fraud=1"], given_up=True)
    pipeline = bench.pipeline(verify_timeout_seconds=1e9)
    with pytest.raises(RolledBack, match="did not hold"):
        pipeline.execute(pipeline.plan("rollback", REF), YES)


def test_without_an_undo_it_is_left_and_said(bench: Bench) -> None:
    bench.cluster.set(broken=["fraud=1"])
    pipeline = bench.pipeline(undo=UndoPolicy.NEVER)
    with pytest.raises(ActionFailed, match="did not hold") as raised:
        pipeline.execute(pipeline.plan("rollback", REF), YES)
    assert "left as it is" in raised.value.fix
    assert bench.kinds() == ["planned", "intended", "applied", "verify_failed", "failed"]


def test_a_workload_that_was_down_is_not_put_back_to_what_was_down(bench: Bench) -> None:
    bench.cluster.set(broken=["fraud=1", "fraud=2"])
    pipeline = bench.pipeline()
    with pytest.raises(ActionFailed, match="did not hold"):
        pipeline.execute(pipeline.plan("rollback", REF), YES)
    assert bench.cluster.get_workload(REF).template == template(1)


def test_an_undo_that_fails_says_so(bench: Bench) -> None:
    bench.cluster.set(broken=["fraud=1", "fraud=2"])
    pipeline = bench.pipeline(undo=UndoPolicy.ALWAYS)
    plan = pipeline.plan("rollback", REF)
    with pytest.raises(UndoFailed, match="its undo failed") as raised:
        pipeline.execute(plan, YES)
    assert raised.value.exit_code == 13
    assert get_change(bench.journal, plan.id).state is State.UNDO_FAILED


def test_somebody_elses_release_is_neither_verified_nor_undone(bench: Bench) -> None:
    bench.cluster.set(frozen=True)
    pipeline = bench.pipeline()

    class Meddler:
        def phase(self, name: str, text: str) -> None: ...

        def update(self, text: str) -> None:
            if bench.cluster.get_workload(REF).template == template(1):
                bench.cluster.ship(template(9))

        def note(self, text: str) -> None: ...

    with pytest.raises(ActionFailed, match="overtaken"):
        pipeline.execute(pipeline.plan("rollback", REF), YES, progress=Meddler())
    assert bench.cluster.get_workload(REF).template == template(9)


def test_an_undo_does_not_overwrite_somebody_elses_release(bench: Bench) -> None:
    bench.cluster.set(broken=["fraud=1"])
    pipeline = bench.pipeline()

    class Meddler:
        def phase(self, name: str, text: str) -> None:
            if name == "undo":
                bench.cluster.ship(template(9))

        def update(self, text: str) -> None: ...

        def note(self, text: str) -> None: ...

    with pytest.raises(UndoFailed) as raised:
        pipeline.execute(pipeline.plan("rollback", REF), YES, progress=Meddler())
    assert "somebody changed" in raised.value.why
    assert bench.cluster.get_workload(REF).template == template(9)


def test_a_repetition_names_the_rollback_and_not_its_undo(bench: Bench) -> None:
    bench.cluster.ship(template(3))
    bench.cluster.set(broken=["fraud=2"])
    pipeline = bench.pipeline()
    first = pipeline.plan("rollback", REF)
    with pytest.raises(RolledBack):
        pipeline.execute(first, YES)
    with pytest.raises(GateNotMet, match=first.id):
        pipeline.execute(pipeline.plan("rollback", REF), YES)


def test_an_unreachable_cluster_while_verifying_is_waited_for(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)

    class Cut:
        def phase(self, name: str, text: str) -> None:
            if name == "verify":
                bench.cluster.set(down=3)

        def update(self, text: str) -> None: ...

        def note(self, text: str) -> None: ...

    assert pipeline.execute(plan, YES, progress=Cut()).state is State.VERIFIED


def test_cancelled_while_verifying_it_is_recorded_and_can_be_resumed(bench: Bench) -> None:
    bench.cluster.set(frozen=True)
    pipeline = bench.pipeline(verify_timeout_seconds=1e9)
    plan = pipeline.plan("rollback", REF)
    cancellation = Cancellation()

    class Impatient:
        def phase(self, name: str, text: str) -> None: ...

        def update(self, text: str) -> None:
            cancellation.cancel(terminated=True)

        def note(self, text: str) -> None: ...

    with pytest.raises(Interrupted) as raised:
        pipeline.execute(plan, YES, key="k", progress=Impatient(), cancellation=cancellation)
    assert raised.value.exit_code == 143
    left = get_change(bench.journal, plan.id)
    assert (left.state, left.interrupted) == (State.APPLIED, True)
    bench.cluster.set(frozen=False)
    resumed = pipeline.recover("k")
    assert (resumed.state, resumed.interrupted) == (State.VERIFIED, False)
    assert bench.cluster.marks == [plan.id]


def test_cancelled_before_it_began_nothing_is_done(bench: Bench) -> None:
    pipeline = bench.pipeline()
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Interrupted):
        pipeline.execute(pipeline.plan("rollback", REF), YES, cancellation=cancellation)
    assert bench.kinds() == []


def test_no_journal_no_change(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF)
    bench.journal._db.execute("PRAGMA query_only = 1")
    with pytest.raises(ActionFailed, match="cannot be written"):
        pipeline.execute(plan, YES)
    assert bench.cluster.marks == []

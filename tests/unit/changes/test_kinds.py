"""What holds for every kind of change: plan, dry run, gate, apply, verify, undo, missing answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from maestro_cli.changes.history import get_change
from maestro_cli.changes.kinds import KINDS, kind_named
from maestro_cli.changes.kinds.writing import WritingKind
from maestro_cli.changes.model import Consent, Plan, State, plan_digest
from maestro_cli.changes.policy_file import load_policy
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.errors import (
    ActionFailed,
    GateNotMet,
    NotFound,
    PolicyRefused,
    Refused,
    RolledBack,
    StalePlan,
    Unreachable,
    UsageError,
    WaitingForApproval,
)
from maestro_cli.journal.store import Journal
from tests.unit.changes.bench import YES, Bench, TickingClock
from tests.unit.changes.every_kind import EXAMPLES, Example, example_of, releases
from tests.unit.changes.fake_cluster import REF, FakeCluster, template
from tests.unit.changes.fake_configs import CONFIG, SETTINGS
from tests.unit.changes.test_recovery import leave_intent

every_kind = pytest.mark.parametrize("example", EXAMPLES, ids=str)
every_kind_on_a_workload = pytest.mark.parametrize(
    "example", [example for example in EXAMPLES if example.is_of_a_workload], ids=str
)
every_kind_that_marks = pytest.mark.parametrize(
    "example", [example for example in EXAMPLES if example.leaves_a_mark], ids=str
)
EMPTY = [
    one for one in EXAMPLES if one.ref in (CONFIG, SETTINGS) or one.calls[1:] or one.kind == "set-weight"
]
ROLLING = [example for example in EXAMPLES if example.rolls_out]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = TickingClock()
    journal = Journal(tmp_path / "journal.db", projections=[ChangesProjection()], clock=clock)
    cluster = FakeCluster()
    releases(cluster)
    yield Bench(journal, cluster, clock)
    journal.close()


def planned(bench: Bench, example: Example) -> Plan:
    example.prepare(bench.cluster)
    return bench.pipeline().plan(example.kind, example.ref, example.parameters)


def test_there_is_an_example_of_every_kind() -> None:
    """Helm releases and entrances are no objects of the fake cluster, and have tests of their own:
    test_helm_rollback.py, test_switch_region.py.
    """
    apart = ("helm-rollback", "switch-region")
    assert [example.kind for example in EXAMPLES] == [kind for kind in KINDS if kind not in apart]


@every_kind
def test_a_plan_says_what_would_change_and_changes_nothing(bench: Bench, example: Example) -> None:
    example.prepare(bench.cluster)
    before = example.look(bench.cluster)
    plan = bench.pipeline().plan(example.kind, example.ref, example.parameters)
    assert example.look(bench.cluster) == before
    assert bench.kinds() == []
    assert (plan.kind, plan.target.uid) == (example.kind, before.uid)
    assert not plan.diff.is_empty
    assert str(example.ref) in plan.summary
    assert str(example.ref) in plan.verify.text
    assert plan.leaves == example.part(bench.cluster) != plan.payload_digest
    assert plan.digest == plan_digest(plan)


@every_kind
def test_a_dry_run_asks_the_server_and_changes_nothing(bench: Bench, example: Example) -> None:
    plan = planned(bench, example)
    before = example.look(bench.cluster)
    bench.cluster.rehearsed.clear()
    rehearsal = bench.pipeline().execute(plan, Consent(given=False), dry_run=True)
    assert rehearsal.decision is not None
    assert rehearsal.decision.allowed
    assert bench.cluster.rehearsed == (example.write(plan.id) if example.rehearses else [])
    assert example.look(bench.cluster) == before


@every_kind_that_marks
def test_it_is_applied_once_marked_and_verified(bench: Bench, example: Example) -> None:
    example.annotate(bench.cluster, **{"keep/me": "yes"})
    plan = planned(bench, example)
    change = bench.pipeline().execute(plan, YES)
    assert change.state is State.VERIFIED
    assert bench.cluster.marks == example.marks(plan.id)
    assert example.mark(bench.cluster) == plan.id
    if example.rehearses:
        assert example.look(bench.cluster).annotations["keep/me"] == "yes"
    assert example.part(bench.cluster) == plan.payload_digest == change.left
    assert bench.kinds() == ["planned", "intended", "applied", *example.steps, "verified"]
    assert change.plan == plan


@every_kind_on_a_workload
def test_the_causes_in_the_clusters_history_are_those_of_its_releases(bench: Bench, example: Example) -> None:
    """A change that rolls nothing out leaves the cause of the release that runs."""
    plan = planned(bench, example)
    bench.pipeline().execute(plan, YES)
    cause = example.look(bench.cluster).annotations["kubernetes.io/change-cause"]
    assert (f"({plan.id})" in cause) is example.rolls_out
    assert (cause == "release 2") is not example.rolls_out


@every_kind
def test_its_undo_is_a_change_that_puts_back_what_was_there(bench: Bench, example: Example) -> None:
    plan = planned(bench, example)
    before = example.look(bench.cluster)
    pipeline = bench.pipeline()
    pipeline.execute(plan, YES)
    if plan.undo is None:
        assert example.is_final
        with pytest.raises(GateNotMet, match="cannot be undone"):
            pipeline.plan_undo(plan.id)
        return
    undone = pipeline.execute(pipeline.plan_undo(plan.id), YES)
    assert undone.state is State.VERIFIED
    after = example.look(bench.cluster)
    kind = KINDS[example.kind]
    assert isinstance(kind, WritingKind)
    assert kind.spec_of(after) == kind.spec_of(before)


@every_kind_that_marks
def test_nothing_that_came_after_a_change_is_undone(bench: Bench, example: Example) -> None:
    plan = planned(bench, example)
    pipeline = bench.pipeline()
    pipeline.execute(plan, YES)
    example.overtake(bench.cluster)
    flags = ("pause", "resume", "cordon", "uncordon", "drain", "unfreeze", "silence")
    one_flag = dict.fromkeys(flags, "nothing to change")
    said = {"restart": "cannot be undone", **one_flag}
    with pytest.raises(GateNotMet, match=said.get(example.kind, "somebody changed")):
        pipeline.plan_undo(plan.id)


@every_kind
def test_what_cannot_be_undone_waits_for_a_second_person_in_a_protected_context(
    bench: Bench, example: Example
) -> None:
    plan = planned(bench, example)
    pipeline = bench.pipeline(protected=True)
    typed = replace(YES, typed_context="staging")
    if plan.undo is None:
        with pytest.raises(WaitingForApproval) as raised:
            pipeline.execute(plan, typed)
        assert raised.value.exit_code == 17
        assert bench.cluster.marks == []
    else:
        assert pipeline.execute(plan, typed).state is State.VERIFIED


@every_kind
def test_it_takes_a_change_of_somebody_else_for_what_it_is(bench: Bench, example: Example) -> None:
    plan = planned(bench, example)
    example.overtake(bench.cluster)
    with pytest.raises(StalePlan) as raised:
        bench.pipeline().execute(plan, YES)
    assert raised.value.exit_code == 11
    assert bench.cluster.marks == []
    assert get_change(bench.journal, plan.id).nothing_done


@every_kind
def test_read_only_a_missing_permission_and_a_missing_target_have_their_codes(
    bench: Bench, example: Example
) -> None:
    plan = planned(bench, example)
    with pytest.raises(PolicyRefused) as read_only:
        bench.pipeline(read_only=True).execute(plan, YES)
    bench.cluster.set(denied=[example.permission])
    with pytest.raises(Refused, match=re.escape(example.permission)) as denied:
        bench.pipeline().execute(plan, YES)
    example.remove(bench.cluster)
    with pytest.raises(NotFound) as missing:
        bench.pipeline().plan(example.kind, example.ref, example.parameters)
    assert [error.value.exit_code for error in (read_only, denied, missing)] == [20, 5, 6]
    assert bench.cluster.marks == []


@every_kind
def test_consent_is_to_one_digest(bench: Bench, example: Example) -> None:
    plan = planned(bench, example)
    with pytest.raises(GateNotMet, match="not what its digest says"):
        bench.pipeline().execute(replace(plan, payload_digest="other"), YES)
    assert bench.cluster.marks == []


@pytest.mark.parametrize("kind", ["rollback", "restart"])
def test_nothing_to_act_on_is_zero_targets(bench: Bench, kind: str) -> None:
    bench.cluster.set(replicas=0)
    with bench.cluster.state() as state:
        del state["revisions"][0]
    with pytest.raises(ActionFailed) as raised:
        bench.pipeline().plan(kind, REF)
    assert raised.value.exit_code == 12


@pytest.mark.parametrize("example", EMPTY, ids=str)
def test_nobody_to_act_on_is_zero_targets(bench: Bench, example: Example) -> None:
    """No replica is ready, or wanted by a routing; or no workload reads the config map."""
    if example.ref != SETTINGS:
        example.prepare(bench.cluster)
        bench.cluster.set(ready=0, **({"replicas": 0} if example.ref == CONFIG else {}))
    with pytest.raises(ActionFailed) as raised:
        bench.pipeline().plan(example.kind, example.ref, example.parameters)
    assert (raised.value.exit_code, bench.cluster.marks) == (12, [])


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_it_waits_for_a_second_person_where_a_rule_says_so(
    bench: Bench, tmp_path: Path, example: Example
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "schema: maestro.policy/1\nrules:\n"
        f"  - {{name: two, kinds: [{example.kind}], two_person: true}}\n"
        f"  - {{name: nobody, kinds: [{example.kind}], who: []}}\n"
    )
    example.prepare(bench.cluster)
    rules = load_policy(policy)
    plan = bench.pipeline().plan(example.kind, example.ref, example.parameters)
    with pytest.raises(PolicyRefused):
        bench.pipeline(rules=rules).execute(plan, YES)
    policy.write_text(
        f"schema: maestro.policy/1\nrules: [{{name: two, kinds: [{example.kind}], two_person: true}}]\n"
    )
    again = bench.pipeline().plan(example.kind, example.ref, example.parameters)
    with pytest.raises(WaitingForApproval) as raised:
        bench.pipeline(rules=load_policy(policy)).execute(again, YES)
    assert (raised.value.exit_code, bench.cluster.marks) == (17, [])


@every_kind_that_marks
def test_what_is_so_already_is_no_change(bench: Bench, example: Example) -> None:
    """A restart is always one; a second rollback within the hour has to name its goal."""
    plan = planned(bench, example)
    pipeline = bench.pipeline()
    pipeline.execute(plan, YES)
    if example.kind == "restart":
        again = pipeline.plan(example.kind, example.ref, example.parameters)
        assert pipeline.execute(again, YES).state is State.VERIFIED
        return
    goal = {"to_revision": 3} if example.kind == "rollback" else example.parameters
    with pytest.raises(GateNotMet) as raised:
        pipeline.plan(example.kind, example.ref, goal)
    assert "already" in f"{raised.value.what}{raised.value.why}"


@every_kind_on_a_workload
def test_only_what_rolls_out_is_refused_on_a_paused_workload(bench: Bench, example: Example) -> None:
    example.prepare(bench.cluster)
    bench.cluster.set(paused=example.kind != "pause")
    plan = bench.pipeline().plan(example.kind, example.ref, example.parameters)
    decision = bench.pipeline().decide(plan, YES)
    assert [reason.code for reason in decision.reasons] == (["paused"] if example.rolls_out else [])
    if example.rolls_out:
        assert decision.reasons[0].fix == "maestro rollout resume ml/deploy/fraud"


@every_kind
def test_a_parameter_that_it_does_not_have_is_refused(bench: Bench, example: Example) -> None:
    with pytest.raises(UsageError, match="has no parameter 'force'"):
        planned(bench, replace(example, parameters={**example.parameters, "force": True}))


@pytest.mark.parametrize("fault", ["lost answer", "garbled answer", "lost request", "late", "later"])
@every_kind
def test_a_missing_answer_is_probed_and_the_write_lands_once(
    bench: Bench, example: Example, fault: str
) -> None:
    plan = planned(bench, example)
    bench.cluster.faults = [fault]
    change = bench.pipeline().execute(plan, YES)
    assert change.state is State.VERIFIED
    assert bench.cluster.marks == example.marks(plan.id)
    if example.leaves_a_mark:
        assert example.look(bench.cluster).generation in (0, plan.target.generation + 1)


@every_kind_that_marks
def test_an_intent_without_a_call_is_sent_from_what_the_journal_and_the_cluster_say(
    bench: Bench, example: Example
) -> None:
    example.prepare(bench.cluster)
    plan = leave_intent(bench, example.kind, example.parameters, ref=example.ref)
    change = bench.pipeline().recover(plan.id)
    assert change.state is State.VERIFIED
    assert bench.cluster.marks == example.marks(plan.id)
    assert example.part(bench.cluster) == plan.payload_digest


@pytest.mark.parametrize("kind", ["restart", "set-image", "set-env"])
def test_what_is_made_again_is_what_was_agreed_to_or_nothing(bench: Bench, kind: str) -> None:
    """The template changed between the plan and the recovery: its other parts were never shown to anybody."""
    example = example_of(kind)
    plan = bench.pipeline().plan(kind, REF, example.parameters)
    assert KINDS[kind].reload(bench.world, plan).payload == plan.payload
    bench.cluster.ship(template(3))
    with pytest.raises(NotFound, match="cannot be made again"):
        KINDS[kind].reload(bench.world, plan)


@every_kind_that_marks
def test_a_write_without_a_record_is_found_by_its_mark(bench: Bench, example: Example) -> None:
    example.prepare(bench.cluster)
    plan = leave_intent(bench, example.kind, example.parameters, ref=example.ref)
    kind_named(plan.kind).apply(
        bench.world, plan, resource_version=example.look(bench.cluster).resource_version
    )
    change = bench.pipeline().recover(plan.id)
    assert (change.state, change.left) == (State.VERIFIED, plan.payload_digest)
    assert bench.cluster.marks == example.marks(plan.id)
    assert [event.data["evidence"] for event in bench.journal.events(kinds=["change.applied"])] == [
        f"probed: {example.ref} carries the mark of {plan.id}"
    ]


@every_kind
def test_a_cluster_that_answers_no_write_leaves_it_undone(bench: Bench, example: Example) -> None:
    plan = planned(bench, example)
    bench.cluster.faults = ["lost request"] * 9
    with pytest.raises(Unreachable, match="answers no write"):
        bench.pipeline().execute(plan, YES)
    assert get_change(bench.journal, plan.id).nothing_done


@pytest.mark.parametrize("example", [*ROLLING, example_of("scale")], ids=str)
def test_what_does_not_hold_is_taken_back_or_left_where_it_cannot_be(bench: Bench, example: Example) -> None:
    plan = planned(bench, example)
    before = bench.cluster.get_workload(REF)

    class UndoHolds:
        """While the change is verified nothing comes up; what its undo brings back does."""

        seen = 0

        def phase(self, name: str, text: str) -> None:
            self.seen += name == "verify"
            bench.cluster.set(frozen=self.seen == 1, ready=1 if self.seen == 1 else None)

        def update(self, text: str) -> None: ...

        def note(self, text: str) -> None: ...

    error = RolledBack if plan.undo else ActionFailed
    with pytest.raises(error) as raised:
        bench.pipeline().execute(plan, YES, progress=UndoHolds())
    after = bench.cluster.get_workload(REF)
    if plan.undo is None:
        assert "left as it is" in raised.value.fix
        return
    assert (after.template, after.replicas_wanted) == (before.template, before.replicas_wanted)
    undo = get_change(bench.journal, get_change(bench.journal, plan.id).undone_by or "")
    assert (undo.kind, undo.state, undo.undo_of) == (plan.undo.kind, State.VERIFIED, plan.id)

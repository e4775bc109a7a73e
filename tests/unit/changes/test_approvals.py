"""A second person's word: for one plan, by somebody else, for a while; and nothing is done without it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from maestro_cli.changes.approvals import Approvals
from maestro_cli.changes.history import get_change, list_changes
from maestro_cli.changes.model import Consent, State
from maestro_cli.changes.policy_file import load_policy
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import (
    GateNotMet,
    MaestroError,
    PolicyRefused,
    StalePlan,
    TimedOut,
    WaitingForApproval,
)
from maestro_cli.journal.verification import verify
from tests.unit.changes.bench import POLICY, Bench
from tests.unit.changes.every_kind import EXAMPLES, Example, releases
from tests.unit.changes.fake_cluster import REF, template

TYPED = Consent(given=True, typed_context="staging")


def desk(bench: Bench, actor: str = "grace", **policy: Any) -> Approvals:
    return Approvals(
        bench.journal, bench.world, policy=replace(POLICY, protected=True, **policy), clock=bench.clock,
        actor=actor,
    )  # fmt: skip


def left_waiting(bench: Bench, *, key: str | None = None) -> str:
    """The id of a restart, which cannot be undone, in a protected context."""
    pipeline = bench.pipeline(protected=True)
    plan = pipeline.plan("restart", REF)
    with pytest.raises(WaitingForApproval) as raised:
        pipeline.execute(plan, TYPED, key=key, cause="leak")
    assert f"maestro approve {plan.id}" in raised.value.fix
    return plan.id


def approve(bench: Bench, change_id: str, actor: str = "grace") -> None:
    approvals = desk(bench, actor)
    approvals.approve(approvals.check(change_id))


def resume(bench: Bench, name: str, **policy: Any) -> State:
    return bench.pipeline(protected=True, **policy).recover(name).state


def test_a_change_that_waits_holds_nothing_and_has_done_nothing(bench: Bench) -> None:
    change_id = left_waiting(bench)
    change = get_change(bench.journal, change_id)
    assert (change.state, change.finished, bench.cluster.marks) == (State.WAITING, False, [])
    assert bench.journal.lease(f"target/{REF}") is None
    assert [item.id for item in desk(bench).list_waiting()] == [change_id]
    assert bench.kinds() == ["planned", "waiting"]


def test_unapproved_it_waits_on(bench: Bench) -> None:
    change_id = left_waiting(bench)
    with pytest.raises(WaitingForApproval):
        resume(bench, change_id)
    assert bench.kinds() == ["planned", "waiting"]


def test_approved_by_another_it_is_carried_out_once(bench: Bench) -> None:
    change_id = left_waiting(bench)
    approve(bench, change_id)
    assert resume(bench, change_id) is State.VERIFIED
    assert resume(bench, change_id) is State.VERIFIED
    assert bench.cluster.marks == [change_id]
    assert bench.kinds() == ["planned", "waiting", "approved", "intended", "applied", "verified"]
    intent = next(event for event in bench.journal.events() if event.kind == "change.intended")
    assert intent.data["decision"]["warnings"][-1].startswith("approved by grace, until ")
    assert verify(bench.journal.path, [ChangesProjection()]).intact


def test_the_requester_cannot_approve(bench: Bench) -> None:
    change_id = left_waiting(bench)
    with pytest.raises(PolicyRefused, match="somebody else") as raised:
        approve(bench, change_id, "ada")
    assert raised.value.exit_code == 20
    assert get_change(bench.journal, change_id).approval is None


@pytest.mark.parametrize(
    ("requester", "approver", "refused"),
    [
        ("admin", "admin", True),  # two names on one machine, one credential
        ("ada@corp", "grace@corp", False),
        ("", "", False),  # a cluster that does not tell: the name is all there is
        ("system:anonymous", "system:anonymous", False),
        ("admin", "", True),  # a context without a cluster, or without credentials
        ("", "grace@corp", False),
    ],
)
def test_the_clusters_word_on_who_it_is_counts(
    bench: Bench, requester: str, approver: str, refused: bool
) -> None:
    bench.cluster.user = requester
    change_id = left_waiting(bench)
    bench.cluster.user = approver
    if refused:
        with pytest.raises(PolicyRefused, match="somebody else"):
            approve(bench, change_id)
        return
    approve(bench, change_id)
    assert resume(bench, change_id) is State.VERIFIED


def test_an_approval_expires_and_can_be_given_again(bench: Bench) -> None:
    change_id = left_waiting(bench)
    approve(bench, change_id)
    bench.clock.pass_time(minutes=15)
    with pytest.raises(WaitingForApproval) as raised:
        resume(bench, change_id)
    assert "the approval of grace expired" in raised.value.why
    approve(bench, change_id, "hedy")
    assert resume(bench, change_id) is State.VERIFIED


def test_after_the_target_changed_an_approval_is_void(bench: Bench) -> None:
    change_id = left_waiting(bench)
    approve(bench, change_id)
    bench.cluster.ship(template(3))
    with pytest.raises(StalePlan, match="changed since the plan was made") as raised:
        resume(bench, change_id)
    assert "generation went from 2 to 3" in raised.value.why
    assert get_change(bench.journal, change_id).nothing_done
    assert bench.cluster.marks == []


def test_a_plan_that_no_longer_fits_cannot_be_approved_and_ends(bench: Bench) -> None:
    change_id = left_waiting(bench)
    other = bench.pipeline(actor="hedy")
    scaled = other.execute(other.plan("scale", REF, {"replicas": 4}), TYPED)
    with pytest.raises(StalePlan) as raised:
        approve(bench, change_id)
    assert f"; {scaled.id} (scale by hedy)" in raised.value.why
    assert get_change(bench.journal, change_id).state is State.FAILED
    assert desk(bench).list_waiting() == ()


def test_status_reports_of_a_controller_void_nothing(bench: Bench) -> None:
    change_id = left_waiting(bench)
    approve(bench, change_id)
    bench.cluster.report_status()
    assert resume(bench, change_id) is State.VERIFIED


def test_approval_of_another_plan_opens_nothing(bench: Bench) -> None:
    change_id = left_waiting(bench)
    change = desk(bench).check(change_id)
    other = replace(change, plan=replace(change.plan, digest="0" * 64))
    with pytest.raises(GateNotMet, match="not the one that was shown"):
        desk(bench).approve(other)


def test_denied_it_ends_and_its_key_is_free(bench: Bench) -> None:
    change_id = left_waiting(bench, key="k")
    desk(bench).deny(change_id, "the sale")
    with pytest.raises(GateNotMet, match=f"grace denied change {change_id}") as raised:
        resume(bench, change_id)
    assert raised.value.why == "the sale"
    with pytest.raises(WaitingForApproval):
        bench.pipeline(protected=True).perform("restart", REF, {}, TYPED, key="k")
    assert bench.cluster.marks == []
    assert len(list_changes(bench.journal)) == 2


def test_what_does_not_wait_can_be_neither_approved_nor_denied(bench: Bench) -> None:
    pipeline = bench.pipeline()
    change = pipeline.execute(pipeline.plan("restart", REF), TYPED)
    for attempt in (lambda: approve(bench, change.id), lambda: desk(bench).deny(change.id, "")):
        with pytest.raises(GateNotMet, match="does not wait"):
            attempt()


def test_of_two_who_approve_at_once_one_does(bench: Bench) -> None:
    change_id = left_waiting(bench)
    both = Barrier(2)
    ended: list[str] = []

    def give(actor: str) -> None:
        approvals = desk(bench, actor)
        change = approvals.check(change_id)
        both.wait(timeout=30)
        try:
            approvals.approve(change)
            ended.append("approved")
        except MaestroError as error:
            ended.append(error.what)

    threads = [Thread(target=give, args=(actor,)) for actor in ("grace", "hedy")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(ended) == ["approved", f"change {change_id} is approved already"]
    assert bench.kinds() == ["planned", "waiting", "approved"]


def test_the_same_key_finds_the_waiting_change(bench: Bench) -> None:
    change_id = left_waiting(bench, key="k")
    with pytest.raises(WaitingForApproval):
        bench.pipeline(protected=True).perform("restart", REF, {}, TYPED, key="k")
    approve(bench, change_id)
    done = bench.pipeline(protected=True).perform("restart", REF, {}, TYPED, key="k")
    assert (done.id, done.state) == (change_id, State.VERIFIED)


def test_a_waiting_change_that_is_refused_meanwhile_keeps_its_approval(bench: Bench) -> None:
    change_id = left_waiting(bench)
    approve(bench, change_id)
    with pytest.raises(PolicyRefused, match="read-only"):
        resume(bench, change_id, read_only=True)
    assert resume(bench, change_id) is State.VERIFIED


def test_what_could_not_be_sent_after_waiting_does_not_wait(bench: Bench) -> None:
    """No kind without an undo has a secret yet: the rule is shown with a restart whose payload is gone."""
    from maestro_cli.changes.kinds import KINDS
    from maestro_cli.changes.pipeline import ChangePipeline
    from maestro_cli.core.errors import NotFound

    class Forgetful:
        def __getattr__(self, name: str) -> Any:
            return getattr(KINDS["restart"], name)

        def reload(self, cluster: object, plan: object) -> Any:
            raise NotFound("the value is kept nowhere")

    pipeline = ChangePipeline(
        bench.journal, bench.world, policy=replace(POLICY, protected=True), clock=bench.clock, actor="ada",
        kinds={"restart": Forgetful()},
    )  # fmt: skip
    with pytest.raises(GateNotMet, match="cannot wait"):
        pipeline.execute(pipeline.plan("restart", REF), TYPED)
    assert bench.kinds() == ["planned", "refused"]


def test_waiting_for_a_word_ends_with_it_or_with_the_time(bench: Bench) -> None:
    change_id = left_waiting(bench)
    with pytest.raises(TimedOut, match="nobody approved"):
        desk(bench).await_word(change_id, 3, Cancellation())
    approve(bench, change_id)
    desk(bench).await_word(change_id, 3, Cancellation())


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_every_kind_can_wait_for_two(bench: Bench, tmp_path: Path, example: Example) -> None:
    """The payload is made again from the cluster; nothing of it was kept while it waited."""
    releases(bench.cluster)
    example.prepare(bench.cluster)
    (tmp_path / "policy.yaml").write_text("schema: maestro.policy/1\nrules: [{name: r, two_person: true}]\n")
    rules = load_policy(tmp_path / "policy.yaml")
    plan = bench.pipeline(rules=rules).plan(example.kind, example.ref, example.parameters)
    with pytest.raises(WaitingForApproval):
        bench.pipeline(rules=rules).execute(plan, TYPED)
    before = example.part(bench.cluster)
    approve(bench, plan.id)
    assert (bench.cluster.marks, example.part(bench.cluster)) == ([], before)
    done = bench.pipeline(rules=rules).recover(plan.id)
    assert (done.state, done.left) == (State.VERIFIED, plan.payload_digest)

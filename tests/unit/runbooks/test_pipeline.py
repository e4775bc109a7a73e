"""Change steps on the real change pipeline, over a cluster that keeps its word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.approvals import Approvals
from maestro_cli.changes.history import waiting_changes
from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.kinds.writing import WritingKind
from maestro_cli.changes.model import State
from maestro_cli.changes.policy_file import load_policy
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.progress import Quiet
from maestro_cli.core.redaction import Redactor
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.model import RunResult, RunStatus
from maestro_cli.runbooks.pipeline import PipelineChanges
from maestro_cli.runbooks.ports import ChangeState
from maestro_cli.runbooks.projection import RunsProjection
from maestro_cli.runbooks.reader import read_runbook
from maestro_cli.runbooks.runner import RunbookRunner
from tests.unit.changes.bench import POLICY, YES, Bench, TickingClock
from tests.unit.changes.every_kind import EXAMPLES, Example
from tests.unit.changes.fake_cluster import REF, FakeCluster, template
from tests.unit.runbooks.bench import Answers, Systems

BOOK = "```change {id=back}\nkind: rollback\ntarget: deploy/fraud\nnamespace: ml\n```\n"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Revision 1 serves fraud=1, revision 2 serves fraud=2 now; both come up."""
    clock = TickingClock()
    journal = Journal(
        tmp_path / "journal.db", projections=[ChangesProjection(), RunsProjection()], clock=clock
    )
    cluster = FakeCluster()
    cluster.ship(template(1), "release 1")
    cluster.ship(template(2), "release 2")
    yield Bench(journal, cluster, clock)
    journal.close()


def runner(bench: Bench, answers: Answers, **policy: Any) -> RunbookRunner:
    pipeline = bench.pipeline(**policy)
    return RunbookRunner(
        bench.journal,
        metrics=answers,
        changes=PipelineChanges(pipeline, YES),
        systems=Systems(),
        clock=bench.clock,
        actor="ada",
        redactor=Redactor(),
    )


def run(bench: Bench, folder: Path, text: str, *, answers: Answers | None = None, **policy: Any) -> RunResult:
    path = folder / "book.md"
    path.write_text(text)
    return runner(bench, answers or Answers((0.0,)), **policy).start(read_runbook(path), {}, incident="inc-1")


def served(bench: Bench) -> str:
    """The part of the template in which the two releases differ."""
    current = bench.cluster.get_workload(REF).template
    return "1" if current == template(1) else "2"


def test_a_change_step_is_one_verified_change(bench: Bench, tmp_path: Path) -> None:
    result = run(bench, tmp_path, BOOK)
    assert result.ok
    assert served(bench) == "1"
    (change,) = bench.journal.events(kinds=["change.planned"])
    assert result.run.steps[0].change_id == change.subject.removeprefix("change/")
    assert result.run.steps[0].reason.startswith("roll ml/deploy/fraud back")


def test_a_verification_that_fails_takes_the_change_back(bench: Bench, tmp_path: Path) -> None:
    text = BOOK.replace("id=back", "id=back on_fail=rollback")
    text += "```promql {verify=back expect='< 1'}\nup\n```\n"
    result = run(bench, tmp_path, text, answers=Answers((5.0,)))
    assert (result.status, result.exit_code) == (RunStatus.ROLLED_BACK, ExitCode.ROLLED_BACK), result.reason
    assert served(bench) == "2"


def test_a_plan_asks_the_cluster_and_the_gate_and_changes_nothing(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "book.md"
    path.write_text(BOOK)
    for read_only, state, code in (
        (False, "would", ExitCode.OK),
        (True, "refused", ExitCode.POLICY_REFUSED),
    ):
        changes = PipelineChanges(bench.pipeline(read_only=read_only), YES)
        plan = runner(bench, Answers()).plan(read_runbook(path), {}, changes)
        (step,) = plan.steps
        assert (step.state, plan.exit_code) == (state, code), step.text
        assert step.text.startswith("roll ml/deploy/fraud back")
        assert (served(bench), bench.cluster.marks) == ("2", [])
        assert bench.journal.events(kinds=["change.applied", "run.started", "step.intended"]) == []


def _book(example: Example) -> str:
    text = BOOK.replace("kind: rollback", f"kind: {example.kind}\n{example.written}")
    return text.replace("deploy/fraud", "/".join(str(example.ref).split("/")[-2:]))


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_step_can_ask_for_every_kind_of_change(bench: Bench, tmp_path: Path, example: Example) -> None:
    example.prepare(bench.cluster)
    before = example.part(bench.cluster)
    result = run(bench, tmp_path, _book(example))
    assert result.ok, result.reason
    if example.leaves_a_mark:
        assert example.part(bench.cluster) != before
    assert bench.cluster.marks == example.marks(result.run.steps[0].change_id)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_verification_that_fails_takes_every_kind_back_that_can_be(
    bench: Bench, tmp_path: Path, example: Example
) -> None:
    example.prepare(bench.cluster)
    before = example.look(bench.cluster)
    text = (
        _book(example).replace("id=back", "id=back on_fail=rollback")
        + "```promql {verify=back expect='< 1'}\nup\n```\n"
    )
    result = run(bench, tmp_path, text, answers=Answers((5.0,)))
    if example.is_final:
        assert (result.status, result.exit_code) == (RunStatus.ROLLBACK_FAILED, ExitCode.UNDO_FAILED)
        assert "cannot be undone" in result.reason
        return
    assert (result.status, result.exit_code) == (RunStatus.ROLLED_BACK, ExitCode.ROLLED_BACK), result.reason
    after, kind = example.look(bench.cluster), KINDS[example.kind]
    assert isinstance(kind, WritingKind)
    assert kind.spec_of(after) == kind.spec_of(before)


def test_read_only_refuses_and_nothing_is_done(bench: Bench, tmp_path: Path) -> None:
    result = run(bench, tmp_path, BOOK, read_only=True)
    assert (result.status, result.exit_code) == (RunStatus.FAILED, ExitCode.POLICY_REFUSED)
    assert served(bench) == "2"


def test_the_same_key_is_carried_out_once(bench: Bench, tmp_path: Path) -> None:
    result = run(bench, tmp_path, BOOK)
    changes = PipelineChanges(bench.pipeline(), YES)
    found = changes.recover(f"run/{result.id}/back", progress=Quiet(), cancellation=Cancellation())
    assert (found.state, found.change_id) == (ChangeState.DONE, result.run.steps[0].change_id)
    assert (
        changes.recover("run/none/back", progress=Quiet(), cancellation=Cancellation()).state
        is ChangeState.ABSENT
    )
    assert [kind for kind in bench.kinds() if kind == State.VERIFIED.value] == ["verified"]


def test_a_run_cut_off_around_its_change_goes_on_with_it(bench: Bench, tmp_path: Path) -> None:
    """What a killed process leaves: the step's intent, and a change at any stage."""
    result = run(bench, tmp_path, BOOK + "```manual {id=hand}\nlook\n```\n")
    assert result.status is RunStatus.WAITING
    record = result.run.steps[0]
    data = {"step": "back", "attempt": 2, "kind": "change", "role": "id", "mutates": True}
    bench.journal.append("step.intended", f"run/{result.id}", "ada", data)
    again = runner(bench, Answers()).resume(result.id, confirm=lambda question: True)
    assert again.ok
    last = again.run.last("back")
    assert last is not None
    assert replace(last, attempt=1).change_id == record.change_id
    assert served(bench) == "1"


def test_a_step_that_needs_a_second_person_waits_and_goes_on_with_the_same_change(
    bench: Bench, tmp_path: Path
) -> None:
    (tmp_path / "policy.yaml").write_text(
        "schema: maestro.policy/1\nrules: [{name: two, kinds: [rollback], two_person: true}]\n"
    )
    rules = load_policy(tmp_path / "policy.yaml")
    first = run(bench, tmp_path, BOOK, rules=rules)
    assert (first.status, first.exit_code) == (RunStatus.WAITING, ExitCode.WAITING_APPROVAL)
    (waiting,) = waiting_changes(bench.journal)
    assert f"maestro approve {waiting.id}" in first.reason
    still = runner(bench, Answers((0.0,)), rules=rules).resume(first.id)
    assert (still.status, served(bench)) == (RunStatus.WAITING, "2")
    grace = Approvals(bench.journal, bench.world, policy=POLICY, clock=bench.clock, actor="grace")
    grace.approve(grace.check(waiting.id))
    done = runner(bench, Answers((0.0,)), rules=rules).resume(first.id)
    assert (done.ok, served(bench), bench.cluster.marks) == (True, "1", [waiting.id])


def test_a_step_whose_change_was_denied_asks_anew(bench: Bench, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("schema: maestro.policy/1\nrules: [{name: two, two_person: true}]\n")
    rules = load_policy(policy)
    first = run(bench, tmp_path, BOOK, rules=rules)
    (waiting,) = waiting_changes(bench.journal)
    Approvals(bench.journal, bench.world, policy=POLICY, clock=bench.clock, actor="grace").deny(
        waiting.id, "not now"
    )
    again = runner(bench, Answers((0.0,)), rules=rules).resume(first.id)
    assert (again.status, served(bench)) == (RunStatus.WAITING, "2")
    (asked_anew,) = waiting_changes(bench.journal)
    assert asked_anew.id != waiting.id

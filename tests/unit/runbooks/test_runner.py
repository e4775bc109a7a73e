"""What a run does, records and ends with."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import (
    Busy,
    ExitCode,
    GateNotMet,
    NotFound,
    PolicyRefused,
    StalePlan,
    Unreachable,
    UsageError,
    WaitingForApproval,
)
from maestro_cli.journal.verification import verify
from maestro_cli.runbooks.model import Question, RunStatus, State
from maestro_cli.runbooks.projection import RunsProjection
from maestro_cli.runbooks.runner import PlaybookLimit
from maestro_cli.runbooks.session import Session
from tests.unit.runbooks.bench import Bench

FRONT = "---\nmaestro: runbook/v1\nparams: {NAME: {default: fraud}}\n---\n"


def fence(marks: str, body: str = "true", language: str = "sh") -> str:
    return f"```{language} {{{marks}}}\n{body}\n```\n\n"


def test_steps_run_in_order_with_values_and_captures(bench: Bench) -> None:
    text = (
        FRONT
        + fence("id=one capture=GOT", 'echo "got $NAME"')
        + fence("id=two capture=RATIO", 'up{app="$NAME",got="$GOT"}', "promql")
        + fence("id=three", 'printf "%s|%s|%s" "$GOT" "$RATIO" "$MAESTRO_STEP" > out', "bash")
        + fence("id=four", "import os; open('py', 'w').write(os.environ['MAESTRO_KEY'])", "python")
    )
    result = bench.run(text)
    assert (result.status, result.exit_code) == (RunStatus.SUCCEEDED, ExitCode.OK)
    assert (bench.folder / "out").read_text() == "got fraud|1|three"
    assert (bench.folder / "py").read_text() == f"run/{result.id}/four"
    assert bench.answers.queries == ['up{app="fraud",got="got fraud"}']
    assert [(step.path, step.state, step.attempt) for step in result.run.steps] == [
        (name, State.OK, 1) for name in ("one", "two", "three", "four")
    ]
    assert bench.kinds() == [
        "run.started",
        *(
            f"step.{what}:{name}"
            for name in ("one", "two", "three", "four")
            for what in ("intended", "finished")
        ),
        "run.finished:",
    ]
    assert bench.runner().history.list()[0].id == result.id
    assert verify(bench.journal.path, [RunsProjection()]).intact


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (((0.001,),), "check: 0.001, expected > 0.01"),
        (((),), "check: INDETERMINATE: no data"),
        (((float("nan"),),), "check: INDETERMINATE: the value is NaN"),
        (((1.0, 1.0),), "check: INDETERMINATE: 2 series, expected one: aggregate them"),
    ],
)
def test_an_expectation_that_is_not_met_stops_the_run(
    bench: Bench, values: tuple[tuple[float, ...], ...], reason: str
) -> None:
    bench.answers.values = list(values)
    result = bench.run(fence("id=check expect='> 0.01'", "up", "promql") + fence("id=next", "touch ran"))
    assert (result.status, result.exit_code) == (RunStatus.FAILED, ExitCode.CONDITION_NOT_MET)
    assert result.reason == reason
    assert not (bench.folder / "ran").exists()


def test_an_expectation_must_hold_for_its_time_without_a_break(bench: Bench) -> None:
    bench.answers.values = [(0.1,), (0.0,), (), Unreachable("gone"), (0.0,)]
    result = bench.run(fence("id=check expect='< 0.01' for=300ms within=10s", "up", "promql"))
    assert result.ok
    assert len(bench.answers.queries) >= 6
    assert result.run.steps[0].reason == "0, expected < 0.01 for 0.3s"


def test_an_expectation_that_comes_too_late_is_not_met(bench: Bench) -> None:
    bench.answers.values = [(0.1,)]
    result = bench.run(fence("id=check expect='< 0.01' for=100ms within=300ms", "up", "promql"))
    assert result.exit_code is ExitCode.CONDITION_NOT_MET
    assert "within 0.3s" in result.reason


def test_an_unreachable_backend_fails_the_step(bench: Bench) -> None:
    bench.answers.values = [Unreachable("prometheus did not answer")]
    result = bench.run(fence("id=check expect='< 0.01'", "up", "promql"))
    assert (result.exit_code, result.reason) == (ExitCode.UNREACHABLE, "check: prometheus did not answer")


def test_a_failed_step_is_retried_and_then_stops_the_run(bench: Bench) -> None:
    text = fence("id=flaky retries=3 backoff=10ms", 'echo x >> tries; test "$(wc -l < tries)" -ge 3')
    assert bench.run(text).ok
    assert len(bench.lines("tries")) == 3
    result = bench.run(fence("id=bad retries=1 backoff=10ms", "echo why >&2; exit 7") + fence("id=next"))
    assert (result.exit_code, result.reason) == (ExitCode.ACTION_FAILED, "bad: ended with 7")
    assert [(step.attempt, step.output) for step in result.run.steps] == [(1, "why"), (2, "why")]


def test_continue_goes_on_and_skips_what_needs_it(bench: Bench) -> None:
    text = (
        fence("id=a on_fail=continue", "false") + fence("id=b needs=a", "touch b") + fence("id=c", "touch c")
    )
    result = bench.run(text)
    assert result.ok
    assert [(step.path, step.state) for step in result.run.steps] == [
        ("a", State.FAILED),
        ("b", State.SKIPPED),
        ("c", State.OK),
    ]
    assert not (bench.folder / "b").exists()


def test_a_step_out_of_time_ends_with_124(bench: Bench) -> None:
    result = bench.run(fence("id=slow timeout=200ms", "sleep 60 & sleep 60"))
    assert (result.exit_code, result.reason) == (ExitCode.TIMEOUT, "slow: ran longer than 0.2s")


def test_a_failed_verification_undoes_in_reverse_order(bench: Bench) -> None:
    text = (
        fence("id=a mutates", "echo a >> log")
        + fence("undo=a", "echo undo-a >> log")
        + fence("id=look", "true")
        + fence("id=change", "kind: rollback\ntarget: deploy/fraud\nnamespace: ml", "change")
        + fence("id=b mutates", "echo b >> log")
        + fence("verify=b", "false")
        + fence("undo=b", "echo undo-b >> log")
    )
    result = bench.run(text)
    assert (result.status, result.exit_code) == (RunStatus.ROLLED_BACK, ExitCode.ROLLED_BACK)
    assert bench.lines("log") == ["a", "b", "undo-b", "undo-a"]
    key = f"run/{result.id}/change"
    assert bench.changes.world == [["rollback", "ml/deploy/fraud", {}], ["undo", key]]


def test_an_undo_that_fails_and_one_that_is_missing_are_residue(bench: Bench) -> None:
    failing = fence("id=a mutates") + fence("verify=a", "false") + fence("undo=a", "exit 3")
    result = bench.run(failing)
    assert (result.status, result.exit_code) == (RunStatus.ROLLBACK_FAILED, ExitCode.UNDO_FAILED)
    assert "a/undo: ended with 3" in result.reason
    result = bench.run(fence("id=a mutates") + fence("id=b on_fail=rollback", "false"))
    assert (result.status, result.exit_code) == (RunStatus.ROLLBACK_FAILED, ExitCode.UNDO_FAILED)
    assert "no undo for a" in result.reason


def test_a_pre_that_fails_leaves_its_step_undone(bench: Bench) -> None:
    bench.answers.values = [(3.0,)]
    result = bench.run(fence("pre=a expect='< 1'", "up", "promql") + fence("id=a mutates", "touch a"))
    assert result.exit_code is ExitCode.CONDITION_NOT_MET
    assert not (bench.folder / "a").exists()


def test_a_change_is_made_under_the_steps_key(bench: Bench) -> None:
    body = "kind: rollback\ntarget: deploy/$NAME\nnamespace: ml\nto_revision: 3"
    result = bench.run(FRONT + fence("id=back", body, "change"))
    assert result.ok
    assert bench.changes.world == [["rollback", "ml/deploy/fraud", {"to_revision": 3}]]
    assert result.run.steps[0].change_id == f"chg-run/{result.id}/back"


@pytest.mark.parametrize(
    ("error", "code"),
    [(GateNotMet("no"), ExitCode.GATE_NOT_MET), (PolicyRefused("no"), ExitCode.POLICY_REFUSED)],
)
def test_a_refused_change_keeps_its_exit_code(bench: Bench, error: GateNotMet, code: ExitCode) -> None:
    bench.changes.error = error
    result = bench.run(fence("id=back", "kind: rollback\ntarget: ml/deploy/x", "change"))
    assert (result.status, result.exit_code) == (RunStatus.FAILED, code)
    assert bench.runner().resume(result.id).exit_code is code


def test_a_change_that_waits_makes_the_run_wait_and_goes_on(bench: Bench) -> None:
    bench.changes.error = WaitingForApproval("a second person must agree")
    result = bench.run(fence("id=back", "kind: rollback\ntarget: ml/deploy/x", "change"))
    assert (result.status, result.exit_code) == (RunStatus.WAITING, ExitCode.WAITING_APPROVAL)
    bench.changes.error = None
    assert bench.runner().resume(result.id).ok
    assert len(bench.changes.world) == 1


def test_manual_steps_and_approvals_wait_without_anybody_and_are_asked_once(bench: Bench) -> None:
    text = (
        fence("id=first", "echo 1 >> log")
        + fence("id=hand", "turn the key", "manual")
        + fence("id=big mutates approve=ic", "echo 2 >> log")
    )
    asked: list[str] = []

    def yes(question: Question) -> bool:
        asked.append(f"{question.kind}:{question.path}")
        return True

    result = bench.run(text)
    assert (result.status, result.run.waiting_for) == (RunStatus.WAITING, "hand")
    assert result.exit_code is ExitCode.WAITING_APPROVAL
    assert bench.runner().resume(result.id).status is RunStatus.WAITING
    answers = iter([True, None])
    result = bench.runner().resume(result.id, confirm=lambda question: next(answers))
    assert (result.status, result.run.waiting_for) == (RunStatus.WAITING, "big")
    assert bench.runner().resume(result.id, confirm=yes).ok
    assert asked == ["approve:big"]
    assert bench.lines("log") == ["1", "2"]
    declined = bench.runner().start(bench.write(text), {}, confirm=lambda question: question.kind == "manual")
    assert (declined.exit_code, declined.reason) == (ExitCode.GATE_NOT_MET, "big: not approved")


def test_a_key_names_one_run(bench: Bench) -> None:
    book = bench.write(fence("id=a", "echo x >> log"))
    first = bench.runner().start(book, {}, key="inc-1/0")
    again = bench.runner().start(book, {}, key="inc-1/0")
    assert (again.id, again.exit_code) == (first.id, ExitCode.OK)
    assert bench.lines("log") == ["x"]
    assert bench.runner().start(book, {}, key="inc-2/0").id != first.id
    other = bench.write(fence("id=a", "echo other >> log"), "other.md")
    with pytest.raises(StalePlan, match="was to be run in its place"):
        bench.runner().start(other, {}, key="inc-1/0")
    assert bench.lines("log") == ["x", "x"]


def test_a_playbook_starts_only_so_often_an_hour(bench: Bench) -> None:
    book = bench.write(fence("id=a", "echo x >> log"))
    limit, going_on = PlaybookLimit("one", 2), PlaybookLimit("one", None)
    for number in range(2):
        assert bench.runner().start(book, {}, key=f"tick/{number}/1", limit=limit).ok
        assert bench.runner().start(book, {}, key=f"tick/{number}/2", limit=going_on).ok
    with pytest.raises(PolicyRefused, match="as often as it may"):
        bench.runner().start(book, {}, key="tick/2/1", limit=limit)
    assert bench.runner().start(book, {}, key="tick/1/on-failure", limit=going_on).ok
    assert bench.runner().start(book, {}, key="other/1", limit=PlaybookLimit("two", 2)).ok
    assert len(bench.lines("log")) == 6


def test_a_changed_file_is_refused(bench: Bench) -> None:
    result = bench.run(fence("id=a", "do it", "manual"))
    bench.write(fence("id=a", "do something else", "manual"))
    with pytest.raises(StalePlan, match="changed since run"):
        bench.runner().resume(result.id, confirm=lambda question: True)


def test_what_cannot_start_writes_nothing(bench: Bench) -> None:
    with pytest.raises(UsageError, match="has no steps"):
        bench.run(" \n\n")
    with pytest.raises(UsageError, match="is not a parameter"):
        bench.run(FRONT + fence("id=a"), NAEM="x")
    with pytest.raises(UsageError, match="holds a secret"):
        bench.runner(secrets=("hunter22",)).start(bench.write(FRONT + fence("id=a")), {"NAME": "hunter22"})
    with pytest.raises(NotFound):
        bench.runner().resume("run-none")
    assert bench.journal.events() == []


def test_a_held_run_and_a_held_lock_are_busy(bench: Bench) -> None:
    waiting = bench.run(fence("id=a", "do it", "manual"))
    with (
        Session(bench.journal, waiting.id, "other").held(),
        pytest.raises(Busy, match="held by another process"),
    ):
        bench.runner().resume(waiting.id)
    locked = "---\nmaestro: runbook/v1\nlock: deploy/fraud\n---\n" + fence("id=a")
    with (
        Session(bench.journal, "run-other", "other", "deploy/fraud").held(),
        pytest.raises(Busy, match="lock/deploy/fraud is held by run run-other"),
    ):
        bench.run(locked)
    assert bench.run(locked).ok


def test_cancelling_ends_the_step_and_the_run_can_go_on(bench: Bench) -> None:
    text = (
        fence("id=a", "echo a >> log")
        + fence("id=slow", "touch started; sleep 60")
        + fence("id=c", "echo c >> log")
    )
    cancellation = Cancellation()
    book = bench.write(text)
    results = []
    thread = threading.Thread(
        target=lambda: results.append(bench.runner().start(book, {}, cancellation=cancellation))
    )
    thread.start()
    patience = threading.Event()
    while not (bench.folder / "started").exists():
        patience.wait(0.01)
    cancellation.cancel(terminated=True)
    thread.join(60)
    (result,) = results
    assert (result.status, result.exit_code) == (RunStatus.CANCELLED, ExitCode.SIGTERM)
    (bench.folder / "started").unlink()
    stopper = Cancellation()
    stopper.cancel()
    assert bench.runner().resume(result.id, cancellation=stopper).exit_code is ExitCode.SIGINT
    assert bench.lines("log") == ["a"]


def test_a_mutating_step_cut_off_is_unknown_until_its_probe_or_a_person_says(bench: Bench) -> None:
    book = bench.write(fence("id=a mutates", "touch a; sleep 60") + fence("id=b", "touch b"))
    cancellation = Cancellation()
    thread = threading.Thread(target=lambda: bench.runner().start(book, {}, cancellation=cancellation))
    thread.start()
    patience = threading.Event()
    while not (bench.folder / "a").exists():
        patience.wait(0.01)
    cancellation.cancel()
    thread.join(60)
    (run,) = bench.runner().history.list()
    assert (run.status, run.reason) == (
        RunStatus.CANCELLED,
        "cancelled at a; how far that step came is not known",
    )
    result = bench.runner().resume(run.id)
    assert (result.status, result.exit_code) == (RunStatus.UNKNOWN, ExitCode.UNDO_FAILED)
    assert "no probe can tell" in result.reason
    with pytest.raises(UsageError, match="not a step"):
        bench.runner().resume(run.id, decisions={"b": "done"})
    with pytest.raises(UsageError, match="decides nothing"):
        bench.runner().resume(run.id, decisions={"a": "perhaps"})
    assert bench.runner().resume(run.id, decisions={"a": "done"}).ok
    assert (bench.folder / "b").exists()


def test_an_interrupted_run_reads_interrupted(bench: Bench) -> None:
    result = bench.run(fence("id=a", "do it", "manual"))
    bench.journal.append("run.resumed", f"run/{result.id}", "tester", {})
    assert bench.runner().history.get(result.id).status is RunStatus.INTERRUPTED
    assert bench.runner().resume(result.id, confirm=lambda question: True).ok


def test_a_step_that_needs_a_missing_program_fails(bench: Bench) -> None:
    runner = bench.runner(environment={"PATH": str(bench.folder)})
    result = runner.start(bench.write(fence("id=a")), {})
    assert result.exit_code is ExitCode.ACTION_FAILED
    assert "sh cannot be started" in result.reason


def test_the_folder_of_the_runbook_is_where_steps_run(bench: Bench, tmp_path: Path) -> None:
    assert bench.run(fence("id=a", "pwd > where")).ok
    assert (bench.folder / "where").read_text().strip() == str(tmp_path.resolve())

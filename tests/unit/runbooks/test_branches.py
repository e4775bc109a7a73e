"""Which steps run, under which lock, and where."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from maestro_cli.core.errors import Busy, ExitCode
from maestro_cli.runbooks.model import Answer, Question, RunStatus, State
from maestro_cli.runbooks.session import Session
from tests.unit.runbooks.bench import Bench

FRONT = "---\nmaestro: runbook/v1\nparams: {NAME: {default: fraud}}\n---\n"


def fence(marks: str, body: str = "true", language: str = "sh") -> str:
    return f"```{language} {{{marks}}}\n{body}\n```\n\n"


def states(bench: Bench, text: str) -> dict[str, State]:
    result = bench.run(FRONT + text)
    assert result.ok, result.reason
    return {step.path: step.state for step in result.run.steps}


def test_a_step_runs_only_when_its_condition_holds(bench: Bench) -> None:
    text = (
        fence("id=check on_fail=continue", "exit 1")
        + fence("id=keep capture=KEEP", "echo no")
        + fence("id=a when='check.ok'")
        + fence("""id=b when="check.failed and $KEEP == 'no'" """)
        + fence("id=c when='a.skipped and $NAME =~ \"f.*\"'")
        + fence("id=d needs=a when='b.ok'")
    )
    assert states(bench, text) == {
        "check": State.FAILED,
        "keep": State.OK,
        "a": State.SKIPPED,
        "b": State.OK,
        "c": State.OK,
        "d": State.SKIPPED,
    }


def test_a_step_whose_verification_failed_has_failed(bench: Bench) -> None:
    text = fence("id=a on_fail=continue") + fence("verify=a", "false") + fence("id=b when='a.failed'")
    assert states(bench, text)["b"] is State.OK


def test_a_condition_that_cannot_be_decided_fails_its_step(bench: Bench) -> None:
    text = fence("id=a capture=GOT when='$NAME == 1'") + fence("id=b", "touch ran")
    result = bench.run(FRONT + text)
    assert (result.status, result.exit_code) == (RunStatus.FAILED, ExitCode.ACTION_FAILED)
    assert result.reason == "a: it cannot be decided: 'fraud' is not a number"
    assert not (bench.folder / "ran").exists()
    result = bench.run(
        FRONT + fence("id=a capture=GOT when='$NAME == \"x\"'") + fence("id=b when='$GOT == 1'")
    )
    assert result.reason == "b: it cannot be decided: $GOT has no value"


def test_what_was_skipped_stays_skipped_after_a_wait(bench: Bench) -> None:
    text = fence("id=a when='$NAME == \"x\"'", "touch ran") + fence("id=m", "do it", "manual")
    result = bench.run(FRONT + text)
    bench.control().answer(result.id, "m", "yes")
    resumed = bench.runner().resume(result.id)
    assert resumed.ok
    assert [(step.path, step.state) for step in resumed.run.steps] == [
        ("a", State.SKIPPED),
        ("m", State.WAITING),
        ("m", State.OK),
    ]
    assert not (bench.folder / "ran").exists()


def test_a_lock_that_another_run_has_ends_75_and_the_run_can_go_on(bench: Bench) -> None:
    text = FRONT + fence("id=a", "echo a >> log") + fence("id=b lock=deploy/$NAME", "echo b >> log")
    with Session(bench.journal, "run-other", "other", "deploy/fraud").held():
        result = bench.run(text)
        assert (result.status, result.exit_code) == (RunStatus.INTERRUPTED, ExitCode.BUSY)
        assert "lock/deploy/fraud is held by run run-other" in result.reason
    assert bench.lines("log") == ["a"]
    assert bench.runner().resume(result.id).ok
    assert bench.lines("log") == ["a", "b"]


def test_a_lock_is_held_for_its_step_alone(bench: Bench) -> None:
    text = FRONT.replace("params", "lock: mine\nparams") + fence("id=a lock=x") + fence("id=b lock=mine")
    result = bench.run(text + fence("id=m", "do it", "manual"))
    assert result.status is RunStatus.WAITING
    with Session(bench.journal, "run-other", "other", "x").held():
        pass
    with Session(bench.journal, "run-1", "one", "y").held() as one:
        with one.lock("x"), pytest.raises(Busy), Session(bench.journal, "run-2", "two", "x").held():
            pass
        with Session(bench.journal, "run-3", "three", "x").held():
            pass


def test_what_a_step_did_under_its_lock_is_undone_under_it(bench: Bench) -> None:
    text = fence("id=a mutates lock=x") + fence("undo=a", "take it back", "manual")
    held = []

    def looks(question: Question) -> bool:
        held.append(bench.journal.lease("lock/x") is not None)
        return True

    book = bench.write(text + fence("id=bad on_fail=rollback", "false"))
    assert bench.runner().start(book, {}, confirm=looks).status is RunStatus.ROLLED_BACK
    assert held == [True]


def test_a_step_runs_in_its_folder(bench: Bench) -> None:
    (bench.folder / "inner").mkdir()
    assert bench.run(fence("id=a cwd=inner", "pwd > where")).ok
    assert (bench.folder / "inner" / "where").read_text().strip() == str((bench.folder / "inner").resolve())
    result = bench.run(fence("id=a cwd=missing"))
    assert result.reason == "a: the folder missing is not there"


def test_a_failure_goes_on_at_a_later_step_and_skips_those_between(bench: Bench) -> None:
    text = (
        fence("id=a on_fail='goto last'", "exit 1")
        + fence("id=b", "touch ran")
        + fence("id=c needs=a on_fail=continue", "touch ran")
        + fence("id=last when='a.failed and b.skipped'", "echo last >> log")
    )
    assert states(bench, text) == {
        "a": State.FAILED,
        "b": State.SKIPPED,
        "c": State.SKIPPED,
        "last": State.OK,
    }
    assert not (bench.folder / "ran").exists()
    assert states(bench, text.replace("exit 1", "true").replace("touch ran", "true"))["b"] is State.OK


FLAKY = fence("id=a mutates on_fail=ask", "echo a >> log; test -e fixed") + fence("id=b", "echo b >> log")


def test_after_a_failure_a_person_says_what_follows(bench: Bench) -> None:
    for said, status, log in (
        ("stop", RunStatus.FAILED, ["a"]),
        ("continue", RunStatus.SUCCEEDED, ["a", "b"]),
        ("rollback", RunStatus.ROLLBACK_FAILED, ["a"]),
    ):
        run = bench.run(FLAKY)
        assert (run.status, run.exit_code) == (RunStatus.WAITING, ExitCode.WAITING_APPROVAL)
        assert run.reason == "a: ended with 1; a person must say retry or continue or stop or rollback"
        assert bench.runner().resume(run.id).status is RunStatus.WAITING
        bench.control().answer(run.id, "a", said)
        assert bench.runner().resume(run.id).status is status
        assert bench.lines("log") == log
        (bench.folder / "log").unlink()


def test_what_failed_is_tried_once_for_each_time_a_person_says_so(bench: Bench) -> None:
    run = bench.run(FLAKY)
    bench.control().answer(run.id, "a", "retry")
    again = bench.runner().resume(run.id)
    assert (again.status, bench.lines("log")) == (RunStatus.WAITING, ["a", "a"])
    (bench.folder / "fixed").touch()
    bench.control().answer(run.id, "a", "retry")
    assert bench.runner().resume(run.id).ok
    assert bench.lines("log") == ["a", "a", "a", "b"]


def test_a_check_that_failed_is_tried_again_without_its_step(bench: Bench) -> None:
    text = fence("id=a on_fail=ask", "echo a >> log") + fence("verify=a", "echo v >> log; test -e fixed")
    run = bench.run(text)
    assert run.run.waiting_for == "a/verify"
    (bench.folder / "fixed").touch()
    bench.control().answer(run.id, "a/verify", "retry")
    assert bench.runner().resume(run.id).ok
    assert bench.lines("log") == ["a", "v", "v"]


def test_somebody_at_the_terminal_is_asked_until_it_is_well(bench: Bench) -> None:
    said = iter(["retry", "retry", "stop"])
    result = bench.runner().start(bench.write(FLAKY), {}, confirm=lambda question: next(said))
    assert (result.status, bench.lines("log")) == (RunStatus.FAILED, ["a", "a", "a"])


def test_what_a_person_did_not_do_is_asked_again_when_it_is_tried_again(bench: Bench) -> None:
    said: Iterator[Answer] = iter([False, "retry", True])
    text = fence("id=m on_fail=ask", "do it", "manual")
    assert bench.runner().start(bench.write(text), {}, confirm=lambda question: next(said)).ok
    assert next(said, None) is None


def test_an_answer_that_failed_is_given_anew_by_whoever_is_asked_later(bench: Bench) -> None:
    run = bench.run(fence('id=q on_fail=ask expect="=~ y.*" choices="yes,no"', "well?", "ask"))
    for path_answer, status in (("no", RunStatus.WAITING), ("retry", RunStatus.WAITING)):
        bench.control().answer(run.id, "q", path_answer)
        assert bench.runner().resume(run.id).status is status
    bench.control().answer(run.id, "q", "yes")
    assert bench.runner().resume(run.id).ok

"""What people are asked, how they answer later, and what an answer is bound to."""

from __future__ import annotations

import pytest

from maestro_cli.core.errors import Busy, ExitCode, StalePlan, UsageError
from maestro_cli.runbooks.model import Answer, Question, RunStatus, State
from maestro_cli.runbooks.session import Session
from tests.unit.runbooks.bench import Bench

FRONT = "---\nmaestro: runbook/v1\nparams: {NAME: {default: fraud}}\n---\n"


def fence(marks: str, body: str = "true", language: str = "sh") -> str:
    return f"```{language} {{{marks}}}\n{body}\n```\n\n"


ASK = fence("id=keep capture=KEEP", "Keep the release?", "ask") + fence("id=tell", 'echo "$KEEP" > told')


def test_a_question_waits_without_anybody_and_goes_on_when_it_is_answered(bench: Bench) -> None:
    result = bench.run(FRONT + ASK)
    assert (result.status, result.exit_code) == (RunStatus.WAITING, ExitCode.WAITING_APPROVAL)
    assert (result.run.waiting_for, result.reason) == ("keep", "keep: a person must answer")
    answered = bench.control().answer(result.id, "keep", "No")
    assert answered.status is RunStatus.WAITING
    assert bench.runner().resume(result.id).ok
    assert bench.lines("told") == ["no"]
    (event,) = [event for event in bench.journal.events() if event.kind == "run.answered"]
    assert (event.actor, event.data["answer"], event.data["question"]) == ("ada", False, "ask")


@pytest.mark.parametrize(
    ("marks", "wrong", "right"),
    [
        ("", ["", "perhaps", "1", "yess"], "yes"),
        ("choices='keep,roll back'", ["", "kee", "KEEP", "roll", "yes"], "roll back"),
        ("pattern='[0-9]{1,3}'", ["", "1000", "1\n2", "x1", "9" * 5000], "12"),
        ("pattern='(?s).*'", ["a\nb", "\0", "\ud800", "9" * 5000], "$(touch pwned)"),
    ],
)
def test_an_answer_is_of_the_type_that_is_asked_for(
    bench: Bench, marks: str, wrong: list[str], right: str
) -> None:
    text = fence(f"id=a capture=GOT {marks}", "Which?", "ask") + fence("id=b", 'printf %s "$GOT" > got')
    run = bench.run(text)
    for said in wrong:
        with pytest.raises(UsageError, match="is no answer to a"):
            bench.control().answer(run.id, "a", said)
    bench.control().answer(run.id, "a", f" {right}\n")
    assert bench.runner().resume(run.id).ok
    assert (bench.folder / "got").read_text() == right
    assert not (bench.folder / "pwned").exists()


def test_somebody_at_the_terminal_is_asked_and_the_answer_is_kept(bench: Bench) -> None:
    asked: list[str] = []

    def person(question: Question) -> Answer:
        asked.append(question.form)
        return "keep"

    text = fence("id=a choices=keep,drop", "Which?", "ask") + fence("id=b", "turn the key", "manual")
    result = bench.runner().start(
        bench.write(text), {}, confirm=lambda q: None if q.path == "b" else person(q)
    )
    assert (result.run.waiting_for, asked) == ("b", ["keep or drop"])
    assert result.run.steps[0].reason == "answered: keep"
    assert bench.runner().resume(result.id).status is RunStatus.WAITING
    bench.control().answer(result.id, "b", "yes")
    assert bench.runner().resume(result.id).ok
    assert asked == ["keep or drop"]


def test_an_approval_given_elsewhere_lets_the_step_start_and_a_refusal_does_not(bench: Bench) -> None:
    text = fence("id=big mutates approve=ic", "touch done")
    for said, status, code in (
        ("no", RunStatus.FAILED, ExitCode.GATE_NOT_MET),
        ("yes", RunStatus.SUCCEEDED, ExitCode.OK),
    ):
        assert not (bench.folder / "done").exists()
        run = bench.run(text)
        bench.control().answer(run.id, "big", said)
        with pytest.raises(UsageError, match="big has its answer"):
            bench.control().answer(run.id, "big", "yes")
        result = bench.runner().resume(run.id)
        assert (result.status, result.exit_code) == (status, code)


def test_only_what_a_run_asks_can_be_answered(bench: Bench) -> None:
    run = bench.run(FRONT + ASK)
    for path in ("tell", "nothing", ""):
        with pytest.raises(UsageError, match="asks nothing at"):
            bench.control().answer(run.id, path, "yes")
    with Session(bench.journal, run.id, "other").held(), pytest.raises(Busy):
        bench.control().answer(run.id, "keep", "yes")
    done = bench.run(fence("id=a"))
    with pytest.raises(UsageError, match="asks nothing at"):
        bench.control().answer(done.id, "a", "yes")


def test_an_answer_does_not_count_for_another_file(bench: Bench) -> None:
    run = bench.run(FRONT + ASK)
    bench.control().answer(run.id, "keep", "yes")
    bench.write((FRONT + ASK).replace("Keep", "Drop"))
    with pytest.raises(StalePlan):
        bench.runner().resume(run.id)
    with pytest.raises(StalePlan):
        bench.control().answer(run.id, "keep", "yes")


def test_an_answer_that_is_a_secret_is_not_recorded(bench: Bench) -> None:
    text = fence("id=a pattern='.*' capture=GOT", "What?", "ask")
    run = bench.run(text)
    with pytest.raises(UsageError, match="holds a secret"):
        bench.control(secrets=("hunter22",)).answer(run.id, "a", "hunter22")
    result = bench.runner(secrets=("hunter22",)).start(
        bench.write(text), {}, confirm=lambda question: "hunter22"
    )
    assert (result.status, result.run.steps[0].state) == (RunStatus.FAILED, State.FAILED)
    assert all("hunter22" not in str(event.data) for event in bench.journal.events())

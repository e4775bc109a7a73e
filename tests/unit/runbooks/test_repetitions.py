"""A step that is repeated for each word is as many steps."""

from __future__ import annotations

import pytest

from maestro_cli.core.errors import ExitCode
from maestro_cli.runbooks.model import Question, RunStatus, State
from tests.unit.runbooks.bench import Bench
from tests.unit.runbooks.test_order import FRONT, MEET, fence


def test_a_step_is_repeated_for_each_word_as_a_step_of_its_own(bench: Bench) -> None:
    text = (
        FRONT
        + fence(
            "id=go for_each='$PODS' as=POD capture=GOT mutates lock=pod/$POD",
            'echo "$POD" >> log; echo "<$POD>"',
        )
        + fence("pre=go", 'test -n "$POD"')
        + fence("verify=go", 'test "$GOT" = "<$POD>"')
        + fence("id=tell", 'echo "$GOT:$MAESTRO_KEY" > told')
    )
    result = bench.run(text)
    assert result.ok, result.reason
    assert bench.lines("log") == ["a", "b", "c"]
    assert [step.path for step in result.run.steps] == [
        *(f"go[{number}]{part}" for number in (1, 2, 3) for part in ("/pre", "", "/verify")),
        "tell",
    ]
    assert bench.lines("told") == ["<a>", "<b>", f"<c>:run/{result.id}/tell"]


def test_repetitions_run_at_the_same_time_as_many_as_it_says(bench: Bench) -> None:
    assert bench.run(FRONT + fence("id=a for_each='$PODS' as=POD concurrency=2", MEET)).ok


def test_repetitions_under_one_lock_take_turns(bench: Bench) -> None:
    body = "mkdir busy; sleep 0.1; rmdir busy"
    text = FRONT + fence("id=a for_each='$PODS' as=POD concurrency=3 lock=one", body)
    assert bench.run(text).ok
    assert bench.run(text.replace("params:", "lock: one\nparams:")).ok


def test_once_a_repetition_failed_no_other_starts_and_those_done_are_undone_last_first(bench: Bench) -> None:
    text = (
        FRONT
        + fence("id=go for_each='$PODS' as=POD mutates", 'echo "$POD" >> log; test "$POD" != b')
        + fence("undo=go", 'echo "undo-$POD" >> log')
    )
    result = bench.run(text)
    assert (result.status, result.reason) == (RunStatus.ROLLED_BACK, "go[2]: ended with 1")
    assert bench.lines("log") == ["a", "b", "undo-b", "undo-a"]


def test_with_continue_all_are_tried_and_the_step_has_failed(bench: Bench) -> None:
    text = FRONT + fence(
        "id=go for_each='$PODS' as=POD on_fail=continue", 'echo "$POD" >> log; test "$POD" != a'
    )
    result = bench.run(text + fence("id=next when='go.failed'") + fence("id=not needs=go"))
    assert result.ok
    assert bench.lines("log") == ["a", "b", "c"]
    assert [step.state for step in result.run.steps][-2:] == [State.OK, State.SKIPPED]


def test_a_repetition_is_tried_again_alone(bench: Bench) -> None:
    text = FRONT + fence(
        "id=go for_each='$PODS' as=POD on_fail=ask", 'echo "$POD" >> log; test "$POD" != b -o -e ok'
    )
    run = bench.run(text)
    assert (run.status, run.run.waiting) == (RunStatus.WAITING, ("go[2]",))
    (bench.folder / "ok").touch()
    bench.control().answer(run.id, "go[2]", "retry")
    assert bench.runner().resume(run.id).ok
    assert bench.lines("log") == ["a", "b", "b", "c"]


def test_changes_of_repetitions_have_keys_of_their_own(bench: Bench) -> None:
    body = "kind: rollback\ntarget: deploy/$POD\nnamespace: ml"
    text = (
        FRONT
        + fence("id=back for_each='$PODS' as=POD", body, "change")
        + fence("id=bad on_fail=rollback", "false")
    )
    result = bench.run(text)
    assert result.status is RunStatus.ROLLED_BACK
    keys = [f"run/{result.id}/back[{number}]" for number in (3, 2, 1)]
    assert bench.changes.world == [
        *(["rollback", f"ml/deploy/{pod}", {}] for pod in "abc"),
        *(["undo", key] for key in keys),
    ]


@pytest.mark.parametrize(("words", "count"), [("", 0), (" ".join("x" * 201), 201)])
def test_no_words_and_too_many_are_a_failure(bench: Bench, words: str, count: int) -> None:
    text = FRONT + fence("id=go for_each='$PODS' as=POD", "echo $POD >> log")
    result = bench.runner().start(bench.write(text), {"PODS": words})
    assert (result.status, result.exit_code) == (RunStatus.FAILED, ExitCode.ACTION_FAILED)
    assert f"go has {count} words to be repeated for" in result.reason
    assert bench.lines("log") == []


def test_a_manual_step_is_asked_for_each_word(bench: Bench) -> None:
    asked: list[str] = []

    def yes(question: Question) -> bool:
        asked.append(question.path)
        return True

    text = FRONT + fence("id=hand for_each='$PODS' as=POD", "do it", "manual")
    assert bench.runner().start(bench.write(text), {}, confirm=yes).ok
    assert asked == ["hand[1]", "hand[2]", "hand[3]"]


def test_a_run_with_repetitions_goes_on_with_a_file_that_changed_after_them(bench: Bench) -> None:
    text = (
        FRONT
        + fence("id=go for_each='$PODS' as=POD", 'echo "$POD" >> log')
        + fence("id=hand", "do it", "manual")
    )
    run = bench.run(text)
    book = bench.write(text + fence("id=more", "echo more >> log"))
    assert book.digest != run.run.digest
    assert bench.runner().resume(run.id, rebase=True, confirm=lambda question: True).ok
    assert bench.lines("log") == ["a", "b", "c", "more"]

"""Pausing and cancelling a run from another process, and going on with a file that changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ExitCode, StalePlan, UsageError
from maestro_cli.runbooks.control import RunControl
from maestro_cli.runbooks.model import Runbook, RunRecord, RunResult, RunStatus, State
from maestro_cli.runbooks.pinned import pinned
from tests.unit.runbooks.bench import Bench


def fence(marks: str, body: str = "true", language: str = "sh") -> str:
    return f"```{language} {{{marks}}}\n{body}\n```\n\n"


SLOW = fence("id=slow", "touch started; while ! test -e go; do sleep 0.02; done; echo slow >> log") + fence(
    "id=last", "echo last >> log"
)


@contextmanager
def running(bench: Bench, text: str) -> Iterator[tuple[RunRecord, list[RunResult]]]:
    """A run that is at its slow step, and where its result will be."""
    book, results = bench.write(text), list[RunResult]()
    thread = threading.Thread(target=lambda: results.append(bench.runner().start(book, {}, key="k")))
    thread.start()
    patience = threading.Event()
    try:
        for _ in range(4500):
            if (bench.folder / "started").exists():
                break
            patience.wait(0.02)
        yield bench.runner().history.list()[0], results
    finally:
        thread.join(90)
        if thread.is_alive():
            (bench.folder / "go").touch()
        thread.join(90)


def test_a_paused_run_ends_its_step_and_goes_on_when_a_person_says_so(bench: Bench) -> None:
    with running(bench, SLOW) as (run, results):
        assert bench.control().pause(run.id).asked == "pause"
        (bench.folder / "go").touch()
    (result,) = results
    assert (result.status, result.exit_code) == (RunStatus.PAUSED, ExitCode.BUSY)
    assert (result.reason, bench.lines("log")) == ("paused before last", ["slow"])
    again = bench.runner().start(bench.write(SLOW), {}, key="k")
    assert (again.status, bench.runner().resume(run.id).status) == (RunStatus.PAUSED, RunStatus.PAUSED)
    assert bench.runner().resume(run.id, lifted=True).ok
    assert bench.lines("log") == ["slow", "last"]


def test_a_cancelled_run_stops_its_step_and_stays_so(bench: Bench) -> None:
    with running(bench, SLOW) as (run, results):
        bench.control().cancel(run.id)
    (result,) = results
    assert (result.status, result.exit_code) == (RunStatus.CANCELLED, ExitCode.SIGINT)
    assert result.run.steps[0].state is State.CANCELLED
    assert bench.runner().start(bench.write(SLOW), {}, key="k").status is RunStatus.CANCELLED
    with pytest.raises(UsageError, match="is over"):
        bench.control().cancel(run.id)
    (bench.folder / "go").touch()
    assert bench.runner().resume(run.id, lifted=True).ok


def test_a_run_that_waits_is_cancelled_at_once_and_one_that_is_over_never(bench: Bench) -> None:
    text = fence("id=a mutates", "echo a >> log") + fence("id=m", "do it", "manual")
    waiting = bench.run(text)
    with pytest.raises(UsageError, match="does not run"):
        bench.control().pause(waiting.id)
    cancelled = bench.control().cancel(waiting.id)
    assert (cancelled.status, cancelled.reason) == (RunStatus.CANCELLED, "cancelled by ada")
    with pytest.raises(UsageError, match="asks nothing"):
        bench.control().answer(waiting.id, "m", "yes")
    done = bench.run(fence("id=a"))
    for act in (RunControl.pause, RunControl.cancel):
        with pytest.raises(UsageError):
            act(bench.control(), done.id)


def test_a_run_that_is_cancelled_while_it_is_taken_up_stays_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = bench.run(fence("id=m", "do it", "manual") + fence("id=a", "echo a >> log"))

    def cancelled_first(run: RunRecord) -> Runbook:
        monkeypatch.undo()
        bench.control().cancel(run.id)
        return pinned(run)

    monkeypatch.setattr("maestro_cli.runbooks.runner.pinned", cancelled_first)
    result = bench.runner().resume(waiting.id, confirm=lambda question: True)
    assert (result.status, result.exit_code) == (RunStatus.CANCELLED, ExitCode.SIGINT)
    assert bench.lines("log") == []


def test_one_cancelled_run_does_not_stop_what_started_it(bench: Bench) -> None:
    whole = Cancellation()
    book, results = bench.write(SLOW), list[RunResult]()
    thread = threading.Thread(
        target=lambda: results.append(bench.runner().start(book, {}, cancellation=whole))
    )
    thread.start()
    patience = threading.Event()
    while not (bench.folder / "started").exists():
        patience.wait(0.02)
    bench.control().cancel(bench.runner().history.list()[0].id)
    thread.join(90)
    assert results[0].status is RunStatus.CANCELLED
    assert not whole.is_set


FRONT = "---\nmaestro: runbook/v1\nid: book\nparams: {NAME: {default: fraud, pattern: '[a-z]+'}}\n---\n"
BOOK = (
    FRONT
    + fence("id=a mutates", "echo a >> log")
    + fence("undo=a", "echo undo-a >> log")
    + fence("id=m", "do it", "manual")
    + fence("id=b", "echo b >> log")
)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("echo b", "echo B", ""),
        ("```sh {id=b}", "Now say so.\n\n```sh {id=b timeout=9s}", ""),
        ("echo a >>", "echo A >>", "a has started"),
        ("echo undo-a", "echo UNDO-a", "a has started"),
        ("do it", "do that", "m has started"),
        ("{id=a mutates}", "{id=a mutates timeout=9s}", "a has started"),
        ("```sh {id=a", "```sh {id=new}\ntrue\n```\n\n```sh {id=a", "a has started"),
        ("{NAME: {", "{OTHER: {default: x}, NAME: {", "its id or its parameters"),
        ("id: book", "id: other", "its id or its parameters"),
        ("fraud, pattern: '[a-z]+'", "zoo, pattern: '[g-z]+'", "NAME"),
    ],
)
def test_a_changed_file_is_taken_when_what_has_started_is_the_same(
    bench: Bench, old: str, new: str, why: str
) -> None:
    run = bench.run(BOOK)
    assert run.run.waiting_for == "m"
    bench.write(BOOK.replace(old, new, 1) + "\nMore words.\n")
    with pytest.raises(StalePlan, match="changed since run"):
        bench.runner().resume(run.id)
    if why:
        with pytest.raises((StalePlan, UsageError)) as caught:
            bench.runner().resume(run.id, rebase=True)
        assert why in f"{caught.value.what} {caught.value.why}"
        return
    result = bench.runner().resume(run.id, rebase=True, confirm=lambda question: True)
    assert result.ok, result.reason
    assert [line.lower() for line in bench.lines("log")] == ["a", "b"]


def test_a_rebased_run_is_pinned_to_the_new_file_and_asks_again(bench: Bench) -> None:
    text = fence("id=a", "echo a >> log") + fence("id=b mutates approve=ic", "echo b >> log")
    run = bench.run(text)
    bench.control().answer(run.id, "b", "yes")
    bench.write(text.replace("echo b", "echo B"))
    result = bench.runner().resume(run.id, rebase=True)
    assert (result.status, result.run.waiting_for) == (RunStatus.WAITING, "b")
    assert bench.runner().resume(run.id).status is RunStatus.WAITING
    bench.write(text)
    with pytest.raises(StalePlan):
        bench.runner().resume(run.id)
    bench.write(text.replace("echo b", "echo B"))
    bench.control().answer(run.id, "b", "yes")
    assert bench.runner().resume(run.id).ok
    assert bench.lines("log") == ["a", "B"]
    assert "run.rebased" in bench.kinds()

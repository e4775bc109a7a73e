"""A runbook as a step of another: one run of its own, with the outer run's locks."""

from __future__ import annotations

import threading

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ExitCode
from maestro_cli.runbooks.model import RunStatus, State
from tests.unit.runbooks.bench import Bench


def fence(marks: str, body: str = "true", language: str = "sh") -> str:
    return f"```{language} {{{marks}}}\n{body}\n```\n\n"


def front(text: str) -> str:
    return f"---\nmaestro: runbook/v1\n{text}\n---\n"


FAILED = ExitCode.ACTION_FAILED
OUTER = front("params: {NAME: {default: fraud}}\nlock: mine") + (
    fence("id=before", "echo before >> log")
    + fence("id=inner", "runbook: inner\nwith: {WHO: $NAME, N: 3}", "runbook")
    + fence("id=after", "echo after >> log")
)
INNER = front("params: {WHO: {pattern: '[a-z]+'}, N: {}}\nlock: mine")


def test_it_is_a_run_of_its_own_with_its_values_and_the_locks_of_the_outer_one(bench: Bench) -> None:
    bench.write(INNER + fence("id=a lock=mine", 'echo "$WHO-$N" >> log'), "inner.md")
    result = bench.run(OUTER)
    assert result.ok, result.reason
    assert bench.lines("log") == ["before", "fraud-3", "after"]
    inner, outer = sorted(bench.runner().history.list(), key=lambda run: run.runbook != "inner")
    assert (inner.runbook, inner.key, inner.status) == ("inner", f"run/{outer.id}/inner", RunStatus.SUCCEEDED)
    assert result.run.steps[1].reason == f"run {inner.id} succeeded"


def test_the_context_gives_the_inner_run_what_the_step_does_not(bench: Bench) -> None:
    wants = front("params: {WHO: {}, WINDOW: {default: 1m}, N: {}}")
    bench.write(wants + fence("id=a", 'echo "$WHO-$WINDOW-$N" >> log'), "inner.md")
    result = bench.runner(defaults={"WINDOW": "10s", "N": "9", "OTHER": "x"}).start(
        bench.write(OUTER), {"NAME": "fraud"}
    )
    assert result.ok, result.reason
    assert bench.lines("log") == ["before", "fraud-10s-3", "after"]


def test_it_waits_with_its_inner_run_and_goes_on_with_it(bench: Bench) -> None:
    bench.write(INNER + fence("id=a", "echo a >> log") + fence("id=m", "do it", "manual"), "inner.md")
    outer = bench.run(OUTER)
    assert (outer.status, outer.exit_code) == (RunStatus.WAITING, ExitCode.WAITING_APPROVAL)
    (inner,) = [run for run in bench.runner().history.list() if run.runbook == "inner"]
    assert f"run {inner.id} waiting: m: a person must do this" in outer.reason
    assert bench.runner().resume(outer.id).status is RunStatus.WAITING
    bench.control().answer(inner.id, "m", "yes")
    assert bench.runner().resume(outer.id).ok
    assert bench.lines("log") == ["before", "a", "after"]
    assert len(bench.runner().history.list()) == 2


@pytest.mark.parametrize(
    ("inner", "reason", "code"),
    [
        (INNER + fence("id=a", "exit 3"), "failed: a: ended with 3", FAILED),
        (INNER + fence("id=a expect='> 5'", "up", "promql"), "a: 1, expected > 5", ExitCode(10)),
        (INNER.replace("[a-z]", "[0-9]") + fence("id=a"), "WHO (given) cannot", FAILED),
        (front("params: {WHO: {}}") + fence("id=a"), "'N' is not a parameter", FAILED),
        (INNER, "has no steps", FAILED),
        (INNER + fence("id=a", "runbook: book", "runbook"), "book would run itself", FAILED),
        (INNER + fence("id=a", "runbook: inner", "runbook"), "inner would run itself", FAILED),
        ("", "cannot be read", FAILED),
    ],
)  # fmt: skip
def test_what_goes_wrong_inside_is_told_outside(
    bench: Bench, inner: str, reason: str, code: ExitCode
) -> None:
    if inner:
        bench.write(inner, "inner.md")
    result = bench.run(OUTER)
    assert (result.status, result.exit_code) == (RunStatus.FAILED, code)
    assert reason in result.reason
    assert bench.lines("log") == ["before"]


def test_only_so_many_are_in_one_another(bench: Bench) -> None:
    for number in range(7):
        bench.write(fence("id=a", f"runbook: r{number + 1}", "runbook"), f"r{number}.md")
    bench.write(fence("id=a"), "r7.md")
    assert bench.run(fence("id=a", "runbook: r4", "runbook")).ok
    assert "number 6 in one another" in bench.run(fence("id=a", "runbook: r0", "runbook")).reason


def test_cancelling_the_outer_run_ends_the_inner_one(bench: Bench) -> None:
    bench.write(INNER + fence("id=a", "touch started; while ! test -e go; do sleep 0.02; done"), "inner.md")
    book, cancellation = bench.write(OUTER), Cancellation()
    results = []
    thread = threading.Thread(
        target=lambda: results.append(bench.runner().start(book, {}, cancellation=cancellation))
    )
    thread.start()
    patience = threading.Event()
    while not (bench.folder / "started").exists():
        patience.wait(0.02)
    cancellation.cancel()
    thread.join(90)
    assert results[0].status is RunStatus.CANCELLED
    assert {run.status for run in bench.runner().history.list()} == {RunStatus.CANCELLED}
    (bench.folder / "go").touch()
    again = bench.runner().resume(results[0].id)
    assert again.ok, again.reason
    assert again.run.steps[-1].state is State.OK
    assert len(bench.runner().history.list()) == 2


def test_the_lock_of_a_step_beside_it_is_not_its_own(bench: Bench) -> None:
    until = "while ! test -e {}; do sleep 0.02; done"
    bench.write(
        fence("id=wait", until.format("held")) + fence("id=in", "runbook: locks", "runbook"), "inner.md"
    )
    bench.write(front("lock: x") + fence("id=act", "echo inner >> log"), "locks.md")
    text = fence("id=a parallel lock=x", f"touch held; {until.format('go')}")
    book, results = bench.write(text + fence("id=b parallel", "runbook: inner", "runbook")), []
    thread = threading.Thread(target=lambda: results.append(bench.runner().start(book, {})))
    thread.start()
    patience = threading.Event()
    for _ in range(6000):
        if "step.finished:b" in bench.kinds():
            break
        patience.wait(0.02)
    (bench.folder / "go").touch()
    thread.join(120)
    assert (results[0].status, bench.lines("log")) == (RunStatus.WAITING, [])
    assert "lock/x is held by run" in results[0].reason
    assert bench.runner().resume(results[0].id).ok
    assert bench.lines("log") == ["inner"]


@pytest.mark.parametrize("undo", [True, False])
def test_a_cancelled_inner_run_is_taken_back_or_named(bench: Bench, undo: bool) -> None:
    bench.write(fence("id=act mutates", "echo act >> log") + fence("id=m", "do it", "manual"), "inner.md")
    text = fence("id=in on_fail=rollback", "runbook: inner", "runbook")
    outer = bench.run(text + (fence("undo=in", "echo undo >> log") if undo else ""))
    (inner,) = [run for run in bench.runner().history.list() if run.runbook == "inner"]
    bench.control().cancel(inner.id)
    result = bench.runner().resume(outer.id)
    if undo:
        assert (result.status, bench.lines("log")) == (RunStatus.ROLLED_BACK, ["act", "undo"])
    else:
        assert (result.status, result.exit_code) == (RunStatus.ROLLBACK_FAILED, ExitCode.UNDO_FAILED)
        assert "no undo for in" in result.reason


def test_an_inner_run_that_waits_is_not_forgotten_by_a_rollback(bench: Bench) -> None:
    bench.write(fence("id=act mutates", "echo act >> log") + fence("id=m", "do it", "manual"), "inner.md")
    text = fence("id=in parallel", "runbook: inner", "runbook")
    result = bench.run(text + fence("id=bad parallel on_fail=rollback", "false"))
    assert (result.status, bench.lines("log")) == (RunStatus.ROLLBACK_FAILED, ["act"])
    assert "no undo for in" in result.reason

"""SIGKILL at every journal write of a run, then resume: each effect once, or the run says what is unknown."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from maestro_cli.core.crashpoints import VARIABLE
from maestro_cli.core.errors import Busy, ExitCode
from maestro_cli.journal.verification import verify
from maestro_cli.runbooks.model import RunRecord, RunResult, RunStatus
from maestro_cli.runbooks.projection import RunsProjection
from tests.crash.runbooks.worker import KEY
from tests.unit.runbooks.bench import Bench

pytestmark = pytest.mark.crash
ROOT = Path(__file__).parents[3]


def fence(marks: str, body: str, language: str = "sh") -> str:
    return f"```{language} {{{marks}}}\n{body}\n```\n\n"


def effect(name: str) -> str:
    return fence(f"id={name} mutates", f"echo {name} >> world; touch {name}.there")


def probed(name: str) -> str:
    return effect(name) + fence(f"probe={name}", f"test -e {name}.there")


CHANGE = "kind: rollback\ntarget: deploy/fraud\nnamespace: ml"
FORWARD = (
    fence("id=look expect='> 0'", "up", "promql")
    + fence("id=old capture=OLD", "echo 1")
    + probed("first")
    + fence("verify=first expect='> 0'", "up", "promql")
    + fence("id=change", CHANGE, "change")
    + probed("second")
    + effect("blind")
    + fence("id=last", 'test "$OLD" = 1')
)
BESIDE = (
    probed("one").replace("mutates}", "mutates parallel}")
    + probed("two").replace("mutates}", "mutates parallel}")
    + fence(
        "id=each for_each='x y z' as=POD concurrency=2 mutates",
        'echo "each-$POD" >> world; touch "each-$POD.there"',
    )
    + fence("probe=each", 'test -e "each-$POD.there"')
)
BACKWARD = (
    probed("first")
    + fence("undo=first", "echo undo-first >> world; rm first.there")
    + fence("id=change", CHANGE, "change")
    + probed("second")
    + fence("undo=second", "echo undo-second >> world; rm second.there")
    + fence("verify=second", "false")
)


def places(folder: Path, text: str) -> list[str]:
    """Every journal write of an undisturbed run, before and after."""
    folder.mkdir()
    bench = Bench(folder)
    try:
        bench.run(text)
        writes = [kind.removesuffix(":") for kind in bench.kinds()]
    finally:
        bench.close()
    # The events about a whole run name the step they end with; their place does not.
    names = [name.split(":")[0] if name.startswith("run.") else name for name in writes]
    return [f"run.{when}:{name}" for name in names for when in ("before", "after")]


def spawn(folder: Path, action: str, crash_at: str = "") -> subprocess.Popen[bytes]:
    environment = {**os.environ, VARIABLE: crash_at}
    command = [sys.executable, "-m", "tests.crash.runbooks.worker", str(folder), action]
    return subprocess.Popen(command, cwd=ROOT, env=environment)


def killed(folder: Path, action: str, crash_at: str) -> None:
    process = spawn(folder, action, crash_at)
    try:
        assert process.wait(180) == -signal.SIGKILL, f"{crash_at} was never reached"
    finally:
        process.kill()
        process.wait()


def finish(folder: Path) -> tuple[Bench, RunRecord]:
    """Resume in this process; a run that was never recorded is started again, under its key."""
    bench = Bench(folder)
    runner = bench.runner()
    book = bench.write((folder / "book.md").read_text())
    found: list[RunResult] = []

    def is_left() -> bool:
        """A step that outlived its maestro holds the run until it has ended."""
        try:
            found.append(runner.start(book, {}, key=KEY))
        except Busy:
            return False
        return True

    _eventually(is_left)
    (result,) = found
    assert len(runner.history.list()) == 1
    assert verify(bench.journal.path, [RunsProjection()]).intact
    return bench, result.run


def test_a_run_killed_at_every_write_does_each_thing_once(tmp_path: Path) -> None:
    everywhere = places(tmp_path / "whole", FORWARD)
    assert len(everywhere) == 36
    unknown = []
    for number, place in enumerate(everywhere):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "book.md").write_text(FORWARD)
        killed(folder, "start", place)
        bench, run = finish(folder)
        try:
            effects = bench.lines("world")
            assert len(effects) == len(set(effects)), place
            assert len(bench.changes.world) == 1, place
            if run.status is RunStatus.UNKNOWN:
                unknown.append(place)
                assert run.reason.startswith("blind: it started, no outcome was recorded"), place
                assert "last" not in {step.path for step in run.steps}, place
                word = "done" if "blind" in effects else "redo"
                run = bench.runner().resume(run.id, decisions={"blind": word}).run
            assert run.status is RunStatus.SUCCEEDED, place
            assert sorted(bench.lines("world")) == ["blind", "first", "second"], place
        finally:
            bench.close()
    assert unknown == ["run.after:step.intended:blind", "run.before:step.finished:blind"]


def test_what_runs_at_the_same_time_is_done_once_wherever_it_is_killed(tmp_path: Path) -> None:
    everywhere = places(tmp_path / "whole", BESIDE)
    assert len(everywhere) == 24
    for number, place in enumerate(everywhere):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "book.md").write_text(BESIDE)
        killed(folder, "start", place)
        bench, run = finish(folder)
        try:
            assert run.status is RunStatus.SUCCEEDED, (place, run.reason)
            assert sorted(bench.lines("world")) == ["each-x", "each-y", "each-z", "one", "two"], place
        finally:
            bench.close()


def test_a_rollback_killed_at_every_write_undoes_each_thing_once(tmp_path: Path) -> None:
    everywhere = places(tmp_path / "whole", BACKWARD)
    assert len(everywhere) >= 30
    for number, place in enumerate(everywhere):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "book.md").write_text(BACKWARD)
        killed(folder, "start", place)
        bench, run = finish(folder)
        try:
            assert (run.status, run.exit_code) == (RunStatus.ROLLED_BACK, ExitCode.ROLLED_BACK), place
            assert bench.lines("world") == ["first", "second", "undo-second", "undo-first"], place
            assert [entry[0] for entry in bench.changes.world if isinstance(entry, list)] == [
                "rollback",
                "undo",
            ], place
        finally:
            bench.close()


@pytest.mark.parametrize("first", ["run.after:step.intended:first", "run.before:step.finished:first"])
@pytest.mark.parametrize(
    "second",
    [
        "run.before:run.resumed",
        "run.after:run.resumed",
        "run.before:step.settled:first",
        "run.after:step.settled:first",
        "run.before:step.intended:second",
    ],
)
def test_a_resumed_run_can_be_killed_too(tmp_path: Path, first: str, second: str) -> None:
    (tmp_path / "book.md").write_text(FORWARD)
    killed(tmp_path, "start", first)
    killed(tmp_path, "resume", second)
    bench, run = finish(tmp_path)
    try:
        assert run.status is RunStatus.SUCCEEDED
        assert sorted(bench.lines("world")) == ["blind", "first", "second"]
    finally:
        bench.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_killed_at_its_write_is_given_once_or_asked_again(tmp_path: Path, when: str) -> None:
    asks = fence("id=keep capture=KEEP", "Keep it?", "ask") + fence("id=tell", 'echo "$KEEP" >> world')
    (tmp_path / "book.md").write_text(asks)
    assert spawn(tmp_path, "start").wait(180) == ExitCode.WAITING_APPROVAL
    killed(tmp_path, "answer keep yes", f"run.{when}:run.answered:keep")
    bench, run = finish(tmp_path)
    try:
        if when == "before":
            assert run.status is RunStatus.WAITING
            bench.control().answer(run.id, "keep", "yes")
            run = bench.runner().resume(run.id).run
        assert run.status is RunStatus.SUCCEEDED
        assert bench.lines("world") == ["yes"]
    finally:
        bench.close()


@pytest.mark.parametrize(
    "name", ["run.answered", "run.resumed", "step.settled", "step.intended", "step.finished"]
)
def test_a_retry_that_a_person_asked_for_is_made_once_wherever_it_is_killed(
    tmp_path: Path, name: str
) -> None:
    for when in ("before", "after"):
        folder = tmp_path / when
        folder.mkdir()
        text = fence("id=a on_fail=ask", "echo a >> world; test -e fixed") + fence("id=b", "echo b >> world")
        (folder / "book.md").write_text(text)
        assert spawn(folder, "start").wait(60) == ExitCode.WAITING_APPROVAL
        (folder / "fixed").touch()
        place = f"run.{when}:{name}" if name == "run.resumed" else f"run.{when}:{name}:a"
        if name == "run.answered":
            killed(folder, "answer a retry", place)
        else:
            assert spawn(folder, "answer a retry").wait(60) == 0
            killed(folder, "resume", place)
        bench, run = finish(folder)
        try:
            if run.status is RunStatus.WAITING:
                bench.control().answer(run.id, "a", "retry")
                run = bench.runner().resume(run.id).run
            assert run.status is RunStatus.SUCCEEDED, place
            # The step alters nothing, so an attempt that was cut off is made again.
            tries = 3 if place in ("run.before:step.finished:a",) else 2
            assert bench.lines("world") == ["a"] * tries + ["b"], place
        finally:
            bench.close()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "name",
    ["run.started", "step.intended:inner", "step.intended:deep", "step.finished:deep", "step.finished:inner"],
)
def test_a_run_killed_inside_an_inner_run_goes_on_with_it(tmp_path: Path, when: str, name: str) -> None:
    outer = fence("id=inner", "runbook: inner", "runbook") + fence("id=last", "echo last >> world")
    (tmp_path / "book.md").write_text(outer)
    (tmp_path / "inner.md").write_text(probed("deep"))
    killed(tmp_path, "start", f"run.{when}:{name}")
    bench = Bench(tmp_path)
    try:
        result = bench.runner().start(bench.write(outer), {}, key=KEY)
        assert result.status is RunStatus.SUCCEEDED, result.reason
        assert bench.lines("world") == ["deep", "last"]
        assert len(bench.runner().history.list()) == 2
        assert verify(bench.journal.path, [RunsProjection()]).intact
    finally:
        bench.close()


def _eventually(holds: Callable[[], bool]) -> None:
    patience = threading.Event()
    for _ in range(4500):
        if holds():
            return
        patience.wait(0.02)
    raise AssertionError("it did not come to hold within 90 s")


def test_a_step_that_outlives_its_maestro_keeps_the_run(tmp_path: Path) -> None:
    """Resuming beside the old step could do it twice; the probe is asked only when it has ended."""
    slow = fence("id=slow mutates", "echo $$ > pid; mv pid ready; sleep 30; echo slow >> world")
    (tmp_path / "book.md").write_text(slow + fence("probe=slow", "grep -q slow world"))
    process = spawn(tmp_path, "start")
    ready = tmp_path / "ready"
    bench = Bench(tmp_path)
    try:
        _eventually(ready.exists)
        process.kill()
        process.wait()
        runner = bench.runner()
        (run,) = runner.history.list()
        with pytest.raises(Busy, match="held by another process"):
            runner.resume(run.id)
        os.killpg(int(ready.read_text()), signal.SIGKILL)
        ready.unlink()
        (tmp_path / "world").write_text("slow\n")

        def resumed() -> bool:
            try:
                return runner.resume(run.id).ok
            except Busy:
                return False

        _eventually(resumed)
        assert bench.lines("world") == ["slow"]
    finally:
        process.kill()
        process.wait()
        if ready.exists():
            os.killpg(int(ready.read_text()), signal.SIGKILL)
        bench.close()

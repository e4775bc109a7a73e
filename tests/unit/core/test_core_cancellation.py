"""Cancelling wakes everyone who waits, and can be done from a signal handler at any instruction."""

from __future__ import annotations

import sys
import threading
import time
from types import FrameType
from typing import Any

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ExitCode, Interrupted
from maestro_cli.core.progress import Progress, Quiet


def test_nothing_happens_before() -> None:
    cancellation = Cancellation()
    assert not cancellation.is_set
    assert not cancellation.wait(0.0)
    assert not cancellation.wait(-1.0)
    cancellation.raise_if_set()
    cancellation.pause(0.0)


def test_afterwards_every_wait_ends_at_once() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    assert cancellation.wait(3600.0)
    assert cancellation.wait(3600.0)
    with pytest.raises(Interrupted):
        cancellation.pause(3600.0)


def test_a_termination_stays_one() -> None:
    cancellation = Cancellation()
    cancellation.cancel(terminated=True)
    cancellation.cancel()
    with pytest.raises(Interrupted) as caught:
        cancellation.raise_if_set()
    assert caught.value.exit_code is ExitCode.SIGTERM


def is_inside_wait(thread: threading.Thread) -> bool:
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and frame.f_code.co_name == "wait"


def test_all_threads_that_wait_are_woken() -> None:
    cancellation = Cancellation()
    woken: list[bool] = []
    threads = [
        threading.Thread(target=lambda: woken.append(cancellation.wait(60.0)), daemon=True) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 60
    while not all(is_inside_wait(thread) for thread in threads):
        assert time.monotonic() < deadline
    cancellation.cancel()
    for thread in threads:
        thread.join(timeout=60)
    assert woken == [True] * 4


def test_a_handler_may_cancel_at_any_line_of_a_wait() -> None:
    """A signal handler runs in the thread that waits, between two of its instructions."""
    ended: list[bool] = []

    def wait_and_be_interrupted(at: int) -> bool:
        """Call `cancel` where the `at`-th line is traced; False when `wait` has no such line."""
        cancellation = Cancellation()
        seen = 0

        def trace(frame: FrameType, event: str, argument: object) -> Any:
            nonlocal seen
            if frame.f_code.co_name != "cancel":
                seen += 1
                if seen == at:
                    cancellation.cancel()
            return trace

        sys.settrace(trace)
        try:
            cancellation.wait(0.001)
        finally:
            sys.settrace(None)
        assert cancellation.is_set == (seen >= at)
        return seen >= at

    def run() -> None:
        at = 1
        while wait_and_be_interrupted(at):
            at += 1
        ended.append(at > 3)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout=20)
    assert ended == [True], "wait and cancel block one another"


def test_quiet_is_a_progress_that_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    progress: Progress = Quiet()
    progress.phase("a", "b")
    progress.update("c")
    progress.note("d")
    assert capsys.readouterr() == ("", "")


def test_what_is_to_be_called_is_called_when_it_is_set_and_only_while_asked_for() -> None:
    cancellation, called = Cancellation(), list[str]()
    with cancellation.calling(lambda: called.append("over")):
        pass
    with cancellation.calling(lambda: called.append("now")):
        cancellation.cancel()
    with cancellation.calling(lambda: called.append("already")):
        pass
    assert called == ["now", "already"]

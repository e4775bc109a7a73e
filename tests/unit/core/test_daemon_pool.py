"""Calls beside one another: how many at once, what becomes of their errors, and who waits for them."""

from __future__ import annotations

import subprocess
import sys
from threading import Barrier, Event

import pytest

from maestro_cli.core.daemon_pool import DaemonPool

NEVER = """
import threading
from maestro_cli.core.daemon_pool import DaemonPool

begun = threading.Event()

def never():
    begun.set()
    threading.Event().wait()

with DaemonPool(1, "test") as pool:
    pool.submit(never)
    begun.wait()
print("done")
"""


def test_a_process_ends_although_a_call_never_does() -> None:
    ended = subprocess.run([sys.executable, "-c", NEVER], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


def test_calls_run_beside_one_another_and_leave_their_results_or_errors() -> None:
    both = Barrier(2, timeout=120)  # passes only when two are under way at once
    with DaemonPool(2, "test") as pool:
        first, second, third = (pool.submit(call) for call in (both.wait, both.wait, lambda: 1 // 0))
        assert {first.result(120), second.result(120)} == {0, 1}
        with pytest.raises(ZeroDivisionError):
            third.result(120)


def test_what_has_not_begun_when_it_is_closed_never_begins() -> None:
    begun, goes_on, pool = Event(), Event(), DaemonPool(1, "test")

    def slow() -> str:
        begun.set()
        return "whole" if goes_on.wait(120) else "late"

    running, waiting = pool.submit(slow), pool.submit(lambda: "never")
    assert begun.wait(120)
    pool.close()
    goes_on.set()
    assert waiting.cancelled()
    assert running.result(120) == "whole"

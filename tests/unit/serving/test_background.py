"""What runs beside the answers gives way to them."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from maestro_cli.serving.background import LONGEST_TURN_SECONDS, share_fairly, step_back


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process has one priority")
def test_a_thread_that_steps_back_does_so_alone() -> None:
    def stepped() -> int:
        step_back()
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(stepped).result() == 10
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def test_turns_are_shorter_than_pythons_own() -> None:
    before = sys.getswitchinterval()
    try:
        share_fairly()
        assert sys.getswitchinterval() == pytest.approx(LONGEST_TURN_SECONDS)
        assert LONGEST_TURN_SECONDS < 0.005
    finally:
        sys.setswitchinterval(before)

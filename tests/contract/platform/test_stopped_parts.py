"""A part that a drill stops is left alone until it is resumed, and one that is resumed goes on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import GateNotMet
from maestro_cli.local import stopped_parts
from maestro_cli.local.platform_status import PartStatus, PlatformStatus
from maestro_cli.local.stopped_parts import is_marked, is_over, resume_part, stop_part
from tests.e2e.session import eventually

pytestmark = pytest.mark.contract
CLOCK = SystemClock()


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is said to be the part kubelet-b."""
    made = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    found = PlatformStatus("up", parts=(PartStatus("kubelet-b", "ready", made.pid),))
    monkeypatch.setattr(stopped_parts, "platform_status", lambda state, clock: found)
    yield made
    made.kill()
    made.communicate()


def test_a_part_is_marked_while_it_is_stopped(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    stop_part(tmp_path, "kubelet-b", CLOCK, "drill")
    assert is_marked(tmp_path, "kubelet-b")
    assert stopped_parts.stopped_parts(tmp_path) == ["kubelet-b"]
    eventually(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)

    assert resume_part(tmp_path, "kubelet-b", CLOCK, "drill")
    assert not is_marked(tmp_path, "kubelet-b")
    eventually(lambda: psutil.Process(process.pid).status() != psutil.STATUS_STOPPED)
    assert not resume_part(tmp_path, "kubelet-b", CLOCK, "drill")


def test_what_a_part_started_stops_and_goes_on_with_it_when_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a node does with its pods: also those in groups of their own."""
    below = "subprocess.Popen([sys.executable, '-c', 'input()'], start_new_session=True).wait()"
    script = f"import subprocess, sys; {below}"
    made = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE)
    found = PlatformStatus("up", parts=(PartStatus("kubelet-b", "ready", made.pid),))
    monkeypatch.setattr(stopped_parts, "platform_status", lambda state, clock: found)
    parent = psutil.Process(made.pid)
    eventually(lambda: len(parent.children()) == 1)
    (child,) = parent.children()
    try:
        stop_part(tmp_path, "kubelet-b", CLOCK, "chg-1", with_all=True)
        eventually(lambda: {one.status() for one in (parent, child)} == {psutil.STATUS_STOPPED})
        assert stopped_parts.stopped_for(tmp_path, "kubelet-b") == "chg-1"
        assert resume_part(tmp_path, "kubelet-b", CLOCK, "chg-1")
        eventually(lambda: psutil.STATUS_STOPPED not in {one.status() for one in (parent, child)})

        stop_part(tmp_path, "kubelet-b", CLOCK, "chg-2")
        eventually(lambda: parent.status() == psutil.STATUS_STOPPED)
        assert child.status() != psutil.STATUS_STOPPED
    finally:
        child.kill()
        made.kill()
        made.communicate()


def test_a_part_that_does_not_run_cannot_be_stopped(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    with pytest.raises(GateNotMet, match="kubelet-c does not run"):
        stop_part(tmp_path, "kubelet-c", CLOCK, "drill")
    assert not is_marked(tmp_path, "kubelet-c")


def test_a_part_that_ended_meanwhile_is_neither_stopped_nor_resumed(
    tmp_path: Path, process: subprocess.Popen[bytes]
) -> None:
    process.kill()
    process.wait()
    with pytest.raises(GateNotMet, match="just ended"):
        stop_part(tmp_path, "kubelet-b", CLOCK, "drill")
    assert not is_marked(tmp_path, "kubelet-b")
    assert not resume_part(tmp_path, "kubelet-b", CLOCK, "drill")


def test_what_was_stopped_for_somebody_else_is_not_resumed(
    tmp_path: Path, process: subprocess.Popen[bytes]
) -> None:
    stop_part(tmp_path, "kubelet-b", CLOCK, "drill")
    eventually(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
    assert not resume_part(tmp_path, "kubelet-b", CLOCK, "chg-1")
    assert is_marked(tmp_path, "kubelet-b")
    assert stopped_parts.stopped_for(tmp_path, "kubelet-b") == "drill"
    assert resume_part(tmp_path, "kubelet-b", CLOCK, "drill")
    (tmp_path / "stopped" / "kubelet-b").write_text("")  # as it was written before anybody was named
    assert not is_over(tmp_path, "kubelet-b", CLOCK.now())
    resume_part(tmp_path, "kubelet-b", CLOCK, "chg-1")
    assert not is_marked(tmp_path, "kubelet-b")


def test_a_mark_is_over_at_its_end_and_one_without_is_never(
    tmp_path: Path, process: subprocess.Popen[bytes]
) -> None:
    now = CLOCK.now()
    stop_part(tmp_path, "kubelet-b", CLOCK, "chg-1", now + timedelta(seconds=30))
    assert not is_over(tmp_path, "kubelet-b", now)
    assert is_over(tmp_path, "kubelet-b", now + timedelta(seconds=31))
    stop_part(tmp_path, "kubelet-b", CLOCK, "drill")
    assert not is_over(tmp_path, "kubelet-b", now + timedelta(days=9))

"""A child ends with its rollbacks done, whatever becomes of what it says; nobody waits for it in vain."""

from __future__ import annotations

import array
import fcntl
import os
import signal
import termios
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.chaos import child
from maestro_cli.core.errors import ExitCode
from tests.contract.chaos.lab import Lab, data
from tests.contract.chaos.lab import experiment as read
from tests.contract.chaos.performed import PATIENCE_SECONDS, Performed, action, python, touching
from tests.patience import wait_for

pytestmark = pytest.mark.contract

CHATTER = """
import time
def junk(junk):
    from maestro_cli.chaos.line import _asking
    _asking[0]._line._end.sendall(junk.encode() + b"\\n")
def long(): return ["x" * 19_000] * 1_900
def nap(seconds): time.sleep(seconds)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "chatter.py").write_text(CHATTER)
    return tmp_path


def experiment(folder: Path, *method: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": "t", "description": "d", "method": [*method],
        "rollbacks": [action("tidy", touching(folder / "tidied"))],
    }  # fmt: skip


class Strict(Performed):
    """Wants of each event what it has to have."""

    def _heard(self, event: Mapping[str, Any]) -> None:
        super()._heard(event)
        if event.get("event") == "steady":
            assert event["state"] is not None


@pytest.mark.parametrize("junk", ['{"event": {"ev', "[1]", '"request"', '{"event": "steady"}'])
def test_what_cannot_be_understood_ends_it_after_its_rollbacks(junk: str, folder: Path) -> None:
    nap = action("nap", python("chatter", "nap", seconds=60))
    performed = Strict(folder, experiment(folder, action("junk", python("chatter", "junk", junk=junk)), nap))
    assert performed.child.over.wait(PATIENCE_SECONDS)
    assert "could not be understood" in performed.child.ended()
    assert (folder / "tidied").exists()


class Deaf(Performed):
    """A front end that fails."""

    def _heard(self, event: Mapping[str, Any]) -> None:
        super()._heard(event)
        if event.get("event") == "activity-begun":
            raise BrokenPipeError("nobody reads")


def test_a_front_end_that_fails_ends_it_after_its_rollbacks(folder: Path) -> None:
    nap = action("nap", python("chatter", "nap", seconds=60))
    performed = Deaf(folder, experiment(folder, nap))
    assert performed.child.over.wait(PATIENCE_SECONDS)
    assert "BrokenPipeError: nobody reads" in performed.child.ended()
    assert (folder / "tidied").exists()


class Slow(Performed):
    """Reads nothing from the first activity on, until it is let go on."""

    def __init__(self, *given: Any) -> None:
        self.on = threading.Event()
        super().__init__(*given)

    def _heard(self, event: Mapping[str, Any]) -> None:
        super()._heard(event)
        if event.get("event") == "activity-begun":
            self.on.wait(PATIENCE_SECONDS)

    @property
    def unread_bytes(self) -> int:
        found = array.array("i", [0])
        fcntl.ioctl(self.child._line._end, termios.FIONREAD, found)
        return found[0]


def test_a_stop_in_the_midst_of_a_long_answer_costs_neither_it_nor_the_journal(folder: Path) -> None:
    performed = Slow(folder, experiment(folder, action("long", python("chatter", "long"))))
    wait_for(lambda: performed.unread_bytes > 100_000, "a line that does not fit")
    os.kill(performed.child.pid, signal.SIGUSR1)
    wait_for(lambda: not pending(performed.child.pid), "the signal")
    performed.on.set()
    journal = performed.journal()
    assert (journal["status"], len(journal["run"])) == ("interrupted", 1)
    assert [one["status"] for one in journal["rollbacks"]] == ["succeeded"]


def pending(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    masks = [line.split()[1] for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd"))]
    return any(int(mask, 16) for mask in masks)


def test_the_fault_of_a_run_that_cannot_be_heard_is_taken_back(folder: Path) -> None:
    lab = Lab(folder)
    given = data(hold=60.0)
    given["method"].insert(1, action("junk", python("chatter", "junk", junk="{")))
    report = lab.run(replace(read(given), file=str(folder / "it.yaml")))
    assert report.judged.exit_code is ExitCode.ACTION_FAILED, report.judged.reasons
    assert "could not be understood: a line that is no JSON" in report.judged.reasons[0].what
    assert lab.servers.in_force == 0


def test_its_fault_waits_for_no_rollback(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "LAST_SECONDS", 2.0)
    lab = Lab(folder)
    given = data(hold=60.0)
    given["method"].insert(1, action("junk", python("chatter", "junk", junk="{")))
    given["rollbacks"] = [action("nap", python("chatter", "nap", seconds=60))]
    ended = threading.Thread(
        target=lambda: lab.run(replace(read(given), file=str(folder / "it.yaml"))), daemon=True
    )
    ended.start()
    wait_for(lambda: "experiment.undone" in lab.kinds(), "the undo")
    assert ended.is_alive()
    (undone,) = [one.data["by"] for one in lab.journal.events() if one.kind == "experiment.undone"]
    assert undone == "its process cannot be understood"
    ended.join(PATIENCE_SECONDS)

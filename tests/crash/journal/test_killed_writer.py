"""A journal whose writer is killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import verify

pytestmark = pytest.mark.crash


def test_kill_9_in_the_middle_loses_no_event_that_was_answered(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    code = (
        "import sys, pathlib\nfrom maestro_cli.core.clock import SystemClock\n"
        "from maestro_cli.journal.store import Journal\n"
        "j = Journal(pathlib.Path(sys.argv[1]), clock=SystemClock())\n"
        "while True:\n    print(j.append('n', 's/1', 'me', {}).seq, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    answered = [int(process.stdout.readline()) for _ in range(30)]
    process.kill()
    answered += [int(line) for line in process.stdout.read().split()]
    process.wait()
    process.stdout.close()
    journal = Journal(path, clock=SystemClock())
    assert verify(path).intact
    assert journal.head().seq >= answered[-1]
    journal.append("n", "s/1", "me", {})
    journal.close()

"""On a disk that is mounted read-only every reading command shows what the journal holds, and none writes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from maestro_cli.config.locations import state_dir
from tests.cli.program import COMMAND, Result, environment

MOUNTED = (
    'mount -o bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'  # in a mount namespace of its own
)


def on_read_only_disk(*arguments: str) -> Result:
    """Run maestro where the state folder is mounted read-only; skips where nobody may mount."""
    enter = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    try:
        able = subprocess.run([*enter, "sh", "-c", MOUNTED, str(state_dir()), "true"], check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if able.returncode:
        pytest.skip("nobody may mount here")
    done = subprocess.run(
        [*enter, "sh", "-c", MOUNTED, str(state_dir()), *COMMAND, *arguments],
        env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("journal show -o json", "try.second"),
        ("journal verify", "events   3"),
        ("incident list --all", ""),
        ("change list", ""),
        ("runbook history", ""),
    ],
)
def test_what_is_there_is_shown_and_said_to_be_read_only(journal_file: Path, line: str, shown: str) -> None:
    before = journal_file.read_bytes()
    done = on_read_only_disk("--context", "prod", *line.split())
    assert done.code == 0, done.err
    assert shown in done.out
    assert "the journal of prod is read-only: no change can be made" in done.err
    assert "mounted read-only" in done.err
    assert journal_file.read_bytes() == before


def test_what_would_be_recorded_is_refused(journal_file: Path) -> None:
    done = on_read_only_disk("--context", "prod", "incident", "open", "x")
    assert done.code == 12, done.err
    assert "no change can be made" in done.err
    assert "Traceback" not in done.err

"""A state folder that cannot be used: three lines, exit 12, and nothing was started."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maestro_cli.config.locations import local_state_dir, state_dir
from tests.cli.program import maestro

FIX = "make it a folder that you may write, or set XDG_STATE_HOME"
WITH_JOURNAL = (
    ("journal", "show"),
    ("incident", "list"),
    ("incident", "postmortem", "latest"),
    ("runbook", "run", "high-error-rate", "NAMESPACE=ml", "DEPLOY=fraud"),
    ("local", "up"),
    ("drill", "run", "bad-release"),
)


def a_file(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("", encoding="utf-8")
    return f"{path} is not a folder"


def a_dangling_link(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(path.parent / "nowhere" / "at all")
    return f"{path} is a link to nothing"


def running() -> set[str]:
    """The processes that carry the marker of this test's platform."""
    from maestro_cli.local.instance import id_prefix
    from maestro_cli.local.sweep import survivors

    return {survivor.name for survivor in survivors(id_prefix(local_state_dir()))}


@pytest.mark.parametrize("obstacle", [a_file, a_dangling_link])
@pytest.mark.parametrize("arguments", WITH_JOURNAL, ids=" ".join)
def test_without_a_journal_nothing_is_done(
    configured: Path, arguments: tuple[str, ...], obstacle: object
) -> None:
    assert callable(obstacle)
    place = state_dir() if obstacle is a_dangling_link else state_dir() / "journal"
    reason = obstacle(place)
    result = maestro(*arguments)
    what, why, fix = [line.split(": ", 1)[1] for line in result.err.splitlines()[-3:]]
    assert (result.code, result.out, why, fix) == (12, "", reason, FIX), result.err
    assert what == f"error: the folder {state_dir() / 'journal'} cannot be used"
    assert not running()
    assert not (state_dir() / "local").exists()


@pytest.mark.parametrize("arguments", [("local", "up"), ("local", "down"), ("drill", "run", "bad-release")])
@pytest.mark.parametrize("obstacle", [a_file, a_dangling_link])
def test_a_platform_without_its_folder_does_not_start(arguments: tuple[str, ...], obstacle: object) -> None:
    assert callable(obstacle)
    reason = obstacle(local_state_dir())
    result = maestro(*arguments)
    if arguments == ("local", "down") and obstacle is a_dangling_link:
        assert (result.code, "was not up" in result.out) == (0, True)  # there is nothing behind the link
        return
    assert (result.code, result.out) == (12, "")
    assert result.err.splitlines()[-2:] == [f"  why: {reason}", f"  fix: {FIX}"]
    assert not running()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_told() -> None:
    state_dir().parent.mkdir(parents=True)
    state_dir().parent.chmod(0o500)
    result = maestro("local", "up")
    assert (result.code, result.error_lines[1:]) == (12, ("Permission denied", FIX))

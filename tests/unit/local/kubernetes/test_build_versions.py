"""What other versions of maestro built: kept a while, told, pruned."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from maestro_cli.local.kubernetes.build import remove_others
from maestro_cli.local.kubernetes.build_cache import other_builds
from maestro_cli.local.kubernetes.build_target import NAME, Module, this_machine
from tests.unit.local.kubernetes.conftest import FOREIGN, Ensure, Told, names


def other_version(builds: Path, *, days_unused: int = 0) -> Path:
    folder = builds / "v1.30.0-linux-amd64-0123456789ab"
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(b"x" * 2**20)
    record = folder / "build.json"
    record.write_text("{}", encoding="utf-8")
    then = record.stat().st_mtime - days_unused * 86_400
    os.utime(record, (then, then))
    return folder


def test_another_versions_binary_is_kept_and_told_after_a_build(
    ensure: Ensure, told: Told, builds: Path
) -> None:
    folder = other_version(builds, days_unused=10)
    ensure()
    assert folder.exists()
    assert told.notes[-1].startswith("1 built by other versions of maestro (1 MiB) are kept")
    assert "--prune" in told.notes[-1]


def test_one_that_nobody_used_for_a_month_goes_with_a_build(ensure: Ensure, builds: Path) -> None:
    folder = other_version(builds, days_unused=40)
    ensure()
    assert not folder.exists()


def test_using_a_binary_keeps_it(ensure: Ensure) -> None:
    record = ensure().path.parent / "build.json"
    os.utime(record, (0, 0))
    ensure()
    assert record.stat().st_mtime > 0


def test_pruning_removes_other_versions_and_not_this_ones_for_any_machine(
    ensure: Ensure, told: Told, builds: Path
) -> None:
    folder = other_version(builds)
    ensure()
    ensure(target=FOREIGN)
    assert remove_others(told) == (folder,)
    assert names(builds) == {Module().key(this_machine()), Module().key(FOREIGN)}
    assert other_builds(Module()) == []


def test_pruning_keeps_a_binary_that_runs(told: Told, builds: Path) -> None:
    folder = other_version(builds)
    shutil.copy(shutil.which("sleep") or "/bin/sleep", folder / NAME)
    running = subprocess.Popen([folder / NAME, "1000"])
    try:
        assert remove_others(told) == ()
        assert told.notes == [f"{folder} is kept: its binary runs"]
        assert folder.exists()
    finally:
        running.kill()
        running.wait()
    assert remove_others(told) == (folder,)

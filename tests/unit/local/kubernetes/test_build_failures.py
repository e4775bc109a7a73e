"""A build that fails: what is said, with which code, and that nothing half-made is left."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from maestro_cli.core.errors import ActionFailed, ExitCode, Unreachable
from maestro_cli.local.instance import StateLock
from maestro_cli.local.kubernetes.build_target import Module, this_machine
from tests.fake_go import GoScript
from tests.unit.local.kubernetes.conftest import Ensure, Told, names


def test_modules_that_cannot_be_had_end_4_with_gos_own_words(
    ensure: Ensure, go: GoScript, told: Told, builds: Path
) -> None:
    go.answers(
        list_error="main.go:1: reading\ngo: k8s.io/api@v0.37.2: dial tcp: lookup proxy.test: no such host\n"
    )
    with pytest.raises(Unreachable) as raised:
        ensure(environment={"GOPROXY": "https://me:hunter2@proxy.test,direct"})
    assert raised.value.exit_code == ExitCode.UNREACHABLE
    assert raised.value.why == "go: k8s.io/api@v0.37.2: dial tcp: lookup proxy.test: no such host"
    assert "https://proxy.test,direct" in raised.value.fix
    assert "hunter2" not in raised.value.fix
    assert told.notes == ["go: downloading k8s.io/api v0.37.2", "main.go:1: reading", raised.value.why]
    assert names(builds) == {"build.log"}
    assert str(builds / "build.log") in raised.value.fix


def test_a_build_that_fails_ends_12_and_leaves_its_log_alone(
    ensure: Ensure, go: GoScript, builds: Path
) -> None:
    go.answers(build_error="# k8s.io/api\n./x.go:3: undefined: y\n")
    with pytest.raises(ActionFailed) as raised:
        ensure()
    assert raised.value.exit_code == ExitCode.ACTION_FAILED
    assert raised.value.why == "./x.go:3: undefined: y"
    assert names(builds) == {"build.log"}
    assert "undefined: y" in (builds / "build.log").read_text(encoding="utf-8")


def test_the_log_of_a_failure_is_gone_after_a_build_that_does_not_fail(
    ensure: Ensure, go: GoScript, builds: Path
) -> None:
    go.answers(build_error="x\n")
    with pytest.raises(ActionFailed):
        ensure()
    go.answers(build_error="")
    ensure()
    assert names(builds) == {Module().key(this_machine())}


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ("write /x/_pkg_.a: no space left on device\n", "free some"),
        ("k8s.io/api: compile: signal: killed\n", "GOFLAGS=-p=1"),
    ],
)
def test_a_full_disk_and_a_killed_compiler_are_told_for_what_they_are(
    ensure: Ensure, go: GoScript, said: str, fix: str
) -> None:
    go.answers(build_error=said)
    with pytest.raises(ActionFailed) as raised:
        ensure()
    assert raised.value.why == said.strip()
    assert fix in raised.value.fix


def test_what_was_built_and_is_not_the_control_plane_is_not_kept(
    ensure: Ensure, go: GoScript, builds: Path
) -> None:
    go.answers(said={"etcd": "3.6.0"})
    with pytest.raises(ActionFailed, match="not the control plane") as raised:
        ensure()
    assert "etcd '3.6.0' instead of" in raised.value.why
    assert names(builds) == set()


def test_a_disk_without_room_is_told_before_anything_is_downloaded(
    ensure: Ensure, go: GoScript, builds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=2**30)  # a fake: no test can fill the disk
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(ActionFailed, match="no room") as raised:
        ensure()
    assert "1.0 GiB are free, and building takes 8.7 GiB" in raised.value.why
    assert "XDG_CACHE_HOME" in raised.value.fix
    assert (go.calls("list"), names(builds)) == ([], set())


def test_the_room_of_a_cache_that_the_user_names_is_the_users_affair(
    ensure: Ensure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=2**30)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert ensure(environment={"GOCACHE": str(tmp_path / "kept")}).origin == "built"


def test_no_go_leaves_nothing(ensure: Ensure, builds: Path) -> None:
    with pytest.raises(Unreachable, match="there is no Go"):
        ensure(environment={"PATH": "/nonexistent"})
    assert names(builds) == set()


def test_a_cache_folder_that_cannot_be_made_is_named(ensure: Ensure, builds: Path) -> None:
    builds.parent.parent.mkdir(parents=True)
    builds.parent.write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(ActionFailed, match="nothing can be written to") as raised:
        ensure()
    assert raised.value.why == f"{builds.parent} is not a folder"


def test_a_cache_folder_that_cannot_be_written_is_named(ensure: Ensure, builds: Path) -> None:
    (builds / "build.lock").mkdir(parents=True)  # root, who runs these in CI, may write any folder
    with pytest.raises(ActionFailed, match="nothing can be written to") as raised:
        ensure()
    assert str(builds) in raised.value.what
    assert "XDG_CACHE_HOME" in raised.value.fix


def test_a_binary_in_a_cache_that_cannot_be_written_is_used(
    ensure: Ensure, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = ensure()

    def refuse(*arguments: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "utime", refuse)  # a fake: root, who runs these in CI, may write anywhere
    monkeypatch.setattr(StateLock, "acquire", refuse)
    assert ensure().path == built.path

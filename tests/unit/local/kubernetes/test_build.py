"""Having the binary: named, cached or built; with a fake Go, and everything around it real."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ActionFailed, ExitCode, Interrupted, InvalidFile, Unreachable, UsageError
from maestro_cli.local.instance import StateLock
from maestro_cli.local.kubernetes.build import ensure_binary, remove_others
from maestro_cli.local.kubernetes.build_cache import VARIABLE, Binary, other_builds
from maestro_cli.local.kubernetes.build_target import NAME, Module, Target, parse_target, this_machine
from tests.contract.cluster.running import until
from tests.fake_go import GoScript, is_alive
from tests.unit.local.kubernetes.conftest import Told

FOREIGN = Target("darwin" if this_machine().system == "linux" else "linux", "arm64")
Ensure = Callable[..., Binary]


@pytest.fixture
def ensure(go: GoScript, told: Told) -> Ensure:
    """`ensure_binary` with the fake Go on the path."""

    def run(
        cancellation: Cancellation | None = None, environment: Mapping[str, str] | None = None, **options: Any
    ) -> Binary:
        extra = environment or {}
        return ensure_binary(
            told, cancellation or Cancellation(), environment={**go.environment, **extra}, **options
        )

    return run


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"build.lock"}


def build_settings(go: GoScript) -> dict[str, str]:
    (call,) = go.calls("build")
    settings = call["settings"]
    assert isinstance(settings, dict)
    return settings


# Building


def test_a_build_leaves_the_binary_and_its_record_and_nothing_else(
    ensure: Ensure, told: Told, builds: Path
) -> None:
    built = ensure()
    key = Module().key(this_machine())
    assert built.path == builds / key / NAME
    assert names(builds) == {key}
    assert names(built.path.parent) == {NAME, "build.json"}
    assert (built.origin, built.kubernetes, built.go) == ("built", Module().kubernetes, "1.26.8")
    assert built.size_bytes == built.path.stat().st_size
    assert told.phases == ["download", "compile", "check"]


def test_it_tells_each_module_and_how_many_packages_of_how_many(ensure: Ensure, told: Told) -> None:
    ensure()
    assert "1 modules: k8s.io/api v0.37.2" in told.updates
    assert [text for text in told.updates if "packages: " in text] == [
        "1 of 3 packages: fmt",
        "2 of 3 packages: k8s.io/api",
    ]


def test_the_second_time_it_is_there_and_no_go_is_needed(ensure: Ensure, told: Told) -> None:
    first = ensure()
    told.phases.clear()
    second = ensure(environment={"PATH": "/nonexistent"})
    assert (second.path, second.origin, second.size_bytes) == (first.path, "cache", first.size_bytes)
    assert second.build_seconds == first.build_seconds
    assert told.phases == []


def test_force_builds_again(ensure: Ensure, go: GoScript, builds: Path) -> None:
    ensure()
    assert ensure(force=True).origin == "built"
    assert len(go.calls("build")) == 2
    assert names(builds) == {Module().key(this_machine())}


def test_the_module_that_is_installed_is_not_written_to(ensure: Ensure, go: GoScript) -> None:
    before = {path: path.read_bytes() for path in Module().files}
    ensure()
    assert go.calls("build")[0]["folder"] != str(Module().folder)
    assert {path: path.read_bytes() for path in Module().files} == before


def test_the_versions_are_linked_in_and_nothing_of_this_machine(ensure: Ensure, go: GoScript) -> None:
    ensure()
    words = list(go.calls("build")[0]["words"])  # type: ignore[call-overload]
    flags = next(word for word in words if word.startswith("-ldflags="))
    major, minor, _ = Module().kubernetes.removeprefix("v").split(".")
    for expected in (
        f"version.gitVersion={Module().kubernetes}",
        f"version.gitMajor={major}",
        f"version.gitMinor={minor}",
        f"main.sources={Module().sources}",
        "-s -w",
    ):
        assert expected in flags
    assert "-trimpath" in words
    assert build_settings(go)["CGO_ENABLED"] == "0"


def test_the_users_proxy_and_flags_are_honoured_and_no_workspace_or_other_go(
    ensure: Ensure, go: GoScript
) -> None:
    mine = {"GOPROXY": "https://proxy.test", "GOFLAGS": "-mod=mod", "GOWORK": "/x/go.work", "GOOS": "plan9"}
    ensure(environment=mine)
    settings = build_settings(go)
    assert settings["GOPROXY"] == "https://proxy.test"
    assert settings["GOFLAGS"].split()[0] == "-mod=mod"
    assert (settings["GOWORK"], settings["GOTOOLCHAIN"]) == ("off", "local")
    assert settings["GOOS"] == this_machine().system


@pytest.mark.skipif(sys.platform != "linux", reason="Go's folder is fixed there")
def test_go_counts_nothing_into_the_users_configuration_but_reads_it(ensure: Ensure, go: GoScript) -> None:
    ensure(environment={"XDG_CONFIG_HOME": "/mine"})
    for verb in ("version", "list", "build"):
        for call in go.calls(verb):
            settings = call["settings"]
            assert isinstance(settings, dict)
            assert (settings["XDG_CONFIG_HOME"], settings["GOENV"]) == ("/dev/null", "/mine/go/env")


def test_caches_are_its_own_and_go_with_it_unless_the_user_keeps_some(
    ensure: Ensure, go: GoScript, tmp_path: Path, builds: Path
) -> None:
    ensure()
    settings = build_settings(go)
    for name in ("GOCACHE", "GOMODCACHE", "GOTMPDIR"):
        assert Path(settings[name]).is_relative_to(builds)
        assert not Path(settings[name]).exists()
    assert "-modcacherw" in settings["GOFLAGS"]


def test_a_cache_and_modules_that_the_user_keeps_are_used_and_kept(
    ensure: Ensure, go: GoScript, tmp_path: Path
) -> None:
    kept, modules = tmp_path / "kept", tmp_path / "modules"
    modules.mkdir()
    go.answers(modules=str(modules))
    ensure(environment={"GOCACHE": str(kept)})
    assert build_settings(go)["GOCACHE"] == str(kept)
    assert build_settings(go)["GOMODCACHE"] is None
    assert (kept / "object").exists()


def test_another_machines_binary_is_built_by_the_same_code_and_not_run(ensure: Ensure, go: GoScript) -> None:
    go.answers(said={"etcd": "not what this machine would accept"})
    built = ensure(target=FOREIGN)
    settings = build_settings(go)
    assert (settings["GOOS"], settings["GOARCH"]) == (FOREIGN.system, FOREIGN.processor)
    assert built.path.parent.name == Module().key(FOREIGN)
    assert ensure(target=FOREIGN).origin == "cache"


def test_a_target_that_is_not_known_is_refused() -> None:
    with pytest.raises(UsageError, match="linux/arm") as raised:
        parse_target("linux/arm")
    assert "linux/arm64" in raised.value.why


# Failing


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


# Broken and named ones


@pytest.mark.parametrize("damage", ["cut", "garbage", "no record", "bad record", "not executable", "gone"])
def test_a_broken_binary_in_the_cache_is_told_and_built_again(
    ensure: Ensure, go: GoScript, told: Told, builds: Path, damage: str
) -> None:
    path = ensure().path
    record = path.parent / "build.json"
    match damage:
        case "cut":
            path.write_bytes(path.read_bytes()[:-3])
        case "garbage":
            path.write_bytes(b"\x7fELF" + b"\0" * 400)
        case "no record":
            record.unlink()
        case "bad record":
            record.write_text('{"size_bytes": null}', encoding="utf-8")
        case "not executable":
            path.chmod(0o644)
        case "gone":
            path.unlink()
    told.notes.clear()
    built = ensure()
    assert built.origin == "built"
    assert told.notes[0].startswith("the binary in the cache is broken: ")
    assert ensure().origin == "cache"
    assert names(builds) == {Module().key(this_machine())}


def named(folder: Path, **changed: str) -> Path:
    """A program that answers `version` as asked."""
    module = Module()
    said = {"kubernetes": module.kubernetes, "etcd": module.etcd, "sources": module.sources, **changed}
    path = folder / "mine"
    path.write_text(f"#!/bin/sh\necho '{json.dumps(said)}'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_variables_binary_comes_first_and_nothing_is_built(
    ensure: Ensure, go: GoScript, tmp_path: Path, builds: Path
) -> None:
    ensure()
    mine = named(tmp_path)
    found = ensure(environment={VARIABLE: str(mine)})
    assert (found.path, found.origin) == (mine, "environment")
    assert len(go.calls("build")) == 1


def test_forcing_a_build_that_nothing_would_use_is_refused(ensure: Ensure, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=VARIABLE):
        ensure(environment={VARIABLE: str(named(tmp_path))}, force=True)


def test_the_variable_says_nothing_of_other_machines(ensure: Ensure, tmp_path: Path) -> None:
    assert ensure(environment={VARIABLE: "/nonexistent"}, target=FOREIGN).origin == "built"


def _missing(folder: Path) -> Path:
    return folder / "nowhere"


def _not_executable(folder: Path) -> Path:
    path = named(folder)
    path.chmod(0o644)
    return path


def _other_version(folder: Path) -> Path:
    return named(folder, kubernetes="v1.30.0")


def _other_sources(folder: Path) -> Path:
    return named(folder, sources="0123456789ab")


def _other_program(folder: Path) -> Path:
    return Path("/bin/true")


def _folder(folder: Path) -> Path:
    return folder


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_missing, "there is no file"),
        (_folder, "there is no file"),
        (_not_executable, "may not be executed"),
        (_other_version, "answers kubernetes 'v1.30.0' instead of"),
        (_other_sources, "answers sources '0123456789ab' instead of"),
        (_other_program, "does not answer `version` (nothing, with status 0)"),
    ],
)
def test_a_variable_that_names_something_else_is_an_error_and_never_passed_over(
    ensure: Ensure, go: GoScript, tmp_path: Path, make: Callable[[Path], Path], why: str
) -> None:
    path = make(tmp_path)
    with pytest.raises(InvalidFile) as raised:
        ensure(environment={VARIABLE: str(path)})
    assert raised.value.exit_code == ExitCode.INVALID_FILE
    assert raised.value.what.startswith(f"{path}: {VARIABLE}: ")
    assert why in raised.value.why
    assert "maestro local build" in raised.value.fix
    assert go.calls("build") == []


# Stopping, and more than one


def test_a_cancelled_build_ends_every_process_and_leaves_nothing(
    ensure: Ensure, go: GoScript, told: Told, builds: Path
) -> None:
    go.answers(gate=str(go.gate))
    cancellation = Cancellation()

    def stop(text: str) -> None:
        if text.startswith("2 of 3 packages"):
            until(lambda: go.compiling, "the compiler")
            cancellation.cancel()

    told.on_update = stop
    with pytest.raises(Interrupted):
        ensure(cancellation)
    assert len(go.compiling) == 2
    assert [pid for pid in go.compiling if is_alive(pid)] == []
    assert names(builds) == set()
    assert told.notes[-1].startswith("cancelled; removing")


def test_two_builds_at_once_are_one_build(go: GoScript, builds: Path) -> None:
    go.answers(gate=str(go.gate))
    first, second = Told(), Told()
    found: dict[str, Binary] = {}

    def run(name: str, told: Told) -> None:
        found[name] = ensure_binary(told, Cancellation(), environment=go.environment)

    one = threading.Thread(target=run, args=("one", first))
    one.start()
    until(lambda: go.compiling, "the compiler")
    other = threading.Thread(target=run, args=("other", second))
    other.start()
    until(lambda: "wait" in second.phases, "the other to wait")
    go.gate.touch()
    one.join(60)
    other.join(60)
    assert (found["one"].origin, found["other"].origin) == ("built", "cache")
    assert found["one"].path == found["other"].path
    assert len(go.calls("build")) == 1
    assert second.phases == ["wait"]
    assert second.notes == ["another maestro builds the control plane; waiting for it"]


def test_who_waits_can_be_cancelled_and_the_other_build_goes_on(go: GoScript, builds: Path) -> None:
    go.answers(gate=str(go.gate))
    found: list[Binary] = []
    one = threading.Thread(
        target=lambda: found.append(ensure_binary(Told(), Cancellation(), environment=go.environment))
    )
    one.start()
    until(lambda: go.compiling, "the compiler")
    cancelled = Cancellation()
    cancelled.cancel()
    with pytest.raises(Interrupted):
        ensure_binary(Told(), cancelled, environment=go.environment)
    go.gate.touch()
    one.join(60)
    assert found[0].path.exists()


def test_what_a_killed_build_left_is_removed_by_the_next_look(ensure: Ensure, builds: Path) -> None:
    ensure()
    stale = builds / "building-999999"
    (stale / "cache").mkdir(parents=True)
    (stale / "cache" / "object").write_text("x", encoding="utf-8")
    assert ensure().origin == "cache"
    assert names(builds) == {Module().key(this_machine())}


def test_what_a_running_build_has_is_left_alone(go: GoScript, builds: Path, told: Told) -> None:
    ensure_binary(told, Cancellation(), environment=go.environment)
    go.answers(gate=str(go.gate))
    other = threading.Thread(
        target=ensure_binary,
        args=(Told(), Cancellation()),
        kwargs={"environment": go.environment, "target": FOREIGN},
    )
    other.start()
    until(lambda: go.compiling, "the compiler")
    assert ensure_binary(told, Cancellation(), environment=go.environment).origin == "cache"
    assert [path for path in builds.glob("building-*") if path.is_dir()]
    go.gate.touch()
    other.join(60)
    assert names(builds) == {Module().key(this_machine()), Module().key(FOREIGN)}


# Other versions


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

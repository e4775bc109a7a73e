"""Building the control plane: what it leaves, with which settings; with a fake Go, and all around it real."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from maestro_cli.core.errors import UsageError
from maestro_cli.local.kubernetes.build_target import NAME, Module, parse_target, this_machine
from tests.fake_go import GoScript
from tests.unit.local.kubernetes.conftest import FOREIGN, Ensure, Told, build_settings, names


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

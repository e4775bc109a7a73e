"""A binary that is there already: broken ones are built again, named ones are never passed over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from maestro_cli.core.errors import ExitCode, InvalidFile, UsageError
from maestro_cli.local.kubernetes.build_cache import VARIABLE
from maestro_cli.local.kubernetes.build_target import Module, this_machine
from tests.fake_go import GoScript
from tests.unit.local.kubernetes.conftest import FOREIGN, Ensure, Told, names


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

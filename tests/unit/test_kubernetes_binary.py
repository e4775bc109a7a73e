"""Tests on the real control plane run, or it is said that they did not: never a silent skip."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from maestro_cli.local.kubernetes.build_target import Module
from tests.kubernetes_binary import HOW

_TESTS = """
import os
import pytest

@pytest.mark.kubernetes
def test_real():
    assert os.path.exists(os.environ["MAESTRO_KUBERNETES_BINARY"])

@pytest.mark.kubernetes
def test_really():
    pass

def test_other():
    assert "MAESTRO_KUBERNETES_BINARY" not in os.environ
"""


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a small suite with the hooks of this one; answers pytest's status and what it printed."""
    pytester.makeconftest("from tests.conftest import *")
    pytester.makepyfile(_TESTS)
    pytester.makeini("[pytest]\nmarkers = kubernetes")

    def run(*arguments: str, binary: Path | None = None) -> tuple[int, str]:
        if binary is not None:
            monkeypatch.setenv("MAESTRO_KUBERNETES_BINARY", str(binary))
        done = pytester.runpytest_inprocess(*arguments)
        return int(done.ret), "\n".join([*done.outlines, *done.errlines])

    return run


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    """A fake of the binary: it answers `version` as the real one would."""
    module = Module()
    said = {"kubernetes": module.kubernetes, "etcd": module.etcd, "sources": module.sources}
    path = tmp_path / "binary"
    path.write_text(f"#!/bin/sh\necho '{json.dumps(said)}'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_without_a_binary_one_line_says_what_did_not_run_and_how_to_run_it(run: Run) -> None:
    status, said = run()
    assert status == 0
    assert "1 passed, 2 deselected" in said
    reason = f"{Module().kubernetes} is not built"
    line = f"2 tests on the real control plane did not run ({reason}): {HOW}"
    assert said.splitlines().count(line) == 1


def test_with_a_binary_they_run_and_know_it(run: Run, binary: Path) -> None:
    status, said = run(binary=binary)
    assert (status, "3 passed" in said, "did not run" in said) == (0, True, False)


def test_turned_off_they_are_said_not_to_have_run_whatever_is_there(run: Run, binary: Path) -> None:
    status, said = run("--kubernetes=off", binary=binary)
    assert (status, "1 passed, 2 deselected" in said) == (0, True)
    assert "2 tests on the real control plane did not run (turned off)" in said


def test_alone_they_are_all_that_runs(run: Run, binary: Path) -> None:
    status, said = run("--kubernetes=only", binary=binary)
    assert (status, "2 passed, 1 deselected" in said) == (0, True)


def test_alone_and_without_a_binary_is_an_error(run: Run) -> None:
    status, said = run("--kubernetes=only")
    assert status == pytest.ExitCode.USAGE_ERROR
    assert "no real control plane to test on" in said


def test_a_variable_that_names_a_wrong_binary_is_an_error_and_no_skip(run: Run) -> None:
    status, said = run(binary=Path("/bin/true"))
    assert status == pytest.ExitCode.USAGE_ERROR
    assert "/bin/true: MAESTRO_KUBERNETES_BINARY" in said


def test_nothing_is_said_where_no_such_test_was_asked_for(run: Run) -> None:
    status, said = run("-m", "not kubernetes")
    assert (status, "did not run" in said) == (0, False)


def test_it_is_said_once_however_many_workers_left_them_out(run: Run, binary: Path) -> None:
    status, said = run("-n", "2", "--kubernetes=off", binary=binary)
    assert (status, "1 passed" in said) == (0, True)
    assert said.count("2 tests on the real control plane did not run (turned off)") == 1


def test_a_worker_lends_the_binary_too(run: Run, binary: Path) -> None:
    status, said = run("-n", "2", binary=binary)
    assert (status, "3 passed" in said, "did not run" in said) == (0, True, False)


def test_alone_and_without_a_binary_is_an_error_before_any_worker_starts(run: Run) -> None:
    status, said = run("-n", "2", "--kubernetes=only")
    assert status == pytest.ExitCode.USAGE_ERROR
    assert "no real control plane to test on" in said

"""Tests on the real control plane run, or it is said that they did not: never a silent skip."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from maestro_cli.local.kubernetes.build_target import Module
from tests.kubernetes_binary import HOW

ROOT = Path(__file__).resolve().parents[2]
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


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A small suite with the hooks of this one."""
    folder = tmp_path / "suite"
    folder.mkdir()
    (folder / "conftest.py").write_text("from tests.conftest import *\n", encoding="utf-8")
    (folder / "test_small.py").write_text(_TESTS, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = kubernetes\n", encoding="utf-8")
    return folder


def run(suite: Path, *arguments: str, binary: Path | None = None) -> tuple[int, str]:
    """Exit status and output of pytest on it."""
    environment = {name: value for name, value in os.environ.items() if name != "MAESTRO_KUBERNETES_BINARY"}
    environment |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    if binary is not None:
        environment["MAESTRO_KUBERNETES_BINARY"] = str(binary)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=suite,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    """A fake of the binary: it answers `version` as the real one would."""
    module = Module()
    said = {"kubernetes": module.kubernetes, "etcd": module.etcd, "sources": module.sources}
    path = tmp_path / "binary"
    path.write_text(f"#!/bin/sh\necho '{json.dumps(said)}'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_without_a_binary_one_line_says_what_did_not_run_and_how_to_run_it(suite: Path) -> None:
    status, said = run(suite)
    assert status == 0
    assert "1 passed, 2 deselected" in said
    reason = f"{Module().kubernetes} is not built"
    line = f"2 tests on the real control plane did not run ({reason}): {HOW}"
    assert said.splitlines().count(line) == 1


def test_with_a_binary_they_run_and_know_it(suite: Path, binary: Path) -> None:
    status, said = run(suite, binary=binary)
    assert (status, "3 passed" in said, "did not run" in said) == (0, True, False)


def test_turned_off_they_are_said_not_to_have_run_whatever_is_there(suite: Path, binary: Path) -> None:
    status, said = run(suite, "--kubernetes=off", binary=binary)
    assert (status, "1 passed, 2 deselected" in said) == (0, True)
    assert "2 tests on the real control plane did not run (turned off)" in said


def test_alone_they_are_all_that_runs(suite: Path, binary: Path) -> None:
    status, said = run(suite, "--kubernetes=only", binary=binary)
    assert (status, "2 passed, 1 deselected" in said) == (0, True)


def test_alone_and_without_a_binary_is_an_error(suite: Path) -> None:
    status, said = run(suite, "--kubernetes=only")
    assert status == pytest.ExitCode.USAGE_ERROR
    assert "no real control plane to test on" in said


def test_a_variable_that_names_a_wrong_binary_is_an_error_and_no_skip(suite: Path) -> None:
    status, said = run(suite, binary=Path("/bin/true"))
    assert status == pytest.ExitCode.USAGE_ERROR
    assert "/bin/true: MAESTRO_KUBERNETES_BINARY" in said


def test_nothing_is_said_where_no_such_test_was_asked_for(suite: Path) -> None:
    status, said = run(suite, "-m", "not kubernetes")
    assert (status, "did not run" in said) == (0, False)

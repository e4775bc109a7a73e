"""Each shipped runbook in its drill, one after another on one platform: noticed by its alert, run, scored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.chaos.drills.model import Scenario
from maestro_cli.chaos.drills.scenarios import SCENARIOS
from tests.e2e.session import Session, platform_up

pytestmark = pytest.mark.e2e
ELSEWHERE = {"bad-release", "slow-model"}  # each has a module of its own
IN_THE_LEAGUE = {"crash-loop"}
HERE = [scenario for scenario in SCENARIOS if scenario.name not in ELSEWHERE | IN_THE_LEAGUE]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with platform_up(tmp_path_factory.mktemp("home")) as up:
        yield up


@pytest.mark.parametrize("name", sorted(IN_THE_LEAGUE))
def test_a_runbook_ends_what_another_process_drew_and_sealed(tmp_path: Path, name: str) -> None:
    """As the drill of that name, but nobody here knows before the score what was broken.

    The league starts a platform of its own, with every service that it may break.
    """
    session = Session(tmp_path)
    done = session.run("drill", "run", name, "--seeds", "1", "-o", "json", timeout=900)
    assert done.returncode == 0, done.stderr + done.stdout
    (item,) = json.loads(done.stdout)["items"]
    assert item["passed"], item
    assert (item["cause_rank"], item["run"]) == (1, f"{name} succeeded")
    events = session.json("journal", "show")["items"]
    (intent,) = [event["data"] for event in events if event["kind"] == "drill.intended"]
    assert (intent["seal"], set(intent)) == (item["seal"], {"seal", "targets", "undo"})
    assert session.json("incident", "show", item["incident"])["incident"]["state"] == "closed"
    assert session.json("incident", "list")["items"] == []
    assert session.survivors() == []


@pytest.mark.parametrize("scenario", HERE, ids=lambda scenario: str(scenario.name))
def test_the_runbook_ends_what_its_alert_told_of(session: Session, scenario: Scenario) -> None:
    """That everything is well again, the next drill's baseline shows: it waits until nothing fires."""
    done = session.run("drill", "run", scenario.name, "-o", "json", timeout=900)
    assert done.returncode == 0, done.stderr + done.stdout
    card = json.loads(done.stdout)
    assert card["passed"], card
    assert card["run"] == f"{scenario.runbook} succeeded", card
    assert card["cause_is_right"] is True, card
    found = session.json("incident", "show", card["incident"])
    assert scenario.alert in [signal["name"] for signal in found["signals"]]
    assert found["incident"]["state"] == "closed"
    assert session.json("incident", "list")["items"] == []
    assert session.json("local", "status")["state"] == "up"

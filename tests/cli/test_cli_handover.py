"""The report for the next shift: what it says, in every format, and from the program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.config.locations import state_dir
from maestro_cli.core.canonical import plain
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.people.handover import Handover, hand_over
from maestro_cli.incidents.people.model import Role, TaskKind
from maestro_cli.incidents.people.roster import OnCallNow
from maestro_cli.output.renderers.handover import handover_view
from maestro_cli.runbooks.projection import RunsProjection
from tests.cli.program import check_golden, maestro
from tests.cli.test_cli_oncall import utc as utc
from tests.cli.test_cli_people import written
from tests.unit.changes.test_gate import plan
from tests.unit.incidents.people_room import PROJECTIONS, PeopleRoom
from tests.unit.incidents.world import T0

FORMATS = ("table", "wide", "json", "yaml", "md", "jsonpath={.incidents[*].incident.number}")
RUN, CHANGE = "run-01k9x3e7qhm4tz", "chg-01k9x3e7qhm4tz"


class Room(PeopleRoom):
    """Two open incidents, of which one waits for people, and one that is over and left an action item."""

    def __init__(self, folder: Path) -> None:
        every = (*PROJECTIONS, RunsProjection(), ChangesProjection())
        super().__init__(folder, projections=every)

    def happens(self) -> None:
        over = self.fires("churn")
        self.people.add_task(
            over.id, "mend the probe", kind=TaskKind.ACTION, due_at=T0 + timedelta(minutes=1)
        )
        self.desk.dismiss(over.id, "the probe was wrong")
        self.fires("search")
        self.fires()
        self.desk.set_severity("3", Severity.SEV1)
        self.desk.ack("3")
        self.people.set_role("3", Role.COMMANDER, "ben")
        self.people.update("3", "4% of calls fail \x1b[31m", actions="rolling back", needs="a DBA | quickly")
        self.people.add_task("3", "call the vendor", owner="chi")
        self.desk.open("wrong scores, says the bank", workload=self.desk.get("3").workload)
        self.waits(self.desk.get("3").id)
        self.clock.advance(25 * 60)

    def waits(self, incident: str) -> None:
        """A run waits for an answer, and a change for a second person."""
        started = {"incident": incident, "runbook": "high-error-rate"}
        self.journal.append("run.started", f"run/{RUN}", "ana", started)
        waiting = {"step": "rollback", "reason": "Roll back?"}
        self.journal.append("run.waiting", f"run/{RUN}", "ana", waiting)
        cause = {
            "cause": f"runbook high-error-rate ({incident})",
            "key": None,
            "dry_run": False,
            "undo_of": None,
        }
        self.journal.append(
            "change.planned", f"change/{CHANGE}", "ana", {"plan": plain(plan(id=CHANGE)), **cause}
        )
        decision = {"outcome": "waiting", "reasons": [], "warnings": []}
        appeal = {"accepts": [], "identity": "", "given": True, "typed_context": ""}
        data = {"digest": "0" * 64, "decision": decision, "appeal": appeal}
        self.journal.append("change.waiting", f"change/{CHANGE}", "ana", data)


@pytest.fixture
def room(tmp_path: Path, utc: None) -> Iterator[Room]:
    made = Room(tmp_path)
    made.happens()
    yield made
    made.journal.close()


def handed(room: Room, ref: str = "all") -> Handover:
    now = room.clock.now()
    on_call = OnCallNow("primary", "UTC", "ana", "layer 1", now + timedelta(days=2), "ben")
    return hand_over(room.journal, ref, now, (on_call,))


@pytest.mark.parametrize("form", FORMATS)
def test_a_handover_is_the_same_in_every_format(room: Room, form: str) -> None:
    text = written(handover_view(handed(room)), form)
    assert "\x1b" not in text
    check_golden(f"handover.{form.partition('=')[0]}", text)


def test_the_gravest_comes_first_and_what_is_over_is_left_out(room: Room) -> None:
    found = handed(room)
    assert [one.incident.number for one in found.incidents] == [3, 2]
    assert [task.text for task in found.tasks] == ["mend the probe"]
    (one,) = handed(room, "1").incidents
    assert [task.text for task in one.tasks] == ["mend the probe"]


def test_what_waits_says_how_to_go_on(room: Room) -> None:
    grave, other = handed(room).incidents
    assert [one.fix for one in grave.waiting] == [
        f"maestro runbook resume {RUN}",
        f"maestro approve {CHANGE}",
    ]
    assert [one.fix for one in other.waiting] == ["maestro incident ack 2"]
    assert grave.people.clock.is_overdue(room.clock.now())


def test_the_program_hands_over_also_with_a_broken_on_call_file(configured: Path) -> None:
    room = PeopleRoom(state_dir() / "journal", "prod.sqlite")
    room.fires()
    room.journal.close()
    text = configured.read_text(encoding="utf-8")
    configured.write_text(
        text.replace("namespace: ml", "oncall: gone.yaml\n    namespace: ml"), encoding="utf-8"
    )
    result = maestro("incident", "handover", "-o", "json")
    assert (result.code, "gone.yaml" in result.err) == (0, True), result.err
    body = json.loads(result.out)
    assert (body["schema"], [one["incident"]["number"] for one in body["incidents"]]) == (
        "maestro.dev/handover/v1",
        [1],
    )
    assert maestro("incident", "handover", "9").code == 6

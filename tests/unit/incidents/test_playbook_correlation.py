"""What playbooks say of signals: which are one incident, from how many on, and who does what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.register import list_incidents
from maestro_cli.incidents.timeline import timeline
from maestro_cli.runbooks.playbooks.model import (
    Playbook,
)
from tests.unit.incidents.errand_room import Room, bound
from tests.unit.incidents.world import T0, alert


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.journal.close()


def detector(room: Room, *playbooks: Playbook) -> Detector:
    return Detector(room.journal, room.clock, "watch", bindings=Bindings(playbooks))


def test_signals_are_grouped_as_their_playbook_says_and_others_by_their_workload(room: Room) -> None:
    watch = detector(room, bound("namespace", incident_title="{{ labels.namespace }} burns"))
    other = alert(alertname="Other")
    watch.ingest([alert(deployment="a"), alert(deployment="b"), other], source="alertmanager-api")
    found = {one.key: (one.title, one.signals) for one in list_incidents(room.journal)}
    assert found == {"playbook/burn/ml": ("ml burns", 2), "ml/fraud": ("Other on ml/fraud", 1)}


def test_an_incident_opens_once_enough_signals_fire_that_began_together(room: Room) -> None:
    watch = detector(room, bound("namespace", threshold=3))

    def fire(*minutes: int) -> Any:
        signals = [alert(deployment=f"d{m}", starts_at=T0 + timedelta(minutes=m)) for m in minutes]
        room.clock.advance(600)
        return watch.reconcile(signals, source="alertmanager-api")

    length = len(room.journal.events())
    apart = fire(0, 4, 8)
    assert apart.ignored == {"fewer signals than playbook burn waits for": 3}
    assert len(room.journal.events()) == length, "what opens nothing is not written"
    together = fire(0, 4, 8, 9, 10)
    assert (len(together.opened), together.attached) == (1, 5)
    joined = fire(0, 4, 8, 9, 10, 20)
    assert (joined.opened, joined.attached) == ((), 1)


def test_the_roles_that_a_playbook_names_are_on_the_timeline(room: Room) -> None:
    detector(room, bound(roles={"commander": "ana", "scribe": "bo"})).ingest(
        [alert()], source="alertmanager-api"
    )
    (incident,) = list_incidents(room.journal)
    told = [one.text for one in timeline(room.journal, incident.id) if one.kind == "incident.roles_set"]
    assert told == ["commander is ana, scribe is bo"]


def test_a_label_that_holds_a_template_or_a_slash_makes_no_other_key(room: Room) -> None:
    watch = detector(room, bound("namespace", incident_title="{{ labels.namespace }}"))
    hostile = "{{ labels.deployment }}/../\u202e"
    watch.ingest([alert(namespace=hostile)], source="alertmanager-api")
    (incident,) = list_incidents(room.journal)
    assert incident.title == hostile
    assert incident.key.isascii()
    assert incident.key.count("/") == 2

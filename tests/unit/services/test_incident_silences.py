"""Silences of an incident: what they take in, and that they end with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import GateNotMet, PolicyRefused
from maestro_cli.core.matchers import matchers_text
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.model import SilenceEnd
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.silencing import MAX_VALUES, matchers_of
from maestro_cli.journal.store import Journal
from maestro_cli.services.incident_silences import (
    RETRY_SECONDS,
    SilenceSweep,
    end_silences,
    record_silence,
    silence_plan,
)
from tests.unit.changes.bench import YES, Bench, TickingClock
from tests.unit.changes.fake_alertmanager import PERMISSION
from tests.unit.changes.fake_cluster import FakeCluster
from tests.unit.incidents.world import alert


class Room:
    """An incident with one alert, in a journal of incidents and changes, and an Alertmanager."""

    def __init__(self, folder: Path) -> None:
        self.clock = TickingClock()
        self.cluster = FakeCluster(folder / "cluster.json")
        self.journal = Journal(
            folder / "journal.db", projections=(IncidentProjection(), ChangesProjection()), clock=self.clock
        )
        self.bench = Bench(self.journal, self.cluster, self.clock)
        self.desk = IncidentDesk(self.journal, self.clock, "ana")
        self.detector = Detector(self.journal, self.clock, "watch")
        self.detector.ingest([alert(starts_at=self.clock.now(), pod="p1")], source="alertmanager-api")

    def services(self, **policy: Any) -> Any:
        return SimpleNamespace(
            desk=self.desk, clock=self.clock, cancellation=Cancellation(), actor="ana",
            changes=self.bench.pipeline(actor="ana", **policy),
            alertmanager=self.bench.world.alertmanager,
        )  # fmt: skip

    def silence(self, **policy: Any) -> None:
        services = self.services(**policy)
        plan = silence_plan(services, "latest", "2h", "rolling back")
        record_silence(services, "latest", plan, None)
        services.changes.execute(plan, YES)

    @property
    def live(self) -> list[str]:
        return [one.comment for one in self.bench.world.alertmanager.silences() if not one.is_over]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.journal.close()


def test_it_takes_in_what_all_signals_share_and_each_of_their_names(room: Room) -> None:
    room.detector.ingest([alert(alertname="Slow.Answers", pod="p2")], source="alertmanager-api")
    room.desk.open("users complain", workload=room.desk.get("latest").workload)
    matchers = matchers_of(room.desk.get("latest"), room.desk.signals("latest"))
    assert matchers_text(matchers) == (
        'alertname=~"ErrorBudgetBurn|Slow\\\\.Answers",deployment=fraud,namespace=ml,service=fraud,severity=page'
    )
    for signal in room.desk.signals("latest")[:2]:
        for one in matchers:
            value = signal.labels[one.label]
            assert re.fullmatch(one.value, value) if one.is_regex else one.value == value


def test_a_label_of_any_name_narrows_it(room: Room) -> None:
    told = alert(alertname="Dotted", fingerprint="d0")
    more = {"k8s.pod.name": "p-1", "x" * 200: "cut"}
    room.detector.ingest([replace(told, labels={**told.labels, **more})], source="alertmanager-api")
    (signal,) = [one for one in room.desk.signals("latest") if one.labels["alertname"] == "Dotted"]
    text = matchers_text(matchers_of(room.desk.get("latest"), [signal]))
    assert text.startswith('alertname=Dotted,deployment=fraud,"k8s.pod.name"=p-1,namespace=ml,')
    assert "xxx" not in text
    assert silence_plan(room.services(), "latest", "2h", "").target.ref.kind == "Silence"


def test_a_storm_over_more_namespaces_than_a_silence_names_cannot_be_silenced(room: Room) -> None:
    incident, (signal,) = room.desk.get("latest"), room.desk.signals("latest")
    many = [
        replace(signal, labels={**signal.labels, "namespace": f"n{number}"})
        for number in range(MAX_VALUES + 1)
    ]
    assert any(one.label == "namespace" for one in matchers_of(incident, many[1:]))
    with pytest.raises(GateNotMet, match="too wide"):
        matchers_of(incident, many)


def test_what_people_report_cannot_be_silenced(room: Room) -> None:
    room.desk.open("users complain", namespace="shop")
    with pytest.raises(GateNotMet, match="no alert to silence"):
        silence_plan(room.services(), "latest", "2h", "")


def test_it_is_told_on_the_timeline_with_its_change_and_its_end(room: Room) -> None:
    room.silence()
    (made,) = room.desk.silences("latest")
    assert (made.end, made.until > made.at, made.actor) == (None, True, "ana")
    assert room.live == [f"incident #1: rolling back [maestro {made.change}]"]
    kinds = [entry.kind for entry in room.desk.timeline("latest")]
    assert kinds[-4:] == ["change.planned", "change.intended", "change.applied", "change.verified"]
    assert kinds[-5] == "incident.silenced"


def test_it_ends_with_its_incident_and_no_sooner(room: Room) -> None:
    room.silence()
    assert end_silences(room.services()) == {}
    assert len(room.live) == 1
    room.desk.resolve("latest", force=True, reason="by hand")
    assert end_silences(room.services()) == {}
    assert room.live == []
    (made,) = room.desk.silences("latest")
    assert made.end is SilenceEnd.ENDED
    assert room.desk.timeline("latest")[-1].text.endswith(": the incident is resolved")
    assert "unsilence" in {
        change.data["plan"]["kind"] for change in room.journal.events(kinds=("change.planned",))
    }


def test_one_that_somebody_ended_is_only_told(room: Room) -> None:
    room.silence()
    (made,) = room.bench.world.alertmanager.silences()
    room.bench.world.alertmanager.expire_silence(made.id)
    room.desk.dismiss("latest", "noise")
    assert end_silences(room.services()) == {}
    assert room.desk.timeline("latest")[-1].text.endswith(": it was over already")


def test_one_that_was_refused_was_not_made(room: Room) -> None:
    with pytest.raises(PolicyRefused):
        room.silence(read_only=True)
    assert [one.end for one in room.desk.silences("latest")] == [SilenceEnd.NOT_MADE]
    assert room.live == []
    room.desk.resolve("latest", force=True, reason="by hand")
    assert room.desk.overdue_silences() == ()


def test_a_merge_takes_the_silence_to_the_survivor(room: Room) -> None:
    room.silence()
    other = room.desk.open("the same", namespace="shop")
    room.desk.merge("1", other.id)
    assert room.desk.overdue_silences() == ()
    assert len(room.desk.silences(other.id)) == 1
    room.desk.resolve(other.id, force=True, reason="by hand")
    assert end_silences(room.services()) == {}
    assert room.live == []


def test_what_cannot_be_ended_is_said_and_tried_again_later(room: Room) -> None:
    room.silence()
    room.desk.resolve("latest", force=True, reason="by hand")
    room.cluster.set(denied=[PERMISSION])
    services = room.services()
    (words,) = end_silences(services).values()
    assert "of incident #1 holds until 2026-03-01 05:00 UTC" in words
    assert words.endswith("see: maestro silence list")
    sweep, told = SilenceSweep(services), list[str]()
    sweep(told.append)
    asked = len(room.journal.events(kinds=("change.planned",)))
    sweep(told.append)
    assert len(room.journal.events(kinds=("change.planned",))) == asked
    room.cluster.set(denied=[])
    room.clock.sleep(RETRY_SECONDS)
    sweep(told.append)
    assert room.live == []
    assert told == [words]


def test_a_stale_command_silences_nothing(room: Room) -> None:
    seen = room.desk.get("latest").seq
    room.desk.ack("latest")
    services = room.services()
    plan = silence_plan(services, "latest", "2h", "")
    with pytest.raises(GateNotMet, match="changed since you looked"):
        record_silence(services, "latest", plan, seen)
    room.desk.dismiss("latest", "noise")
    with pytest.raises(GateNotMet, match="is dismissed"):
        record_silence(services, "latest", plan, None)
    assert room.desk.silences("latest") == ()

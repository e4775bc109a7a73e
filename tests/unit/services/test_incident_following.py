"""Following incidents: each change is told once, and what is asked for ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.config.intake import Anomalies, Warnings
from maestro_cli.config.settings import Context, Endpoint
from maestro_cli.core.errors import TimedOut, UsageError
from maestro_cli.core.verdict import Verdict
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.gate import GateScope
from maestro_cli.incidents.intake.blindness import begin_blindness, slot_of
from maestro_cli.services.incident_following import follow_incidents, incident_gate
from tests.unit.incidents.world import Room

Deed = Callable[[], object]


class Scene:
    """Services whose pause does the next deed, and a second later goes on."""

    def __init__(self, folder: Path) -> None:
        self.room = Room(folder)
        self.desk = IncidentDesk(self.room.journal, self.room.clock, "ana")
        self.deeds: list[Deed] = []

    def pause(self, seconds: float) -> None:
        self.room.clock.advance(seconds)
        if self.deeds:
            self.deeds.pop(0)()

    def follow(
        self, ref: str = "", until: str = "", timeout: str = "1m", *, drills: bool = True
    ) -> list[Any]:
        services = SimpleNamespace(desk=self.desk, clock=self.room.clock, cancellation=self)
        looks = follow_incidents(cast(Any, services), ref, until, timeout, drills=drills)
        return [
            ([one.number for one in shown], [(one.number, one.state.value) for one in changed])
            for shown, changed in looks
        ]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.room.journal.close()


def test_each_change_is_told_once_and_the_end_too(scene: Scene) -> None:
    scene.desk.open("one")
    desk = scene.desk
    scene.deeds = [
        lambda: None,
        lambda: desk.open("two"),
        lambda: desk.dismiss("1", "x"),
        lambda: desk.resolve("2"),
    ]
    assert scene.follow(until="resolved") == [
        ([1], [(1, "detected")]),
        ([1], []),
        ([2, 1], [(2, "detected")]),
        ([2], [(1, "dismissed")]),
        ([], [(2, "resolved")]),
    ]


def test_of_a_merged_incident_the_survivor_is_followed(scene: Scene) -> None:
    desk = scene.desk
    desk.open("one")
    desk.open("two")
    scene.deeds = [lambda: desk.merge("1", "2"), lambda: desk.resolve("2")]
    assert scene.follow("1", until="resolved") == [
        ([1], [(1, "detected")]),
        ([2], [(2, "detected")]),
        ([2], [(2, "resolved")]),
    ]


@pytest.mark.parametrize(("until", "looks"), [("opened", 2), ("acked", 3), ("mitigated", 4), ("resolved", 5)])
def test_what_it_is_followed_until(scene: Scene, until: str, looks: int) -> None:
    desk = scene.desk
    begun = desk.open("one") if until != "opened" else None
    scene.deeds = [
        lambda: begun or desk.open("one"),
        lambda: desk.ack("1"),
        lambda: desk.mitigated("1", note="x"),
        lambda: desk.resolve("1"),
    ]
    assert len(scene.follow(until=until)) == looks


def test_drills_can_be_left_out(scene: Scene) -> None:
    scene.desk.open("rehearsal", drill=True)
    assert scene.follow(until="resolved", drills=False) == [([], [])]


def test_it_ends_in_time_and_says_what_was_waited_for(scene: Scene) -> None:
    scene.desk.open("one")
    with pytest.raises(TimedOut, match="within 1m00s") as ended:
        scene.follow(until="resolved")
    assert "not resolved yet" in ended.value.why
    with pytest.raises(UsageError, match="no condition"):
        scene.follow(until="resloved")
    with pytest.raises(UsageError, match="--timeout"):
        scene.follow(timeout="soon")


@pytest.mark.parametrize(
    ("blind", "warnings", "trusted", "verdict"),
    [
        ("kubernetes", True, [], Verdict.INDETERMINATE),
        ("kubernetes", False, [], Verdict.PASS),
        ("anomalies", False, ["error_ratio"], Verdict.INDETERMINATE),
        ("anomalies", False, [], Verdict.PASS),
    ],
)
def test_a_gate_that_needs_a_watch_needs_each_source_that_may_open_an_incident(
    tmp_path: Path, blind: str, warnings: bool, trusted: list[Any], verdict: Verdict
) -> None:
    room = Room(tmp_path)
    context = Context(
        prometheus=Endpoint("http://127.0.0.1:1"), warnings=Warnings(enabled=warnings),
        anomalies=Anomalies(trusted=trusted),
    )  # fmt: skip
    services = SimpleNamespace(
        journal=room.journal, journal_path=room.journal.path, context_name="x",
        desk=IncidentDesk(room.journal, room.clock, "ana"),
        settings=SimpleNamespace(contexts={"x": context}),
    )  # fmt: skip
    room.journal.acquire_lease(slot_of(1), "somebody", 60)
    assert begin_blindness(room.journal, "watch", blind, "no answer")
    reading = incident_gate(cast(Any, services), GateScope(needs_watch=True))
    assert reading.verdict is verdict
    room.journal.close()

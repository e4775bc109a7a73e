"""A failover from its loss to its record: what callers felt, who is sent back and when, what is recorded."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.chaos.ports import Regions
from maestro_cli.chaos.regions.sentinels import Sentinel
from maestro_cli.chaos.running import RunReport
from maestro_cli.config.experiments import ExperimentRules
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.refs import ObjectRef
from tests.contract.chaos.lab import ACTIONS, FakeServers, Lab, LabWorld, data, experiment
from tests.contract.chaos.performed import action, python
from tests.patience import wait_for
from tests.unit.changes.fake_entrances import ENTRANCE, REGIONS, FakeEntrances

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("soon")]


@dataclass
class LabRegions:
    """A FAKE of two regions: east is lost while a server has a fault, and ails `ails_for` seconds longer."""

    servers: FakeServers
    doors: FakeEntrances
    own: str = "east"
    other: str = "west"
    service: str = "fraud"
    entrance: ObjectRef = ENTRANCE
    serves: bool = True  # whether west does
    ails_for: float = 0.0
    there: Sentinel | None = None

    def ails(self, region: str) -> str:
        return ""

    def unserved(self) -> str:
        """Who is sent on to where nobody serves is served by what returns."""
        is_served = not self.is_lost or (self.doors.now.region == "west" and self.serves)
        return "" if is_served else "no answer"

    @property
    def is_lost(self) -> bool:
        return self.servers.in_force > 0

    def see(self) -> None:
        """Whether nobody is to be sent back to east yet."""
        ends = self.servers.read()["ends"]
        is_ill = self.is_lost or (ends and time.monotonic() - ends[-1] < self.ails_for)
        self.doors.ill = {REGIONS["east"]: "no answer"} if is_ill else {}

    def write_sentinel(self, sentinel: Sentinel) -> None:
        if not self.is_lost:
            self.there = sentinel

    def newest_sentinel(self) -> Sentinel | None:
        return self.there


class Doors(FakeEntrances):
    """Whether a region is well is looked at when somebody asks."""

    regions: LabRegions

    def ails(self, url: str) -> str:
        self.regions.see()
        return super().ails(url)


@dataclass(frozen=True)
class RegionsWorld(LabWorld):
    two: Any = None

    @property
    def regions(self) -> Regions:
        return self.two  # type: ignore[no-any-return]


@dataclass
class TwoRegions(Lab):
    rules: ExperimentRules | None = field(
        default_factory=lambda: ExperimentRules(namespaces=["ml"], cap="50%", whole=True)
    )

    def made_world(self) -> LabWorld:
        doors = Doors()
        self.regions = doors.regions = LabRegions(self.servers, doors)
        return RegionsWorld(self.cluster, server_faults=self.servers, doors=doors, two=self.regions)

    def other_region_ails(self) -> str:
        return ""

    def failover_service(self) -> str:
        return self.regions.service

    @property
    def recorded(self) -> list[Mapping[str, Any]]:
        return [event.data for event in self.journal.events() if event.kind == "recovery.measured"]


@pytest.fixture
def lab(tmp_path: Path) -> TwoRegions:
    return TwoRegions(tmp_path)


def failover(**ours: Any) -> dict[str, Any]:
    declared = [
        {"name": "lost", "fault": "server-latency", "parameters": {"milliseconds": 100}},
        {"name": "sent on", "fault": "region-failover"},
    ]
    given = data(faults=declared, failover={"rto": "10s", "rpo": "10s", "every": "100ms"}, **ours)
    given["method"] = [
        action("write", python(ACTIONS, "sentinels", seconds=0.3)),
        action("lose", python(ACTIONS, "inject", fault="lost")),
        action("fail over", python(ACTIONS, "failover", fault="sent on")),
        action("have it back", python(ACTIONS, "undo", fault="lost")),
        action("send back", python(ACTIONS, "undo", fault="sent on")),
    ]
    return given


def test_what_a_failover_took_is_recorded_for_its_service_before_the_run_is_over(lab: TwoRegions) -> None:
    report = lab.run(experiment(failover()))
    assert report.judged.passed, report.judged
    (event,) = lab.recorded
    found = report.findings.failover
    assert found is not None
    assert (event["rto_seconds"], event["passed"], event["service"]) == (found.rto_seconds, True, "fraud")
    assert lab.kinds().index("recovery.measured") < lab.kinds().index("experiment.finished")
    assert lab.regions.doors.now.region == "east"


def test_who_is_served_by_the_return_of_the_region_was_not_failed_over(lab: TwoRegions) -> None:
    """What is taken back ends the probing: what is answered after that is no merit of the failover."""
    lab.regions.serves = False
    given = failover(duration="1500ms")
    nap = action(
        "nap, for longer than it takes to be served", {"type": "process", "path": "sleep", "arguments": "1.5"}
    )
    given["method"].insert(-1, nap)
    report = lab.run(experiment(given))
    assert report.judged.exit_code is ExitCode.CONDITION_NOT_MET, report.judged
    found = report.findings.failover
    assert found is not None
    assert (found.is_felt, found.rto_seconds) == (True, None)
    (event,) = lab.recorded
    assert (event["rto_seconds"], event["passed"], event["unknown"]) == (None, False, ["rto"])


def test_callers_are_sent_back_once_the_region_is_well_however_long_its_recovery_may_take(
    lab: TwoRegions,
) -> None:
    """Longer than any other undo is tried."""
    lab.regions.ails_for = 2.0
    report = lab.run(experiment(failover(recovery="20s")))
    assert report.judged.passed, report.judged
    assert lab.regions.doors.now.region == "east"


def test_who_wants_an_end_twice_waits_for_no_recovery_of_the_region(lab: TwoRegions) -> None:
    lab.regions.ails_for = 3600.0
    cancellation = Cancellation()
    reports: list[RunReport] = []
    given = experiment(failover(recovery="30m"))
    running = threading.Thread(target=lambda: reports.append(lab.run(given, cancellation=cancellation)))
    running.start()
    wait_for(lambda: bool(lab.servers.read()["ends"]), "the region is had back")
    cancellation.cancel()
    wait_for(lambda: "experiment.stopping" in lab.kinds(), "it is heard")
    cancellation.cancel()
    wait_for(lambda: not running.is_alive(), "it is over")
    (report,) = reports
    assert report.judged.exit_code is ExitCode.UNDO_FAILED, report.judged
    assert "not well" in report.judged.reasons[0].what


def test_where_nobody_says_of_which_service_it_counts_for_none_and_that_is_told(lab: TwoRegions) -> None:
    lab.regions.service = ""
    lab.run(experiment(failover()))
    (event,) = lab.recorded
    assert event["service"] is None

"""Two regions, what changes do to them, and a fault of one: all FAKES with a clock of their own."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.chaos.faults.fault import Proof
from maestro_cli.chaos.regions.sentinels import Sentinel
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import Unreachable
from maestro_cli.core.refs import ObjectRef

CLOCK, ENTRANCE = SystemClock(), ObjectRef("Service", "ml", "entrance")


@dataclass
class FakeRegions:
    """A FAKE of two regions; `there` is what is of the sentinels in the other one."""

    own: str = "east"
    other: str = "west"
    why: str = ""
    replicates: bool = True
    there: Sentinel | None = None
    copied_at: datetime | None = None
    service: str = "fraud"
    failures: list[Unreachable] = field(default_factory=list)
    entrance: ObjectRef = ENTRANCE

    def unserved(self) -> str:
        return self.why

    def write_sentinel(self, sentinel: Sentinel) -> None:
        if self.replicates:
            self.there, self.copied_at = sentinel, CLOCK.now()

    def newest_sentinel(self) -> Sentinel | None:
        if self.failures:
            raise self.failures[0]
        return self.there


class FakeWorld:
    """A FAKE of what changes do: `c-lost` loses the region after `loses_after`, and takes `injects_for` more;
    callers are served `serves_after` the switch `c-sent-on` (None: never), and by the return of the region.
    It stamps by the clock when what came about.
    """

    def __init__(self, regions: FakeRegions) -> None:
        self.regions = regions
        self.leads_to, self.is_felt = "east", True
        self.loses_after, self.injects_for = 0.0, 0.0
        self.serves_after: float | None = 0.3
        self.lost_at: datetime | None = None
        self.served_at: datetime | None = None

    def execute(self, plan: Any, *_: Any, **__: Any) -> None:
        if plan.id == "c-lost":
            CLOCK.sleep(self.loses_after)
            self.lost_at, self.regions.replicates = CLOCK.now(), False
            self.regions.why = "no answer" if self.is_felt else ""
            CLOCK.sleep(self.injects_for)
            return
        self.leads_to = "west"
        if self.serves_after is not None:
            threading.Timer(self.serves_after, self.serve).start()

    def serve(self) -> None:
        self.served_at, self.regions.why = CLOCK.now(), ""

    def is_known(self, change: str) -> bool:
        return True

    def take_back(self, change: str, cause: str) -> None:
        self.regions.why = ""

    def get(self, *_: str) -> Any:
        """The entrance."""
        return SimpleNamespace(ref=ENTRANCE, region=self.leads_to, annotations={})


class FakeOutage:
    """A FAKE of the fault alone: its change has its effect, and nothing is left of it.

    With `looks` it never has, and that is set once somebody looked for it.
    """

    looks: threading.Event | None = None

    def effect(self, *_: Any) -> Proof:
        if self.looks is not None:
            self.looks.set()
            return Proof(Holds.NOT_YET, "the region answers")
        return Proof(Holds.YES, "lost")

    def recovery(self, *_: Any) -> Proof:
        return Proof(Holds.YES, "well")

    def residue(self, *_: Any) -> list[str]:
        return []

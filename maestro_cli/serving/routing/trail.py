"""What one request met on its way. Invariant: written by who routes and runs it, read by who tells."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from maestro_cli.serving.chance import random_hex
from maestro_cli.serving.execution.timing import Timing
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.models.repository import Entry
from maestro_cli.serving.telemetry.trace_context import TraceContext

if TYPE_CHECKING:
    from maestro_cli.serving.faults.encounter import Encounter

DIRECT = "direct"  # the route of a request that no document routed


def new_decision_id() -> str:
    """`dec-`, milliseconds since 1970 in hex, 40 random bits: sortable, and no two alike."""
    return f"dec-{time.time_ns() // 1_000_000:011x}{random_hex(5)}"


@dataclass(slots=True)
class Trail:
    """`entry` is the version that was tried last, `arms` what was chosen at each split and switch.

    `served` are the models whose answers are in the answer, `failed` the versions that others stood in for,
    with the status of their errors. `name` is the route's, `is_spread` whether rows went several ways,
    `is_constant` whether a constant of the document answered some.

    `marks` are perf_counter moments: when features, route and encode began. `faults` are a drill's.
    """

    decision: str = field(default_factory=new_decision_id)
    timing: Timing = field(default_factory=Timing)
    entry: Entry | None = None
    served: list[LoadedModel] = field(default_factory=list)
    arms: list[str] = field(default_factory=list)
    failed: tuple[tuple[Entry, int], ...] = ()
    name: str = ""
    is_routed: bool = False
    is_spread: bool = False
    is_constant: bool = False
    is_shadow: bool = False
    trace: TraceContext = field(default_factory=TraceContext)
    marks: list[float] = field(default_factory=list)
    faults: Encounter | None = None

    def mark(self) -> float:
        """Note that the next phase begins, and when."""
        now = time.perf_counter()
        self.marks.append(now)
        return now

    @property
    def route(self) -> str:
        return "/".join(self.arms) or ("default" if self.is_routed else DIRECT)

    @property
    def served_by(self) -> str:
        """`fraud@1#0a1b2c3d`, or several with commas when rows went to several."""
        if len(self.served) == 1:
            return self.served[0].served_by
        return ",".join(dict.fromkeys(model.served_by for model in self.served))

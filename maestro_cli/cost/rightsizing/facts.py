"""What is known of workloads besides their usage: what they ask for, who scales them, what they suffered.

Units: cores, bytes, shares of one. Invariant: a fact has the query that it was read by; what nobody measured
is absent, and never 0.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from maestro_cli.cost.rightsizing.asking import FactQueries
from maestro_cli.cost.rightsizing.model import ContainerId, OutOfMemory, Size, WorkloadId
from maestro_cli.cost.rightsizing.owners import PodKey
from maestro_cli.cost.rightsizing.placement import PlacedPod, Room


@dataclass(frozen=True, slots=True)
class Fact:
    """One observation: what it is of, the query that tells it again, and what that said."""

    what: str
    query: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """A HorizontalPodAutoscaler; targets are percent of the request, None: it does not look at that.

    In the window: `full` is the share of it in which it wanted all the replicas it may have, `wanted` the
    most that it wanted, `used` the largest share of the CPU request that it saw, in percent.
    """

    name: str
    least: float | None = None
    most: float | None = None
    cpu_target: float | None = None
    memory_target: float | None = None
    others: tuple[str, ...] = ()  # metrics that have nothing to do with requests
    full: float | None = None
    wanted: float | None = None
    used: float | None = None
    is_asked: bool = False  # the cluster told of it, and metrics do not


@dataclass(frozen=True, slots=True)
class Throttling:
    """In how many of its periods a container wanted more processor time than its limit."""

    throttled: float
    periods: float

    @property
    def share(self) -> float | None:
        """None: not known."""
        share = self.throttled / self.periods if self.periods > 0 else math.nan
        return None if math.isnan(share) else share


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU that a workload's pod holds: the busy share that it stays under 95 of 100 times in a week.

    `coverage` is the share of the hours of that week in which it was measured.
    """

    gpu: str
    pod: str
    busy: float
    coverage: float
    selector: str = ""  # of its series


@dataclass(frozen=True, slots=True)
class KilledAfter:
    """That a change of its size had a container killed for its memory, as the change itself saw it.

    Metrics are scraped now and then, and may not have seen it. `change` is its id, `at` when it was made, in
    seconds since 1970, `limit` where it ended by that change, in bytes, where that is known.
    """

    change: str
    at: float
    limit: float | None = None


@dataclass(frozen=True)
class Facts:
    """All of it at one instant; `queries` told it, and tell it again."""

    sizes: Mapping[ContainerId, Size] = field(default_factory=dict)
    replicas: Mapping[WorkloadId, int] = field(default_factory=dict)
    autoscalers: Mapping[WorkloadId, Autoscaler] = field(default_factory=dict)
    autoscalers_untold: str = ""  # why it is not known who scales workloads
    kills: Mapping[ContainerId, OutOfMemory] = field(default_factory=dict)
    undone: Mapping[ContainerId, KilledAfter] = field(default_factory=dict)  # the last, in the window
    undone_untold: tuple[str, ...] = ()  # why it is not known what changes saw of kills
    throttling: Mapping[ContainerId, Throttling] = field(default_factory=dict)
    gpus: Mapping[WorkloadId, tuple[Gpu, ...]] = field(default_factory=dict)
    sidecars: frozenset[ContainerId] = frozenset()  # containers that start before the others
    templates: Mapping[WorkloadId, frozenset[str]] = field(default_factory=dict)  # the containers in it
    endings: frozenset[ContainerId] = frozenset()  # of these it is told how they ended, if they did
    unexplained: Mapping[ContainerId, float] = field(default_factory=dict)  # how often started
    alive: Mapping[WorkloadId, tuple[PodKey, ...]] = field(default_factory=dict)
    seen: Mapping[WorkloadId, tuple[PodKey, ...]] = field(default_factory=dict)  # all pods of the window
    pods: tuple[PlacedPod, ...] = ()
    nodes: tuple[Room, ...] = ()
    queries: FactQueries = field(default_factory=FactQueries)

    def killed(self, container: ContainerId) -> OutOfMemory | None:
        """The last kill that metrics or a change saw, with the larger of the limits that were reached.

        A change that does not tell which container it was, or set no limit, forbids cuts and raises nothing.
        """
        seen, undone = self.kills.get(container), self.undone.get(container)
        if undone is None or undone.limit is None:
            return seen
        if seen is None:
            return OutOfMemory(undone.at, undone.limit)
        return OutOfMemory(max(seen.at, undone.at), max(seen.limit or 0.0, undone.limit))

    def sizes_of(self, workload: WorkloadId) -> Mapping[ContainerId, Size]:
        """Those of the containers of one workload."""
        return self._sizes.get(workload, {})

    @cached_property
    def _sizes(self) -> Mapping[WorkloadId, Mapping[ContainerId, Size]]:
        """By workload: of a thousand, each would else look through the sizes of all."""
        found: dict[WorkloadId, dict[ContainerId, Size]] = defaultdict(dict)
        for container, size in self.sizes.items():
            found[container.workload][container] = size
        return found

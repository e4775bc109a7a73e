"""Containers of workloads, and how large a rule says that they should be.

Units: cores and bytes. Invariant: a figure that a rule does not give is None and says why; it is never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from maestro_cli.core.refs import ref_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Vector: TypeAlias = "NDArray[np.float64]"

MIB = 1024.0**2


@dataclass(frozen=True, slots=True, order=True)
class WorkloadId:
    """One workload; its names are untrusted text."""

    namespace: str
    kind: str
    name: str

    def __str__(self) -> str:
        return str(ref_of(self.kind, self.namespace, self.name))


@dataclass(frozen=True, slots=True, order=True)
class ContainerId:
    """One container of the pods of a workload."""

    workload: WorkloadId
    container: str

    def __str__(self) -> str:
        return f"{self.workload}/{self.container}"


@dataclass(frozen=True, slots=True)
class Amount:
    """Of one resource, what to request and where to end it; `why` says why there is no request.

    `lowest` and `highest` bound the request where a rule gives bounds.
    """

    request: float | None
    limit: float | None = None
    why: str = ""
    lowest: float | None = None
    highest: float | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one rule says of one container."""

    cpu: Amount
    memory: Amount


@dataclass(frozen=True, slots=True)
class Size:
    """What a container asks for and where it ends; None: not set."""

    cpu_request: float | None = None
    cpu_limit: float | None = None
    memory_request: float | None = None
    memory_limit: float | None = None


@dataclass(frozen=True, slots=True)
class OutOfMemory:
    """That a container was killed for its memory; `limit` where it ended then, `at` in seconds since 1970."""

    at: float
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """How much of its time one resource of a container was measured.

    `span_seconds` is the time from the first to the last sample; `week` is the share of the hours of a week
    that were measured, 0 to 1.
    """

    span_seconds: float = 0.0
    week: float = 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What all containers of one name of a workload used, pods pooled.

    `cpu` are mean cores over five minutes up to `cpu_times` (seconds since 1970); `peaks` the largest working
    sets in bytes of a day of one pod up to `peak_times`. `memory_points` is how many samples are behind them.
    """

    cpu: Vector
    cpu_times: Vector
    peaks: Vector
    peak_times: Vector
    memory_points: float
    cpu_seen: Seen
    memory_seen: Seen
    killed: OutOfMemory | None = None

    @property
    def peak(self) -> float | None:
        return float(self.peaks.max()) if len(self.peaks) else None

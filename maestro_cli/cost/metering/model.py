"""What was there in each hour of a window, and how much of it was asked for and used.

Every matrix is one row a thing and one column an hour, in unit-hours: core-hours, GiB-hours, GPU-hours. A
thing that was there for half of an hour has half. Invariant: what was not measured is NaN, never 0;
`coverage` of an hour
says which share of it was measured, and an hour begins at a full hour of UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from maestro_cli.cost.prices.model import Capacity, Resource

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Matrix: TypeAlias = "NDArray[np.float64]"

HOUR = timedelta(hours=1)
GIB = 1024.0**3


def hour_of(instant: datetime) -> datetime:
    """When the hour of UTC began that an instant is in."""
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Hours:
    """`count` whole hours from `start`, a full hour of UTC."""

    start: datetime
    count: int

    @property
    def end(self) -> datetime:
        return self.start + self.count * HOUR

    def beginning(self, index: int) -> datetime:
        return self.start + index * HOUR


@dataclass(frozen=True, slots=True)
class ContainerRef:
    """One container of one pod, and what it belongs to; label values are untrusted text.

    `workload_kind` and `workload` are the topmost owner's (the Deployment, not its ReplicaSet; a CronJob, not
    its Job), empty for a pod without one. `labels` are those of the pod; `model`, `version`: what it serves.
    """

    namespace: str
    pod: str
    container: str
    node: str
    workload_kind: str = ""
    workload: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    team: str = ""
    model: str = ""
    version: str = ""
    qos: str = ""


@dataclass(frozen=True, slots=True)
class NodeRef:
    """One node; `zone` and `region` by its topology labels. It lasts from when it came until it went."""

    name: str
    instance_type: str = ""
    region: str = ""
    zone: str = ""
    capacity: Capacity = Capacity.ON_DEMAND
    gpu: str = ""
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class VolumeRef:
    """One persistent volume and its claim; without `claim` none holds it (any more, where it
    has a namespace), without `pods` none mount it."""

    name: str
    storage_class: str = ""
    namespace: str = ""
    claim: str = ""
    pods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BalancerRef:
    """One Service of the type LoadBalancer."""

    namespace: str
    service: str


class Signal(Enum):
    """What is paid by how much of it is taken in: GiB, millions of records, millions of spans."""

    LOGS = "logs"
    LOG_RECORDS = "log records"
    SPANS = "spans"


@dataclass(frozen=True, slots=True)
class TelemetryRef:
    """A signal and the namespace that sent it; empty: nobody told which."""

    signal: Signal
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Metered:
    """What one cluster was made of, and who had it.

    `requested` and `used` have one row a container, `capacity` one row a node (what the machine has,
    reserved parts included: all of it is paid), `present` the share of each hour that a node was there,
    `volume_gib` one row a volume in GiB-hours, `balancer_hours` one row a load balancer. `sent_gib` is what
    left each container by destination (`zone`, `region`, `internet`), where that is known. `coverage` has one
    figure an hour, 0 to 1. `notes` say what is missing. A container that was not there in an hour has NaN.
    `until` is when it was looked at; without it, the hours were over. `running` has one row a container: for
    how long of each hour its pod ran, None in a record that does not tell. `telemetry_amounts` has one row of
    `telemetry`, NaN in hours in which nobody counted that signal.
    """

    cluster: str
    hours: Hours
    containers: tuple[ContainerRef, ...]
    nodes: tuple[NodeRef, ...]
    volumes: tuple[VolumeRef, ...]
    requested: Mapping[Resource, Matrix]
    used: Mapping[Resource, Matrix]
    capacity: Mapping[Resource, Matrix]
    present: Matrix
    volume_gib: Matrix
    coverage: Matrix
    sent_gib: Mapping[str, Matrix] = field(default_factory=dict)
    balancers: tuple[BalancerRef, ...] = ()
    balancer_hours: Matrix | None = None
    notes: tuple[str, ...] = ()
    until: datetime | None = None
    telemetry: tuple[TelemetryRef, ...] = ()
    telemetry_amounts: Matrix | None = None
    running: Matrix | None = None

    @property
    def measured_until(self) -> datetime:
        """Up to when there is anything: the now of every report of it, whenever that is made."""
        return self.hours.end if self.until is None else min(self.until, self.hours.end)

    @property
    def over(self) -> Matrix:
        """The share of each hour that is over."""
        import numpy as np

        begun = (self.measured_until - self.hours.start) / HOUR - np.arange(self.hours.count)
        return np.clip(begun, 0.0, 1.0)

    @property
    def measured_share(self) -> float:
        """The share of the time that is over that was measured: each hour weighs as much of it as is over."""
        whole = float(self.over.sum())
        return float((self.coverage * self.over).sum()) / whole if whole > 0 else 0.0

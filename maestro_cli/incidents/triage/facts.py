"""What the collectors bring together, as the ranking reads it.

Invariant: frozen and complete: ranking looks at nothing else, so a recorded case can be ranked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from maestro_cli.core.facts.cluster import ClusterEvent, Node, Pod
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.triage.configuration import ConfigEdit, Routing, Use
from maestro_cli.incidents.triage.model import Onset
from maestro_cli.incidents.triage.surroundings import Around


@dataclass(frozen=True, slots=True)
class Rollout:
    """One revision of a workload and when it began to run (again)."""

    ref: WorkloadRef
    revision: int
    replica_set: str
    active_at: datetime
    current: bool
    previous: int | None  # the revision it replaced, if the cluster still has it
    changes: tuple[str, ...]  # the template's diff, in words
    change_cause: str = ""
    replicas: int = 0
    replicas_ready: int = 0

    @property
    def subject(self) -> str:
        return f"{self.ref} revision {self.revision}"

    @property
    def is_restart(self) -> bool:
        """Nothing but annotations of its pods changed, as `kubectl rollout restart` does."""
        return bool(self.changes) and all(one.startswith("metadata.annotations") for one in self.changes)


@dataclass(frozen=True, slots=True)
class Tally:
    """Requests and failed ones, before the onset and since."""

    requests_before: float = 0.0
    errors_before: float = 0.0
    requests_since: float = 0.0
    errors_since: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.requests_before + other.requests_before,
            self.errors_before + other.errors_before,
            self.requests_since + other.requests_since,
            self.errors_since + other.errors_since,
        )

    @property
    def ratio_before(self) -> float | None:
        """None without requests."""
        return self.errors_before / self.requests_before if self.requests_before >= 1 else None

    @property
    def ratio_since(self) -> float | None:
        """None without requests."""
        return self.errors_since / self.requests_since if self.requests_since >= 1 else None


@dataclass(frozen=True, slots=True)
class SplitRow:
    """One combination of dimensions; a dimension that the metrics lack is ""."""

    pod: str
    node: str
    revision: str
    version: str
    tally: Tally
    zone: str = ""  # of the node
    segment: str = ""

    def value(self, dimension: str) -> str:
        return str(getattr(self, dimension))


DIMENSIONS = ("version", "revision", "pod", "node", "zone", "segment")


def tally_by(rows: Iterable[SplitRow], dimension: str) -> dict[str, Tally]:
    """Rows added up by one dimension; rows without it are left out."""
    found: dict[str, Tally] = {}
    for row in rows:
        value = row.value(dimension)
        if value:
            found[value] = found.get(value, Tally()) + row.tally
    return found


@dataclass(frozen=True, slots=True)
class Latency:
    """The 95th percentile in seconds by one dimension, before the onset and since."""

    dimension: str
    before: dict[str, float]
    since: dict[str, float]


@dataclass(frozen=True, slots=True)
class Saturation:
    """What pods use of what they have, by pod; a part that nobody measures is empty.

    `cpu` is a share of the limit, `throttled` the share of periods in which the limit held a pod back;
    `pressure` are nodes and the conditions that they are under.
    """

    cpu: Mapping[str, float] = field(default_factory=dict)
    throttled: Mapping[str, float] = field(default_factory=dict)
    in_flight: Mapping[str, float] = field(default_factory=dict)
    waiting: Mapping[str, float] = field(default_factory=dict)
    pressure: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogGroup:
    """Lines of one shape: how many a pod wrote before the onset and since."""

    fingerprint: str
    shape: str
    sample: str
    level: str
    is_bad: bool
    counts: dict[str, tuple[int, int]]

    @property
    def before(self) -> int:
        return sum(before for before, _ in self.counts.values())

    @property
    def since(self) -> int:
        return sum(since for _, since in self.counts.values())

    @property
    def is_new(self) -> bool:
        return self.before == 0 and self.since > 0


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """All that is known of a case; what a failed collector would have brought is empty."""

    workload: WorkloadRef | None
    onset: Onset
    rollouts: tuple[Rollout, ...] = ()
    pods: tuple[Pod, ...] = ()
    nodes: tuple[Node, ...] = ()
    events: tuple[ClusterEvent, ...] = ()
    split: tuple[SplitRow, ...] = ()
    latency: tuple[Latency, ...] = ()
    logs: tuple[LogGroup, ...] = ()
    load_factor: float | None = None
    load_before: float | None = None
    judged: Mapping[str, Tally] = field(default_factory=dict)  # by version; an error is a wrong answer
    saturation: Saturation = field(default_factory=Saturation)
    memory: Mapping[str, float] = field(default_factory=dict)  # pod → share of its limit that it uses
    nodes_named: frozenset[str] = field(default_factory=frozenset)  # by the labels of the signals
    services: frozenset[str] = field(default_factory=frozenset)  # names of other workloads around
    alert_at: datetime | None = None  # the start of the first signal
    uses: tuple[Use, ...] = ()  # what configures the workload
    edits: tuple[ConfigEdit, ...] = ()  # of what it uses, newest first
    routing: Routing | None = None
    around: Around = field(default_factory=Around)
    declared: frozenset[tuple[str, int]] = field(
        default_factory=frozenset
    )  # versions that its template names

    def revision_of(self, pod: str) -> str:
        """The revision of a pod by its ReplicaSet's name, or ""."""
        for rollout in self.rollouts:
            if rollout.replica_set and pod.startswith(f"{rollout.replica_set}-"):
                return str(rollout.revision)
        return ""


def with_zones(rows: Sequence[SplitRow], nodes: Sequence[Node]) -> tuple[SplitRow, ...]:
    """The rows with the zones of their nodes."""
    zones = {node.name: node.zone for node in nodes}
    return tuple(replace(row, zone=zones.get(row.node, "")) for row in rows)


def with_revisions(rows: Sequence[SplitRow], own: Sequence[Rollout]) -> tuple[SplitRow, ...]:
    """Fill in the revision of rows whose metrics lack it, from the pod's ReplicaSet name."""
    found = []
    for row in rows:
        if not row.revision:
            match = next((item for item in own if row.pod.startswith(f"{item.replica_set}-")), None)
            row = replace(row, revision=str(match.revision)) if match is not None else row
        found.append(row)
    return tuple(found)

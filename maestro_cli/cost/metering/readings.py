"""What Prometheus answered, laid out by the hour, in the units of the model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from maestro_cli.cost.cluster_series import ClusterSeries
from maestro_cli.cost.metering.bins import Chunk, Grid
from maestro_cli.cost.metering.collectors import exporter_of, exporters_query
from maestro_cli.cost.metering.identities import Identities, Named, PodKey
from maestro_cli.cost.metering.labels import LabelNames
from maestro_cli.cost.metering.model import GIB, Hours, Signal
from maestro_cli.cost.metering.queries import CLUSTER_LABELS, LOOK_SECONDS, MEMORY, MeterQueries
from maestro_cli.cost.metering.telemetry import (
    COUNTERS,
    TELLER,
    TelemetryNames,
    Told,
    sender_of,
    telemetry_query,
)
from maestro_cli.slo.ports import RawSeries

Key: TypeAlias = tuple[str, ...]
Take: TypeAlias = Callable[["Readings", Chunk, Iterable[RawSeries]], None]
_HOUR_LOOKS = 3600 // LOOK_SECONDS
_EXPORTED = "exported_"


@dataclass(frozen=True, slots=True)
class Meter:
    """What is metered: `match` are labels of the series of one cluster among several in one Prometheus.

    `destination` is where all that pods send is taken to go; empty: it is not counted.
    """

    cluster: str = ""
    match: Mapping[str, str] = field(default_factory=dict)
    labels: LabelNames = field(default_factory=LabelNames)
    destination: str = ""
    telemetry: TelemetryNames = field(default_factory=TelemetryNames)


class Readings:
    """Unit-hours where the bin was looked at, and means of a bin where the name says so."""

    def __init__(self, hours: Hours) -> None:
        self.hours = hours
        self.told_running = Grid[tuple[PodKey, str]](hours.count)  # and by which exporter
        self.mean_requests = Grid[Key](hours.count)  # namespace, pod, uid, container, resource
        self.told_cpu = Grid[Key](hours.count)  # namespace, pod, container, and the job that told it
        self.mean_memory = Grid[Key](hours.count)
        self.mean_gpu = Grid[Key](hours.count)
        self.nodes = Grid[str](hours.count)
        self.mean_capacity = Grid[Named](hours.count)  # node, resource
        self.volumes = Grid[str](hours.count)
        self.balancers = Grid[Named](hours.count)
        self.watched = Grid[str](hours.count)  # by exporter; "" is any of them
        self.sent = Grid[Named](hours.count)
        self.telemetry: dict[int, Grid[Told]] = {}  # by the number of the counter
        self.exporters: defaultdict[tuple[str, str, Signal], set[str]] = defaultdict(set)
        self.clashing: set[str] = set()  # nodes
        self.node_of: dict[Key, str] = {}  # by namespace, pod, uid, or without a uid by who measured use
        self.identities = Identities()


def questions(bin_seconds: int, wanted: Meter) -> Iterator[tuple[str, Take]]:
    """Every query of a chunk, and who takes its answer."""
    queries = MeterQueries(bin_seconds, wanted.match)
    yield queries.running, _running
    yield queries.requests, _requests
    yield queries.cpu, _cpu
    yield queries.memory, _memory
    yield queries.gpu, _gpu
    yield queries.nodes, _nodes
    yield queries.capacity, _capacity
    yield queries.volumes, _volumes
    yield queries.balancers, _balancers
    yield queries.watched, _watched
    series = ClusterSeries(wanted.match)
    counted = telemetry_query(series, wanted.telemetry, bin_seconds)
    counted += f" or {exporters_query(series, wanted.telemetry)}"
    yield counted, partial(_telemetry, wanted.telemetry)
    if not set(CLUSTER_LABELS) & set(wanted.match):
        yield queries.clashing, _clashing
    if wanted.destination:
        yield queries.sent, _sent


def _named(series: RawSeries, *labels: str) -> Key:
    return tuple(series.labels.get(label, "") for label in labels)


def _running(found: Readings, chunk: Chunk, answer: Iterable[RawSeries]) -> None:
    for one in answer:
        namespace, pod, uid, exporter = _named(one, "namespace", "pod", "uid", "instance")
        found.told_running.put(((namespace, pod, uid), exporter), chunk, one, 1 / _HOUR_LOOKS)


def _requests(found: Readings, chunk: Chunk, answer: Iterable[RawSeries]) -> None:
    """A pod that waits for its node is told of without one, and asks for the same."""
    for one in answer:
        key = _named(one, "namespace", "pod", "uid", "container", "resource")
        factor = 1 / GIB if key[-1] == MEMORY else 1.0
        found.mean_requests.put(key, chunk, one, factor, largest=True)
        if node := one.labels.get("node"):
            found.node_of[key[:3]] = node


def _cpu(found: Readings, chunk: Chunk, answer: Iterable[RawSeries]) -> None:
    """A pod of a name that moved used processors on both nodes; of two jobs each tells all of that."""
    for one in answer:
        key = _named(one, "namespace", "pod", "container", "job")
        found.told_cpu.put(key, chunk, one, 1 / 3600)
        _ran_on(found, one)


def _memory(found: Readings, chunk: Chunk, answer: Iterable[RawSeries]) -> None:
    """The mean memory of a pod that moved is that of one of its nodes."""
    for one in answer:
        key = _named(one, "namespace", "pod", "container")
        found.mean_memory.put(key, chunk, one, 1 / GIB, largest=True)
        _ran_on(found, one)


def _ran_on(found: Readings, one: RawSeries) -> None:
    if node := one.labels.get("node"):
        found.node_of[_named(one, "namespace", "pod")] = node


def _gpu(found: Readings, chunk: Chunk, answer: Iterable[RawSeries]) -> None:
    """The exporter's own pod is told where the scrape does not keep the labels of what it measured."""
    labels = ("namespace", "pod", "container")
    for one in answer:
        exported = _named(one, *(_EXPORTED + label for label in labels))
        key = exported if exported[1] else _named(one, *labels)
        if key[1]:
            found.mean_gpu.put(key, chunk, one, 0.01)


def _nodes(found: Readings, chunk: Chunk, answer: Iterable[RawSeries]) -> None:
    for one in answer:
        found.nodes.put(one.labels.get("node", ""), chunk, one, 1 / _HOUR_LOOKS)


def _capacity(found: Readings, chunk: Chunk, answer: Iterable[RawSeries]) -> None:
    for one in answer:
        node, resource = _named(one, "node", "resource")
        factor = 1 / GIB if resource == MEMORY else 1.0
        found.mean_capacity.put((node, resource), chunk, one, factor)


def _volumes(found: Readings, chunk: Chunk, answer: Iterable[RawSeries]) -> None:
    for one in answer:
        found.volumes.put(one.labels.get("persistentvolume", ""), chunk, one, 1 / _HOUR_LOOKS / GIB)


def _balancers(found: Readings, chunk: Chunk, answer: Iterable[RawSeries]) -> None:
    for one in answer:
        namespace, service = _named(one, "namespace", "service")
        found.balancers.put((namespace, service), chunk, one, 1 / _HOUR_LOOKS)


def _watched(found: Readings, chunk: Chunk, answer: Iterable[RawSeries]) -> None:
    for one in answer:
        found.watched.put(one.labels.get("instance", ""), chunk, one, 1 / _HOUR_LOOKS)


def _clashing(found: Readings, chunk: Chunk, answer: Iterable[RawSeries]) -> None:
    found.clashing |= {one.labels.get("node", "") for one in answer}


def _sent(found: Readings, chunk: Chunk, answer: Iterable[RawSeries]) -> None:
    for one in answer:
        namespace, pod = _named(one, "namespace", "pod")
        found.sent.put((namespace, pod), chunk, one, 1 / GIB)


def _telemetry(names: TelemetryNames, found: Readings, chunk: Chunk, answer: Iterable[RawSeries]) -> None:
    for one in answer:
        number = int(one.labels.get(TELLER, "0"))
        if number >= len(COUNTERS):
            job, exporter = exporter_of(number, one.labels)
            found.exporters[job].add(exporter)
            continue
        counter = COUNTERS[number]
        grid = found.telemetry.setdefault(number, Grid[Told](found.hours.count))
        key = (counter.program, one.labels.get("job", ""), sender_of(one.labels, names))
        grid.put(key, chunk, one, 1 / counter.unit)

"""How each revision of a workload fared, from Prometheus.

Invariant: events are counted where they happened: a series belongs to the revision whose ReplicaSet made its
pod (label `pod`, or the hash of its template), which a rollback does not renumber. Where the series carry
neither, events count for the revision that was the only one with ready replicas then, else for none.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from maestro_cli.changes.candidates.model import Kept, Track, Tracks
from maestro_cli.changes.ports import MetricsPort, World
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.facts.cluster import Revision, Workload
from maestro_cli.core.facts.metrics import Series
from maestro_cli.core.promql import promql_selector
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.slo.objectives import Counters, Objective

LEAST_LOOKBACK_SECONDS = 7200.0
MOST_LOOKBACK_SECONDS = 7 * 86400.0
_MOST_POINTS = 5000  # a step of two minutes for seven days
_LEAST_STEP_SECONDS = 15.0
_LEAST_RATE_SECONDS = 120.0  # two scrapes a minute apart
SET_HASH = "controller_revision_hash"
_HASHES = ("pod_template_hash", SET_HASH)  # labels of pods, as Prometheus spells them
Points = dict[datetime, float]
ByRevision = dict[str, Points]


@dataclass(frozen=True, slots=True)
class Window:
    """What is looked at: from `start` to `end` every `step_seconds`."""

    start: datetime
    end: datetime
    step_seconds: float

    @property
    def range(self) -> str:
        """The range of a rate, for PromQL."""
        return prometheus_duration(max(self.step_seconds, _LEAST_RATE_SECONDS))


def window_of(revisions: Sequence[Revision], now: datetime) -> Window:
    """From the first revision on, at least two hours and at most seven days."""
    age = max((seconds_between(revision.created_at, now) for revision in revisions), default=0.0)
    lookback = min(max(age, LEAST_LOOKBACK_SECONDS), MOST_LOOKBACK_SECONDS)
    step = float(max(_LEAST_STEP_SECONDS, math.ceil(lookback / _MOST_POINTS)))
    return Window(now - timedelta(seconds=lookback), now, step)


def read_tracks(world: World, workload: Workload, revisions: Sequence[Revision], now: datetime) -> Tracks:
    """The track of every revision that left one; what goes wrong is said in it and never raised."""
    window = window_of(revisions, now)
    lookback = seconds_between(window.start, window.end)
    try:
        objectives = counting_objectives(world, workload.ref)
        if not objectives:
            return Tracks({}, why_uncounted(world, workload.ref), lookback)
        reading = Reading(world.metrics, workload, revisions, window)
        return Tracks(reading.tracks(objectives), reading.lacks, lookback)
    except MaestroError as error:
        return Tracks({}, error.what, lookback)


def counting_objectives(
    world: World, ref: WorkloadRef, services: Collection[str] = ()
) -> list[tuple[Objective, Counters]]:
    """The watched objectives of a workload, or of its Services, whose events are counted; their counters."""
    return [
        (one, counters)
        for one in world.objectives.values()
        if one.is_watched and one.is_for(ref, services) and (counters := one.counters) is not None
    ]


def why_uncounted(world: World, ref: WorkloadRef, services: Collection[str] = ()) -> str:
    """Why a workload has none of them."""
    if any(one.is_watched and one.is_for(ref, services) for one in world.objectives.values()):
        return f"no objective of {ref} counts its events"
    return f"the context has no objective for {ref}"


class Reading:
    """One look at the metrics of one workload; methods raise what the source raises."""

    def __init__(
        self, metrics: MetricsPort, workload: Workload, revisions: Sequence[Revision], window: Window
    ) -> None:
        self._metrics = metrics
        self._workload = workload
        self._names = {revision.name for revision in revisions}
        self._name_of = revision_named(revisions)
        self._window = window
        self._alone: Mapping[datetime, str] | None = None
        self._untold = False

    @property
    def lacks(self) -> str:
        """What series of a set lack to tell its revisions, and how they get it; "" when nothing is missing.

        The pods of a Deployment tell theirs by their name.
        """
        kind = self._workload.ref.kind
        if kind == "Deployment" or not self._untold:
            return ""
        return (
            f"the series of {self._workload.ref} do not tell which revision of a {kind} a pod is of: give"
            f" them the label {SET_HASH}, in Prometheus by relabelling __meta_kubernetes_pod_label_{SET_HASH}"
        )

    def tracks(self, objectives: Sequence[tuple[Objective, Counters]]) -> dict[str, Track]:
        live = self._ask(objectives[0][1].total)
        kept: dict[str, list[Kept]] = defaultdict(list)
        answering: dict[str, set[datetime]] = defaultdict(set)
        for objective, counters in objectives:
            total = self._rates(counters.total)
            counted = self._rates(counters.bad or counters.good or counters.total)
            for name in live:
                points = total.get(name, {})
                kept[name].append(self._kept(objective, counters, points, counted.get(name, {})))
                answering[name] |= {at for at, rate in points.items() if rate > 0}
        return {
            name: self._track(points, answering[name] & set(points), tuple(kept[name]))
            for name, points in live.items()
            if points
        }

    def _track(self, live: Points, answering: set[datetime], kept: tuple[Kept, ...]) -> Track:
        step = self._window.step_seconds
        answered = sum(seconds_between(*life) for life in _lives(answering, step))
        return Track(_lives(live, step), answered, kept, step)

    def _kept(self, objective: Objective, counters: Counters, total: Points, counted: Points) -> Kept:
        events, part = (sum(points.values()) * self._window.step_seconds for points in (total, counted))
        bad = part if counters.bad is not None else max(0.0, events - part)
        is_accuracy = objective.labels.get("sli") == "accuracy"
        return Kept(objective.name, objective.budget, events, bad, objective.counts_errors, is_accuracy)

    def _rates(self, selector: str) -> ByRevision:
        return self._ask(f"rate({selector}[{self._window.range}])")

    def _ask(self, expression: str) -> ByRevision:
        """The expression, added up for each revision."""
        found: ByRevision = defaultdict(dict)
        nobody: Points = {}
        for series in self._range(by_replica_set(expression)):
            name = self._name_of(series.labels)
            points = found[name] if name else nobody
            self._untold = self._untold or not (name or series.labels.get(SET_HASH))
            if name or not ({"replica_set", *_HASHES} & set(series.labels)):
                _add(points, series)
        if nobody and not found:
            for at, value in nobody.items():
                if at in self._the_only_ones():
                    found[self._the_only_ones()[at]][at] = value
        return found

    def _the_only_ones(self) -> Mapping[datetime, str]:
        """Which revision was the only one with ready replicas, at each instant where one was."""
        if self._alone is None:
            metric = "kube_replicaset_status_ready_replicas"
            selector = promql_selector(metric, {"namespace": self._workload.ref.namespace})
            ready: dict[datetime, set[str]] = defaultdict(set)
            for series in self._range(f"sum by (replicaset) ({selector}) > 0"):
                name = str(series.labels.get("replicaset", ""))
                if name in self._names:
                    for at, _ in series.points:
                        ready[at].add(name)
            self._alone = {at: next(iter(names)) for at, names in ready.items() if len(names) == 1}
        return self._alone

    def _range(self, promql: str) -> Sequence[Series]:
        window = self._window
        return self._metrics.query_range(promql, window.start, window.end, window.step_seconds)


def revision_named(revisions: Sequence[Revision]) -> Callable[[Mapping[str, str]], str]:
    """Tells from the labels of `by_replica_set` which of the revisions they are of, by its name, or ""."""
    names = {revision.name for revision in revisions}
    by_hash = {one.template_hash: one.name for one in revisions if one.template_hash}

    def name_of(labels: Mapping[str, str]) -> str:
        name = str(labels.get("replica_set", ""))
        if name in names:
            return name
        hashes = (labels.get(label, "") for label in _HASHES)
        return next((by_hash[found] for found in hashes if found in by_hash), "")

    return name_of


def by_replica_set(expression: str, *others: str) -> str:
    """The sum of an expression's series for each ReplicaSet that their pods came from (`fraud-5c9-x2x4z`)."""
    named = f'label_replace({expression}, "replica_set", "$1", "pod", "(.+)-[^-]+")'
    return f"sum by ({', '.join(('replica_set', *_HASHES, *others))}) ({named})"


def _lives(instants: Collection[datetime], step_seconds: float) -> tuple[tuple[datetime, datetime], ...]:
    """The stretches for which it held for certain: from their first instant to their last."""
    found: list[tuple[datetime, datetime]] = []
    for at in sorted(instants):
        if found and seconds_between(found[-1][1], at) < 1.5 * step_seconds:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return tuple(found)


def _add(points: Points, series: Series) -> None:
    for at, value in series.points:
        if math.isfinite(value):
            points[at] = points.get(at, 0.0) + value

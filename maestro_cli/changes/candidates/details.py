"""What else the metrics tell of each revision: how slow it was, and which models it served.

Invariant: what cannot be told is left out. A revision's 95th percentile is that of the last half hour of its
last life, from the histogram that a latency objective of the workload is on.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from maestro_cli.changes.candidates.measuring import by_replica_set
from maestro_cli.changes.candidates.model import Details, Track, Tracks
from maestro_cli.changes.ports import MetricsPort, World
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.facts.cluster import Revision, Workload
from maestro_cli.core.promql import promql_selector
from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.slo.objectives import Latency, Objective

MODEL_INFO = "maestro_model_info"
_LONGEST_SECONDS, _SHORTEST_SECONDS = 1800.0, 120.0
_DIGEST_CHARACTERS = 12


def read_details(
    world: World, workload: Workload, revisions: Sequence[Revision], tracks: Tracks, now: datetime
) -> Details:
    """The details of every revision with a track; raises nothing."""
    try:
        metrics = world.metrics
        buckets = next(filter(None, map(_buckets, _objectives(world, workload))), "")
        slow = {
            name: p95
            for name, track in tracks.by_name.items()
            if buckets and (p95 := _p95(metrics, buckets, name, track)) is not None
        }
        names = {revision.name for revision in revisions}
        return Details(slow, _models(metrics, workload, names, tracks.lookback_seconds, now))
    except MaestroError:
        return Details()


def short_digest(digest: str) -> str:
    """Enough of an artefact's digest to tell it by."""
    return digest.removeprefix("sha256:")[:_DIGEST_CHARACTERS]


def _objectives(world: World, workload: Workload) -> Sequence[Objective]:
    return [one for one in world.objectives.values() if one.is_watched and one.is_for(workload.ref)]


def _buckets(objective: Objective) -> str:
    """The selector of the histogram that an objective counts fast answers of, or ""."""
    kind = objective.indicator
    return kind.buckets if isinstance(kind, Latency) else ""


def _p95(metrics: MetricsPort, buckets: str, name: str, track: Track) -> float | None:
    begin, end = track.lives[-1]
    seconds = min(max(seconds_between(begin, end), _SHORTEST_SECONDS), _LONGEST_SECONDS)
    rates = by_replica_set(f"rate({buckets}[{prometheus_duration(math.ceil(seconds))}])", "le")
    for sample in metrics.query(f"histogram_quantile(0.95, {rates})", at=end).samples:
        if sample.labels.get("replica_set") == name and math.isfinite(sample.value):
            return sample.value
    return None


def _models(
    metrics: MetricsPort, workload: Workload, names: set[str], lookback_seconds: float, now: datetime
) -> Mapping[str, tuple[Untrusted, ...]]:
    selector = promql_selector(MODEL_INFO, {"namespace": workload.ref.namespace})
    loaded = f"last_over_time({selector}[{prometheus_duration(math.ceil(lookback_seconds))}])"
    found: dict[str, set[str]] = defaultdict(set)
    for sample in metrics.query(by_replica_set(loaded, "model", "version", "digest"), at=now).samples:
        labels = sample.labels
        name = labels.get("replica_set", "")
        if name in names:
            digest = short_digest(labels.get("digest", ""))
            found[str(name)].add(f"{labels.get('model', '')}={labels.get('version', '')}@{digest}")
    return {name: tuple(map(Untrusted, sorted(models))) for name, models in found.items()}

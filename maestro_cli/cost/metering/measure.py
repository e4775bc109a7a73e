"""Meter a cluster: ask Prometheus chunk by chunk, two questions at a time, and lay answers out by the hour.

Invariants: the number of queries depends on the length of the window alone; two exporters that tell the same
thing are one; what was not measured is NaN and lowers the coverage.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from maestro_cli.core.daemon_pool import DaemonPool
from maestro_cli.core.errors import NoData, UsageError
from maestro_cli.core.quantities import format_duration
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.metering.assembling import assemble
from maestro_cli.cost.metering.bins import Chunk, chunks
from maestro_cli.cost.metering.model import HOUR, Hours, Metered
from maestro_cli.cost.metering.queries import LOOK_SECONDS, MeterQueries
from maestro_cli.cost.metering.readings import Meter, Readings, Take, questions
from maestro_cli.cost.ports import MeterMetrics
from maestro_cli.slo.ports import RawSeries, TooMuch

THREADS = 2
HOURS_AT_ONCE = 48
_MOST_NAMED = 3
_Answer: TypeAlias = "Future[tuple[RawSeries, ...]]"


def meter(metrics: MeterMetrics, wanted: Meter, hours: Hours, now: datetime) -> Metered:
    """What there was in these hours; of the last one, what is over by `now`.

    Raises MaestroError. A Prometheus that knows of nothing gives what has no row and a coverage of 0.
    """
    found = Readings(hours)
    parts = list(chunks(hours, now, HOURS_AT_ONCE))
    with DaemonPool(THREADS, "metering") as pool:
        asked = deque(
            (chunk, promql, take, pool.submit(partial(_ask, metrics, promql, chunk)))
            for chunk in parts
            for promql, take in questions(chunk.bin_seconds, wanted)
        )
        selector = MeterQueries(LOOK_SECONDS, wanted.match).identities
        identities = [pool.submit(partial(metrics.series, selector, one.start, one.end)) for one in parts]
        while asked:
            chunk, promql, take, answer = asked.popleft()
            _take_whole(metrics, promql, take, chunk, answer, found)
        for told in identities:
            found.identities.take(told.result())
    _require_one_cluster(found)
    return assemble(found, wanted, now, (*_notes(metrics, hours, now), *_clusters(found)))


def _require_one_cluster(found: Readings) -> None:
    """Raises UsageError where nodes of one name are of several clusters: as one they would cost once."""
    if not found.clashing:
        return
    names = sorted(found.clashing)
    told = sorted((label, sorted(values)) for label, values in found.identities.clusters.items() if values)
    label, values = next(_told_apart(found), next(iter(told), ("cluster", ["NAME"])))
    why = f"{label} is {_some(values)}" + ("" if len(values) > 1 else ", and some series have none")
    raise UsageError(
        f"this Prometheus has several clusters, and nodes of one name in them: {_some(names)}",
        why=why,
        fix=f"costs: {{match: {{{label}: {visible(values[0], 60)}}}}} in the context",
    )


def _clusters(found: Readings) -> Iterator[str]:
    for label, values in _told_apart(found):
        yield f"several clusters as one ({label} {_some(values)}): costs.match of the context tells one alone"


def _told_apart(found: Readings) -> Iterator[tuple[str, list[str]]]:
    """Labels of clusters that have several values."""
    return ((label, sorted(values)) for label, values in found.identities.clusters.items() if len(values) > 1)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(visible(one, 60) for one in names[:_MOST_NAMED]) + more


def _ask(metrics: MeterMetrics, promql: str, chunk: Chunk) -> tuple[RawSeries, ...]:
    return tuple(metrics.steps(promql, chunk.start, chunk.end, chunk.bin_seconds))


def _take_whole(
    metrics: MeterMetrics, promql: str, take: Take, chunk: Chunk, answer: _Answer, found: Readings
) -> None:
    """Take an answer in; one that was too much at once is asked for in halves."""
    try:
        take(found, chunk, answer.result())
    except TooMuch as error:
        halves = chunk.halves()
        if halves is None:
            raise NoData(
                "one hour of this cluster is more than Prometheus may answer at once",
                why=str(error),
                fix="raise its --query.max-samples, or select one cluster by `costs.match` of the context",
            ) from error
        for half in halves:
            told: _Answer = Future()
            try:
                told.set_result(_ask(metrics, promql, half))
            except TooMuch as again:
                told.set_exception(again)
            _take_whole(metrics, promql, take, half, told, found)


def _notes(metrics: MeterMetrics, hours: Hours, now: datetime) -> Iterator[str]:
    kept = metrics.retention_seconds()
    if kept is not None and hours.start < now - timedelta(seconds=kept):
        yield f"Prometheus keeps {format_duration(kept)}: the window begins before that"
    if hours.end > now:
        yield f"the hour from {hours.end - HOUR:%H:%M} UTC is not over"

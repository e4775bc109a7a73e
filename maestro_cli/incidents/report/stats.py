"""How fast incidents were detected, acknowledged, mitigated and resolved, over a window and against the last.

Invariant: pure; a time that an incident does not have counts nowhere, and every figure says of how many.
Drills, false alarms and incidents that were merged into another are told apart and not counted. Times are
those of the clock: detection, mitigation and resolution from the first signal's start, ack from the opening.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from maestro_cli.core.clock import from_rfc3339, seconds_between
from maestro_cli.incidents.model import Incident, State

MAX_SERVICES = 20


class Measure(StrEnum):
    """What is measured, by the name of its mean."""

    DETECT = "MTTD"
    ACK = "MTTA"
    MITIGATE = "MTTM"
    RESOLVE = "MTTR"


@dataclass(frozen=True, slots=True)
class Sample:
    """One incident; `rule_seconds` is how long its rule took to fire from when a metric showed that something
    is wrong, `own_seconds` how long maestro took from then on; None where no metric shows the beginning."""

    incident: Incident
    rule_seconds: float | None = None
    own_seconds: float | None = None

    def seconds(self, measure: Measure) -> float | None:
        """How long it took, None when it did not happen (yet) or when it began is not known."""
        times = self.incident.times
        start, end = {
            Measure.DETECT: (times.started_at, times.opened_at),
            Measure.ACK: (times.opened_at, times.acked_at),
            Measure.MITIGATE: (times.started_at, times.mitigated_at),
            Measure.RESOLVE: (times.started_at, times.resolved_at),
        }[measure]
        if measure is not Measure.ACK and not times.start_known:
            return None
        return None if end is None else max(seconds_between(start, end), 0.0)

    @property
    def service(self) -> str:
        """The workload, else the namespace, else "-"."""
        return str(self.incident.workload or self.incident.namespace or "-")


def sample_of(incident: Incident, triage: Mapping[str, Any] | None) -> Sample:
    """`triage` is the recorded `incident.suspects`: its onset is when a metric left its baseline.

    Only Alertmanager's start of an alert is when its rule fired; that of Prometheus is when its expression
    began to hold, from which the two delays cannot be told apart. An onset that only repeats the alert's
    start says nothing.
    """
    onset = triage["onset"] if triage is not None else {"basis": "alert"}
    began = None if onset["basis"] == "alert" else from_rfc3339(onset["at"])
    times = incident.times
    told = times.start_known and incident.opened_from.startswith("alertmanager")
    fired = times.started_at if told else None
    if began is None or fired is None or began > fired:
        return Sample(incident)
    own = max(seconds_between(fired, times.opened_at), 0.0)
    return Sample(incident, seconds_between(began, fired), own)


@dataclass(frozen=True, slots=True)
class Figure:
    """Of `count` values in seconds; all None when there are none."""

    count: int
    mean: float | None
    p50: float | None
    p90: float | None


def figure(values: Iterable[float | None]) -> Figure:
    """Those that are there; quantiles are interpolated between neighbours, as Prometheus does."""
    found = sorted(value for value in values if value is not None)
    if not found:
        return Figure(0, None, None, None)
    return Figure(len(found), math.fsum(found) / len(found), quantile(found, 0.5), quantile(found, 0.9))


def quantile(ordered: Sequence[float], share: float) -> float:
    """Of at least one value in ascending order."""
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


@dataclass(frozen=True, slots=True)
class Group:
    """The incidents of one severity, service or week, by its name."""

    name: str
    incidents: int
    figures: dict[Measure, Figure]


@dataclass(frozen=True, slots=True)
class Stats:
    """`left_out` counts by reason (drill, dismissed, merged); `previous` is the window of the same length
    right before; `rule` and `own` split the time to detect, where the beginning is known from a metric."""

    since: datetime
    until: datetime
    whole: Group
    previous: Group
    severities: tuple[Group, ...]
    services: tuple[Group, ...]
    weeks: tuple[Group, ...]
    rule: Figure
    own: Figure
    open: int
    left_out: dict[str, int]


def stats_of(samples: Sequence[Sample], since: datetime, until: datetime, *, drills: bool = False) -> Stats:
    """The incidents opened from `since` until before `until`."""
    before = since - (until - since)
    window = [one for one in samples if since <= one.incident.times.opened_at < until]
    counted = [one for one in window if not _left_out(one.incident, drills)]
    earlier = [
        one
        for one in samples
        if before <= one.incident.times.opened_at < since and not _left_out(one.incident, drills)
    ]
    reasons = Counter(_left_out(one.incident, drills) for one in window)
    return Stats(
        since=since,
        until=until,
        whole=_group("all", counted),
        previous=_group("before", earlier),
        severities=_severities(counted),
        services=_services(counted),
        weeks=_weeks(counted, since, until),
        rule=figure(one.rule_seconds for one in counted),
        own=figure(one.own_seconds for one in counted),
        open=sum(one.incident.state.is_open for one in counted),
        left_out={reason: count for reason, count in sorted(reasons.items()) if reason},
    )


def _left_out(incident: Incident, drills: bool) -> str:
    """Why an incident does not count; "" when it does."""
    if incident.drill and not drills:
        return "drill"
    return incident.state.value if incident.state in (State.DISMISSED, State.MERGED) else ""


def _group(name: str, samples: Sequence[Sample]) -> Group:
    figures = {measure: figure(one.seconds(measure) for one in samples) for measure in Measure}
    return Group(name, len(samples), figures)


def _by_name(samples: Sequence[Sample], name_of: Callable[[Sample], str]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for one in samples:
        found.setdefault(name_of(one), []).append(one)
    return found


def _severities(samples: Sequence[Sample]) -> tuple[Group, ...]:
    named = _by_name(samples, lambda one: one.incident.severity.value)
    return tuple(_group(name, named[name]) for name in sorted(named))


def _services(samples: Sequence[Sample]) -> tuple[Group, ...]:
    """Those with the most incidents; the others are no group."""
    named = _by_name(samples, lambda one: one.service)
    names = sorted(named, key=lambda name: (-len(named[name]), name))[:MAX_SERVICES]
    return tuple(_group(name, named[name]) for name in names)


def week_of(instant: datetime) -> datetime:
    """The Monday, 00:00 UTC, that its week began with."""
    day = instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def _weeks(samples: Sequence[Sample], since: datetime, until: datetime) -> tuple[Group, ...]:
    """Every week that the window touches, also those without an incident."""
    named = _by_name(samples, lambda one: f"{week_of(one.incident.times.opened_at):%Y-%m-%d}")
    found, start = [], week_of(since)
    while start < until:
        name = f"{start:%Y-%m-%d}"
        found.append(_group(name, named.get(name, [])))
        start += timedelta(days=7)
    return tuple(found)

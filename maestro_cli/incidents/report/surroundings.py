"""The metrics around an incident: read once, kept in the journal, so that a report needs no Prometheus later.

Invariant: no sample is no point; what could not be read is evidence too, with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from maestro_cli.core.clock import from_rfc3339, seconds_between, to_rfc3339
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.quantities import format_duration
from maestro_cli.incidents.model import Incident, State
from maestro_cli.incidents.ports import Metrics
from maestro_cli.incidents.timeline import Entry
from maestro_cli.incidents.triage.model import Evidence
from maestro_cli.incidents.triage.queries import MetricFamily, Queries

KIND = "surroundings"
TITLE = "Metrics around it"
MAX_POINTS = 96  # a list in evidence holds a hundred
_SHORTEST_MARGIN_SECONDS, _LONGEST_MARGIN_SECONDS = 60.0, 3600.0
_DEFAULT_SCRAPE_SECONDS = 15.0
# name, title, unit, by how much a value is multiplied to be in that unit
_SERIES = (
    ("error-ratio", "Failed requests", "%", 100.0),
    ("latency", "Latency, 95th percentile", "s", 1.0),
    ("request-rate", "Requests", "req/s", 1.0),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One series in its unit; points are (instant, value)."""

    name: str
    title: str
    unit: str
    query: str
    points: tuple[tuple[datetime, float], ...]

    def among(self, start: datetime, end: datetime) -> tuple[float, ...]:
        """The values from start to before end."""
        return tuple(value for at, value in self.points if start <= at < end)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was read at one moment over one window. `failed_since` is the newest attempt to read it again
    that brought nothing, with its reason in `error`."""

    at: datetime
    start: datetime
    end: datetime
    step_seconds: float
    readings: tuple[Reading, ...]
    failed_since: datetime | None = None
    error: str = ""


def measure_surroundings(
    metrics: Metrics | None, family: MetricFamily, incident: Incident, now: datetime
) -> Evidence:
    """Error ratio, latency and request rate from some time before the start to some time after the end."""
    if incident.workload is None or metrics is None:
        missing = "no workload is named" if incident.workload is None else "the context has no Prometheus"
        return _failed(now, missing)
    start, end = _window(incident, now)
    queries = Queries(family, incident.workload)
    try:
        count = metrics.query(queries.scrapes_in_a_minute(), at=end).only
        is_known = count is not None and math.isfinite(count) and count >= 1
        scrape = 60.0 / count if is_known and count is not None else _DEFAULT_SCRAPE_SECONDS
        step = max(math.ceil(seconds_between(start, end) / (MAX_POINTS - 1)), round(scrape), 1)
        window = float(max(4 * math.ceil(scrape), step))
        asked = (queries.error_ratio(window), queries.p95(window), queries.request_rate(window))
        readings = [
            {
                "name": name,
                "title": title,
                "unit": unit,
                "query": query,
                "points": list(_points(metrics, query, start, end, step, factor)),
            }
            for (name, title, unit, factor), query in zip(_SERIES, asked, strict=True)
        ]
    except MaestroError as error:
        return _failed(now, error.what)
    if not any(one["points"] for one in readings):
        return _failed(now, "Prometheus holds no sample of that time")
    return Evidence(
        kind=KIND,
        title=TITLE,
        query="; ".join(asked),
        at=now,
        source="prometheus",
        summary=f"{len(readings)} series every {format_duration(step)}",
        facts={"start": start, "end": end, "step_seconds": step, "series": readings},
    )


def _failed(now: datetime, why: str) -> Evidence:
    return Evidence(KIND, TITLE, "", now, "prometheus", f"not read: {why}", ok=False, error=why)


def _window(incident: Incident, now: datetime) -> tuple[datetime, datetime]:
    """As long before the start and after the end as half the incident took, within bounds."""
    times = incident.times
    over = times.resolved_at or now
    margin = min(
        max(seconds_between(times.started_at, over) / 2, _SHORTEST_MARGIN_SECONDS), _LONGEST_MARGIN_SECONDS
    )
    end = min(over + timedelta(seconds=margin), now)
    return times.started_at - timedelta(seconds=margin), max(end, times.started_at)


def _points(
    metrics: Metrics, query: str, start: datetime, end: datetime, step: float, factor: float
) -> Iterator[tuple[str, float]]:
    series = metrics.query_range(query, start, end, step)
    for at, value in series[0].points[:MAX_POINTS] if series else ():
        scaled = value * factor
        if math.isfinite(scaled):
            yield to_rfc3339(at), float(f"{scaled:.6g}")


def needs_measuring(incident: Incident, entries: Sequence[Entry], now: datetime) -> bool:
    """Whether nothing was read yet that reaches as far past the end as there is to show by now.

    What was read is not read again once the incident is over for good.
    """
    last = latest_surroundings(entries)
    if last is None:
        return True
    if incident.state in (State.CLOSED, State.DISMISSED):
        return False
    end = _window(incident, now)[1]
    return seconds_between(last.end, end) >= last.step_seconds


def latest_surroundings(entries: Sequence[Entry]) -> Surroundings | None:
    """What the journal holds of it; None when it was never read."""
    every = [entry for entry in entries if entry.kind == "incident.evidence" and entry.data["kind"] == KIND]
    read = [entry for entry in every if entry.data["ok"]]
    if not read:
        return None
    data = read[-1].data
    later = [entry for entry in every if entry.seq > read[-1].seq]
    facts = data["facts"]
    return Surroundings(
        at=from_rfc3339(data["at"]),
        start=from_rfc3339(facts["start"]),
        end=from_rfc3339(facts["end"]),
        step_seconds=float(facts["step_seconds"]),
        readings=tuple(
            Reading(
                one["name"],
                one["title"],
                one["unit"],
                one["query"],
                tuple((from_rfc3339(at), float(value)) for at, value in one["points"]),
            )
            for one in facts["series"]
        ),
        failed_since=later[-1].at if later else None,
        error=str(later[-1].data["error"]) if later else "",
    )


def last_failure(entries: Sequence[Entry]) -> str:
    """Why nothing was read, "" when nobody tried."""
    tried = [entry for entry in entries if entry.kind == "incident.evidence" and entry.data["kind"] == KIND]
    return str(tried[-1].data["error"]) if tried else ""

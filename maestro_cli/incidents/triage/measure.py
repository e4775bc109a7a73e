"""What the metrics say of one workload.

Invariant: no sample is no statement: NaN and empty answers leave a value out, they never become zero.
The rate window follows the scrape interval that the series themselves show.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from maestro_cli.core.clock import seconds_between
from maestro_cli.core.facts.metrics import Instant
from maestro_cli.core.quantities import format_duration, prometheus_duration
from maestro_cli.core.refs import ObjectRef, WorkloadRef
from maestro_cli.incidents.ports import Metrics
from maestro_cli.incidents.triage.facts import Latency, Saturation, SplitRow, Tally
from maestro_cli.incidents.triage.model import Evidence, Onset
from maestro_cli.incidents.triage.objective import Choice
from maestro_cli.incidents.triage.onset import Points, find_onset, in_use, limit_of, sharpen, surge
from maestro_cli.incidents.triage.queries import MetricFamily, Queries
from maestro_cli.incidents.triage.saturation import SaturationQueries, read_saturation
from maestro_cli.slo.burning import ratio_query

MAX_POINTS = 600
Asked = tuple[tuple[str, datetime], ...]
_DEFAULT_SCRAPE_SECONDS = 15.0
_SHORTEST_WINDOW_SECONDS = 5.0
_SATURATION_SECONDS = 60.0
_ERRORS_FLOOR = 0.002
_P95_FLOOR_SECONDS = 0.05
_P95_FACTOR = 2.0


@dataclass(frozen=True, slots=True)
class _Basis:
    """A series that can show a beginning, and what counts as one."""

    name: str
    floor: float
    factor: float


_BASES = (_Basis("errors", _ERRORS_FLOOR, 3.0), _Basis("latency", _P95_FLOOR_SECONDS, _P95_FACTOR))
# Where users got quick answers without errors all the same: a fifth more wrong ones, or far more requests.
_QUIET_BASES = (_Basis("wrong answers", 0.2, 1.4), _Basis("requests", 1.0, 1.8))


@dataclass(frozen=True, slots=True)
class Readings:
    """The series of one workload over the window, with the queries that gave them, and the earliest
    beginning that one of them shows (None: none does)."""

    series: Mapping[str, Points]  # errors, latency (p95), requests, where they were asked for wrong answers
    queries: Mapping[str, str]
    step_seconds: float
    onset: Onset | None

    @property
    def errors(self) -> Points:
        return self.series["errors"]

    def load_factor(self, onset: Onset) -> float | None:
        return surge(self.series["requests"], onset)


class Telemetry:
    """Queries one workload's metrics; every method raises what the source raises."""

    def __init__(self, metrics: Metrics, family: MetricFamily, workload: WorkloadRef, choice: Choice) -> None:
        self._metrics = metrics
        self.queries = Queries(family, workload)
        self.family = family
        self.saturation_queries = SaturationQueries(workload, _SATURATION_SECONDS)
        self.objective, self._why_none = choice.objective, choice.why

    def read_series(self, start: datetime, end: datetime, alert_at: datetime) -> Readings:
        """Error ratio, p95 and request rate over the window, and when it began."""
        count = self._metrics.query(self.queries.scrapes_in_a_minute(), at=end).only
        usable = count is not None and math.isfinite(count) and count >= 1
        scrape = 60.0 / count if usable and count is not None else _DEFAULT_SCRAPE_SECONDS
        fine = float(max(round(scrape), 1))
        step = float(max(math.ceil(seconds_between(start, end) / MAX_POINTS), fine))
        window = max(4 * scrape, step, _SHORTEST_WINDOW_SECONDS)
        queries = {
            "errors": self.queries.error_ratio(window),
            "latency": self.queries.p95(window),
            "requests": self.queries.request_rate(window),
        }
        series = {name: self._ending_fine(query, start, end, step, fine) for name, query in queries.items()}

        series["requests"] = in_use(series["requests"], window + step, start)

        def beginning(bases: Sequence[_Basis]) -> Onset | None:
            gap = 2 * max(scrape, step)  # a rate is high for its whole window: quiet is quiet
            found = [
                self._onset(basis, queries[basis.name], series[basis.name], alert_at, gap, step, fine)
                for basis in bases
            ]
            return min((one for one in found if one is not None), key=lambda one: one.at, default=None)

        onset = beginning(_BASES)
        if onset is None:
            name = "wrong answers"
            queries[name] = self.queries.wrong_ratio(window)
            series[name] = (
                self._ending_fine(queries[name], start, end, step, fine) if self.family.judged else ()
            )
            onset = beginning(_QUIET_BASES)
        return Readings(series, queries, step, onset)

    def _onset(
        self,
        basis: _Basis,
        query: str,
        points: Points,
        alert_at: datetime,
        gap_seconds: float,
        step: float,
        fine: float,
    ) -> Onset | None:
        """The beginning that one series shows, to the scrape where its points are further apart."""
        onset = find_onset(
            points, alert_at, basis=basis.name, floor=basis.floor, factor=basis.factor,
            gap_seconds=gap_seconds,
        )  # fmt: skip
        if onset is None or fine >= step:
            return onset
        limit = limit_of(points, floor=basis.floor, factor=basis.factor)
        return sharpen(onset, self._points(query, onset.earliest, onset.at, fine), limit)

    def _ending_fine(self, query: str, start: datetime, end: datetime, step: float, fine: float) -> Points:
        """The points of a series, those of its last two steps scrape by scrape: it may just have begun."""
        points = self._points(query, start, end, step)
        last = end - timedelta(seconds=2 * step)
        if fine >= step or last <= start:
            return points
        return [*((at, value) for at, value in points if at < last), *self._points(query, last, end, fine)]

    def _points(self, query: str, start: datetime, end: datetime, step: float) -> Points:
        series = self._metrics.query_range(query, start, end, step)
        return series[0].points if series else ()

    def read_split(self, start: datetime, onset: Onset, now: datetime) -> tuple[SplitRow, ...]:
        """Requests and errors by every dimension, before the onset and since."""
        tallies: dict[tuple[str, str, str, str, str], Tally] = {}
        for query, at in self.split_queries(start, onset, now):
            is_before = at != now
            answer = self._metrics.query(query, at=at)
            for sample in answer.samples:
                if not math.isfinite(sample.value) or sample.value <= 0:
                    continue
                bad = self._is_error(sample.labels.get(self.family.code_label, ""))
                errors = sample.value if bad else 0.0
                added = (
                    Tally(requests_before=sample.value, errors_before=errors)
                    if is_before
                    else Tally(requests_since=sample.value, errors_since=errors)
                )
                key = self._place(sample.labels)
                tallies[key] = tallies.get(key, Tally()) + added
        return tuple(
            SplitRow(pod, node, revision, version, tally, segment=segment)
            for (pod, node, revision, version, segment), tally in sorted(tallies.items())
        )

    def read_judged(self, start: datetime, onset: Onset, now: datetime) -> dict[str, Tally]:
        """Judged answers by version, before the onset and since; an error is a wrong one."""
        found: dict[str, Tally] = {}
        if not self.family.judged:
            return found
        for query, at in self.judged_queries(start, onset, now):
            for sample in self._metrics.query(query, at=at).samples:
                if not math.isfinite(sample.value) or sample.value <= 0:
                    continue
                verdict = sample.labels.get("verdict")
                if verdict not in ("right", "wrong"):
                    continue
                wrong = sample.value if verdict == "wrong" else 0.0
                added = Tally(sample.value, wrong) if at != now else Tally(0.0, 0.0, sample.value, wrong)
                version = sample.labels.get("version", "")[:300]
                found[version] = found.get(version, Tally()) + added
        return found

    def judged_queries(self, start: datetime, onset: Onset, now: datetime) -> Asked:
        """The queries of `read_judged`, each with the instant it is asked at."""
        return self._asked(start, onset, now, self.queries.judged_split)

    def split_queries(self, start: datetime, onset: Onset, now: datetime) -> Asked:
        """The queries of `read_split`, each with the instant it is asked at."""
        return self._asked(start, onset, now, self.queries.requests_split)

    def latency_queries(self, dimension: str, start: datetime, onset: Onset, now: datetime) -> Asked:
        """The queries of `read_latency`, each with the instant it is asked at."""
        return self._asked(start, onset, now, lambda seconds: self.queries.p95_split(dimension, seconds))

    @staticmethod
    def _asked(start: datetime, onset: Onset, now: datetime, made: Callable[[float], str]) -> Asked:
        """One query before the onset and one since, over whole seconds; at least five since the onset, so
        that there are two scrapes, and none before it when there was no time."""
        before = math.floor(seconds_between(start, onset.earliest))
        since = math.ceil(max(seconds_between(onset.earliest, now), _SHORTEST_WINDOW_SECONDS))
        first = [(made(before), onset.earliest)] if before > 0 and onset.earliest != now else []
        return (*first, (made(since), now))

    def _is_error(self, code: str) -> bool:
        return re.fullmatch(self.family.error_codes, code) is not None

    def _place(self, labels: Mapping[str, str]) -> tuple[str, str, str, str, str]:
        def of(dimension: str) -> str:
            label = self.family.dimensions.get(dimension)
            return labels.get(label, "")[:300] if label else ""

        segment = labels.get(self.family.segment_label, "")[:300]
        return of("pod"), of("node"), of("revision"), of("version"), segment

    def read_latency(self, dimension: str, start: datetime, onset: Onset, now: datetime) -> Latency:
        """The 95th percentile by one dimension, before the onset and since."""
        values: dict[bool, dict[str, float]] = {True: {}, False: {}}
        for query, at in self.latency_queries(dimension, start, onset, now):
            answer = self._metrics.query(query, at=at)
            values[at != now] = self._finite(answer, self.family.dimensions[dimension])
        return Latency(dimension, values[True], values[False])

    def read_versions(
        self, refs: Mapping[str, ObjectRef], start: datetime, end: datetime, step: float
    ) -> dict[str, list[tuple[datetime, datetime]]]:
        """When objects became others, by the key they are asked under: the instants around each change."""
        found: dict[str, list[tuple[datetime, datetime]]] = {}
        fine = max(step, math.ceil(seconds_between(start, end) / MAX_POINTS))
        for kind in ("configmap", "secret"):
            keys = {ref.name: key for key, ref in refs.items() if ref.kind.lower() == kind}
            if not keys:
                continue
            points: dict[str, list[tuple[datetime, float]]] = {}
            for one in self._metrics.query_range(self.queries.versions(kind, keys), start, end, fine):
                if (key := keys.get(one.labels.get(kind, ""))) is not None:
                    points.setdefault(key, []).extend(one.points)
            for key, series in points.items():
                found[key] = changed_between(series)
        return found

    def read_memory(self, now: datetime) -> dict[str, float]:
        """The share of its memory limit that each pod of the namespace uses, where there is a limit."""
        return self._finite(self._metrics.query(self.queries.memory_share(), at=now), "pod")

    def read_saturation(self, now: datetime) -> Saturation:
        """How much of what they have the pods of the namespace use, over the last minute."""
        return read_saturation(self._metrics, self.saturation_queries, now)

    @staticmethod
    def _finite(answer: Instant, label: str) -> dict[str, float]:
        return {
            sample.labels.get(label, "")[:300]: sample.value
            for sample in answer.samples
            if math.isfinite(sample.value) and sample.labels.get(label)
        }

    def impact(self, start: datetime, end: datetime, now: datetime) -> Evidence:
        """Requests, errors and budget from start to end; a figure that is not there is None."""
        seconds = math.ceil(max(seconds_between(start, end), _SHORTEST_WINDOW_SECONDS))
        queries = (self.queries.requests_total(seconds), self.queries.errors_total(seconds))
        requests, errors = (_finite(self._metrics.query(query, at=end).only) for query in queries)
        if requests is not None and errors is None:
            errors = 0.0  # requests were counted, and none of them under an error code
        facts: dict[str, object] = {
            "start": start,
            "end": end,
            "seconds": seconds,
            "requests": requests,
            "errors": errors,
            "error_ratio": errors / requests if requests and errors is not None else None,
        }
        facts |= self.budget(facts["error_ratio"], self.read_objective(seconds, end), seconds)
        if requests is None:
            summary = "no request was counted"
        else:
            summary = f"{errors:.0f} of {requests:.0f} requests failed in {format_duration(seconds)}"
        return Evidence(
            kind="impact",
            title="What users felt",
            query="; ".join(queries),
            at=now,
            source="prometheus",
            summary=summary,
            facts=facts,
        )

    @property
    def counts_errors(self) -> bool:
        """False where the objective is about something else than failed requests."""
        return self.objective is None or self.objective.counts_errors

    def read_objective(self, seconds: float, end: datetime) -> float | None:
        """The share of bad events of an objective that does not count errors; None where it does."""
        if self.objective is None or self.counts_errors:
            return None
        span = prometheus_duration(math.ceil(max(seconds, _SHORTEST_WINDOW_SECONDS)))
        return _finite(self._metrics.query(ratio_query(self.objective, span), at=end).only)

    def budget(self, errors: object, own: float | None, seconds: float) -> dict[str, object]:
        """Burn rate and the share of the whole budget spent, `burn * seconds / window`; None if unknown.

        `errors` is the share of failed requests, `own` what `read_objective` brought.
        """
        objective = self.objective
        ratio = errors if self.counts_errors else own
        if objective is None or not isinstance(ratio, float):
            why = self._why_none or f"{objective.name if objective else 'it'} could not be measured"
            name = objective.name if objective else None
            return {"objective": name, "burn": None, "budget_spent": None, "why_unknown": why}
        burn = ratio / objective.budget
        return {
            "objective": objective.name,
            "target": objective.target,
            "window_seconds": objective.window_seconds,
            "burn": burn,
            "budget_spent": burn * seconds / objective.window_seconds,
        }


def changed_between(points: Points) -> list[tuple[datetime, datetime]]:
    """The instants around each change of a value, oldest first."""
    clean = sorted((at, value) for at, value in points if math.isfinite(value))
    return [(a, b) for (a, old), (b, new) in pairwise(clean) if old != new]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None

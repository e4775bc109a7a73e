"""A month of a service that was watched every five minutes, and a report on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from maestro_cli.core.errors import UsageError
from maestro_cli.slo.measuring.keeping import Nowhere
from maestro_cli.slo.measuring.measure import Outside
from maestro_cli.slo.measuring.recoveries import Recovered
from maestro_cli.slo.measuring.window import month_span
from maestro_cli.slo.objectives import Counters, ErrorRatio, Latency, Objective, Recovery, Threshold
from maestro_cli.slo.ports import RawSeries
from maestro_cli.slo.report.build import build_report
from maestro_cli.slo.report.model import Exclusion, Inputs, SlaReport, Terms, Tier
from maestro_cli.slo.report.pieces import Piece, packed_pieces
from maestro_cli.slo.report.recording import RecordingMetrics, RecordingStore
from tests.unit.slo.measuring.told import Told

SPAN = month_span("2026-10", "Europe/Berlin")
ASKED_AT = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
ANSWERED = Counters("r_total", bad='r_total{code="500"}')
ANSWERS = Objective("answers", "fraud answers", "fraud", 0.999, 2_592_000.0, ANSWERED, {})
FAST = Objective("fast", "fraud is fast", "fraud", 0.95, 2_592_000.0, Latency("d_seconds", 0.1), {})
LAG = Objective("lag", "lag is short", "fraud", 0.95, 2_592_000.0, Threshold("lag", "lt", 5.0), {})
BROKEN = Objective("broken", "no query", "fraud", 0.95, 2_592_000.0, ErrorRatio("sum(("), {})
BACK = Objective("back", "back in time", "fraud", 1.0, 2_592_000.0, Recovery("rto", 900.0), {})
BAD = (datetime(2026, 10, 6, 2, tzinfo=UTC), datetime(2026, 10, 6, 5, tzinfo=UTC))
MAINTENANCE = Exclusion("m1", BAD[0], BAD[0] + timedelta(hours=2), "a new disk", "ops", "eve")
TERMS = Terms("gold", "ACME", (), (Tier(0.9999, 5.0), Tier(0.999, 10.0), Tier(0.99, 25.0)))
STEP_SECONDS = 300


def requests(bad_from: datetime, bad_until: datetime) -> list[RawSeries]:
    """1,000 events a step from a month before on; half are bad in a stretch; buckets of 0.05 and 0.2 s."""
    start = (SPAN.start - timedelta(days=32)).timestamp()
    times = [start + STEP_SECONDS * index for index in range(64 * 288)]
    total, bad = 0.0, 0.0
    good_values, bad_values = [], []
    for at in times:
        is_bad = bad_from.timestamp() <= at < bad_until.timestamp()
        total += 1000
        bad += 500 if is_bad else 0
        good_values.append(total - bad)
        bad_values.append(bad)
    pod = {"instance": "a"}
    found = [
        RawSeries({"__name__": "r_total", "code": "200", **pod}, times, good_values),
        RawSeries({"__name__": "r_total", "code": "500", **pod}, times, bad_values),
    ]
    every = [1000.0 * (index + 1) for index in range(len(times))]
    for le, share in (("0.05", 0.96), ("0.2", 0.99), ("+Inf", 1.0)):
        values = [share * value for value in every]
        found.append(RawSeries({"__name__": "d_seconds_bucket", "le": le, **pod}, times, values))
    return [*found, RawSeries({"__name__": "d_seconds_count", **pod}, times, every)]


class Strict(Told):
    """A Prometheus that refuses a query of open brackets."""

    def steps(self, promql: str, start: datetime, end: datetime, step_seconds: float) -> Iterator[RawSeries]:
        if "((" in promql:
            raise UsageError("the query is none", why="unclosed left parenthesis")
        if promql == "sum by (le) (increase(d_seconds_bucket[1h]))":
            return self._buckets(start, end)
        return super().steps(promql, start, end, step_seconds)

    def _buckets(self, start: datetime, end: datetime) -> Iterator[RawSeries]:
        """12,000 events each hour, nothing of October 8; a boundary is written in two ways."""
        first = round(start.timestamp()) // 3600 * 3600
        hours = [float(at) for at in range(first + 3600, round(end.timestamp()) + 1, 3600)]
        hours = [at for at in hours if datetime.fromtimestamp(at - 3600, UTC).date() != date(2026, 10, 8)]
        for le, share in (("0.05", 0.96), ("0.2", 0.5), ("0.20", 0.49), ("+Inf", 1.0), ("none", 7.0)):
            yield RawSeries({"le": le}, hours, [12_000 * share] * len(hours))


def inputs(
    objectives: Sequence[Objective] = (ANSWERS, FAST, BACK),
    exclusions: Sequence[Exclusion] = (MAINTENANCE,),
    previous: int = 0,
) -> Inputs:
    recovered = (Recovered(datetime(2026, 10, 9, tzinfo=UTC), "rto", 300.0, "drill 3"),)
    return Inputs(
        context="prod", span=SPAN, unit="month", previous=previous, asked_at=ASKED_AT, terms=TERMS,
        objectives=tuple(objectives), exclusions=tuple(exclusions), incidents=(), drills=(),
        recovered=recovered, url="http://told",
    )  # fmt: skip


def reported(wanted: Inputs, found: Sequence[RawSeries] | None = None) -> tuple[SlaReport, list[Piece]]:
    """The report, as when it is asked of Prometheus, and the pieces for its bundle."""
    store, metrics = RecordingStore(Nowhere()), RecordingMetrics(Strict(found or requests(*BAD)))
    outside = Outside(metrics, wanted.asked_at, store, wanted.recovered)
    report = build_report(wanted, outside)
    asked = replace(report.inputs, label_values=tuple(metrics.label_answers))
    return replace(report, inputs=asked), packed_pieces(store.pieces.values())

"""Measuring an objective over a span: what status, budget, gate, what-if and the report have in common.

Invariant: at most one query a piece of the span, one for failed scrapes where a target ended, and two for
starts of processes: where a target is new, and where one was not seen for a time. What was not seen is in the
bounds; what has to be known of the answer is in its notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from maestro_cli.core.errors import NoData
from maestro_cli.core.quantities import format_duration
from maestro_cli.slo.measuring.asking import ask_pieces, raw
from maestro_cli.slo.measuring.counts import Counts, counts_of
from maestro_cli.slo.measuring.exclusion import excluded_in, kept_minutes
from maestro_cli.slo.measuring.gaps import find_gaps
from maestro_cli.slo.measuring.keeping import Nowhere, Store
from maestro_cli.slo.measuring.lacking import forget, lacking_minutes
from maestro_cli.slo.measuring.latency import Bracket, bracket_of, takes_all_spellings
from maestro_cli.slo.measuring.matching import Found, read_matching
from maestro_cli.slo.measuring.model import Asked, Bounds, Excluded, Measured, Minutes, is_between_buckets
from maestro_cli.slo.measuring.pieces import COUNTED, TOTAL
from maestro_cli.slo.measuring.recoveries import Recovered, measure_recoveries
from maestro_cli.slo.measuring.selectors import Selector, joined, parse_selector
from maestro_cli.slo.measuring.silence import read_silence
from maestro_cli.slo.measuring.slices import Ratio, Tally, count_bad_minutes, ratio_of
from maestro_cli.slo.measuring.steps import counts_bad, step_of, wanted_steps
from maestro_cli.slo.measuring.targets import ask_targets
from maestro_cli.slo.measuring.verdict import judge_ratio, notes_on
from maestro_cli.slo.measuring.window import Span, calendar_span, rolling
from maestro_cli.slo.objectives import Counters, Latency, Objective, Recovery, Threshold
from maestro_cli.slo.ports import RawMetrics

_EMPTY: tuple[Excluded, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The counts of a span, what was asked for them and what is to be known. `high`: see Bracket."""

    counts: Counts
    counts_bad: bool
    queries: tuple[Asked, ...]
    notes: tuple[str, ...] = ()
    high: Counts | None = None
    is_open_above: bool = False  # the threshold is above every bucket that has an end
    why_open: str = ""  # why nothing may be stated
    no_bucket: str = ""  # that none ends at the threshold, and which are beside it
    lacking: tuple[int, ...] = ()  # minutes in which a histogram has no bucket of the threshold


@dataclass(frozen=True, slots=True)
class Outside:
    """Where measuring asks and keeps, when it is, and what drills and incidents measured.

    `at` is the instant as of which is measured, where that is over.
    """

    metrics: RawMetrics
    now: datetime
    store: Store = field(default_factory=Nowhere)
    recovered: Sequence[Recovered] = ()
    at: datetime | None = None


def span_of(objective: Objective, at: datetime) -> Span:
    """The window of the objective at that instant: the calendar period it is in, or what ends with it."""
    if objective.calendar is not None:
        return calendar_span(at, objective.calendar.unit, objective.calendar.zone)
    return rolling(at, objective.window_seconds)


def measure(
    objective: Objective, span: Span, outside: Outside, excluded: Iterable[Excluded] = _EMPTY
) -> Measured:
    """Measure the part of the span that is over; raises Unreachable, Refused, UsageError, NoData."""
    try:
        return _measure(objective, span, outside, excluded)
    except (ArithmeticError, LookupError, ValueError) as error:  # one whose data make no sense ends no other
        raise NoData(
            f"the objective {objective.name} cannot be measured",
            why=f"{type(error).__name__}: {error}",
            fix="look at what its queries give: maestro slo show, maestro slo lint",
        ) from error


def _measure(objective: Objective, span: Span, outside: Outside, excluded: Iterable[Excluded]) -> Measured:
    over = span.until(min(outside.at or outside.now, outside.now))
    if isinstance(objective.indicator, Recovery):
        return measure_recoveries(objective, objective.indicator, span, over, outside.recovered)
    if objective.counters is None:
        step = step_of(objective.indicator)
        over = replace(over, end=over.end - timedelta(seconds=over.end.timestamp() % step))
    answer = _answer(objective, over, outside)
    out = excluded_in(over, excluded)
    retention = retention_words(span, outside.metrics.retention_seconds(), outside.now)
    measured = _measured(objective, span, over, answer, None, retention)
    if out:
        adjusted = _measured(objective, span, over, answer, kept_minutes(over, out))
        measured = replace(measured, adjusted=replace(adjusted, excluded=out), excluded=out)
    return measured


def _answer(objective: Objective, span: Span, outside: Outside) -> Answer:
    counters = objective.counters
    if counters is None:
        return _stepped_answer(objective, span, outside)
    kind = objective.indicator if isinstance(objective.indicator, Latency) else None
    answer = _counted(counters, span, outside, kind)
    if kind is None or not answer.lacking:
        return answer
    boundaries = outside.metrics.label_values("le", kind.buckets, span.start, span.end)
    bracket = bracket_of(kind, boundaries)
    if bracket is None:
        return _known(kind, answer)
    if not bracket.is_exact:
        return _bracketed(kind, bracket, answer, span, outside)
    if bracket.low is None or takes_all_spellings(counters, boundaries, kind.threshold_seconds):
        return _known(kind, answer)
    return _known(kind, _counted(bracket.low, span, outside, kind))


def _bracketed(kind: Latency, bracket: Bracket, without: Answer, span: Span, outside: Outside) -> Answer:
    low = _known(kind, _counted(bracket.low, span, outside, kind)) if bracket.low else without
    high = _known(kind, _counted(bracket.high, span, outside, kind)) if bracket.high else None
    note = bracket.note(kind.threshold_seconds)
    return Answer(
        low.counts,
        low.counts_bad,
        (*low.queries, *(high.queries if high else ())),
        (note, *low.notes),
        high.counts if high else None,
        high is None,
        no_bucket=note,
    )


def _known(kind: Latency, answer: Answer) -> Answer:
    """The same without what was counted while the bucket was not there."""
    if not answer.lacking:
        return answer
    time = format_duration(len(answer.lacking) * 60)
    note = f"for {time} a histogram had no bucket at {kind.threshold_seconds:g} s: what it counted is unknown"
    return replace(answer, counts=forget(answer.counts, answer.lacking), notes=(*answer.notes, note))


def _counted(counters: Counters, span: Span, outside: Outside, kind: Latency | None) -> Answer:
    is_bad = counters.bad is not None
    total = parse_selector(counters.total)
    counted = parse_selector((counters.bad if is_bad else counters.good) or "")
    one = joined(total, counted)
    selectors = [str(one)] if one is not None else [str(total), str(counted)]
    wanted = raw(outside.metrics, selectors, _Roles(total, counted), f"{total} {counted}")
    pieces, asked = ask_pieces(wanted, span, outside.metrics, outside.store, outside.now)
    around = ask_targets(pieces, str(total), span, outside.metrics, outside.store, outside.now)
    counts = counts_of(pieces, span, around.downs, around.starts, around.latest)
    lacking = () if kind is None else tuple(lacking_minutes(kind, pieces, counts))
    found = Found()
    if kind is None or any(piece.unreadable for piece in pieces):
        found = read_matching(pieces, total, counted, is_bad, span, outside.metrics, outside.now)
    notes = (found.note,) if found.note else ()
    return Answer(counts, is_bad, (*asked, *around.asked), notes, why_open=found.why, lacking=lacking)


@dataclass(frozen=True, slots=True)
class _Roles:
    total: Selector
    counted: Selector

    def __call__(self, labels: Mapping[str, str]) -> int:
        return TOTAL * self.total.takes(labels) | COUNTED * self.counted.takes(labels)


def _stepped_answer(objective: Objective, span: Span, outside: Outside) -> Answer:
    kind = objective.indicator
    wanted = wanted_steps(outside.metrics, kind)
    pieces, asked = ask_pieces(wanted, span, outside.metrics, outside.store, outside.now)
    found = read_silence(kind, pieces, step_of(kind), span, outside.metrics, outside.now)
    note = f"evaluated by PromQL every {format_duration(step_of(kind))}: counts are as it extrapolates them"
    if not isinstance(kind, Threshold):
        note += ", without the first values of series; what is between two ranges is in the bounds"
    notes = (note, found.note) if found.note else (note,)
    return Answer(counts_of(pieces, span), counts_bad(kind), tuple(asked), notes, why_open=found.why)


def _measured(
    objective: Objective, span: Span, over: Span, answer: Answer, kept: bytes | None, retention: str = ""
) -> Measured:
    tally = Tally(answer.counts, answer.counts_bad, kept)
    ratio = _with_bracket(ratio_of(tally, objective.method, objective.slices), objective, answer, kept)
    if answer.why_open:
        ratio = replace(ratio, value=None, bounds=None)
    is_known = ratio.value is not None and not ratio.is_impossible
    minutes = _minutes(answer, over)
    gaps = find_gaps(over.start, minutes.covered, minutes.blind, kept)
    told = tuple(filter(None, (retention, *answer.notes, gaps.words)))
    budget = objective.budget
    consumed = _tidy((1 - (ratio.value or 0.0)) / budget) if is_known and budget > 0 else None
    projected = consumed * over.seconds / span.seconds if consumed is not None and span.seconds else None
    is_bracketed = is_between_buckets(answer.no_bucket, ratio.bounds)
    return Measured(
        objective,
        span,
        over,
        ratio.good if is_known else None,
        ratio.total if is_known or (ratio.covered_minutes and not answer.why_open) else None,
        ratio.value,
        ratio.bounds,
        ratio.coverage,
        judge_ratio(ratio, objective.target, answer.why_open, is_bracketed=is_bracketed),
        consumed,
        projected,
        None if projected is None else _tidy(1 - projected),
        count_bad_minutes(objective, minutes, kept) if is_known else None,
        answer.counts.is_exact and answer.high is None and not answer.is_open_above,
        (*told, *_count_notes(answer.counts), *notes_on(ratio, objective)),
        answer.queries,
        minutes if kept is None else None,
        is_untold=bool(answer.why_open),
        gaps=gaps,
        retention=retention,
        no_bucket=answer.no_bucket,
    )


def _tidy(share: float) -> float:
    """Without what adding up rounds, and without the sign of a zero."""
    return round(share, 12) + 0.0


def _with_bracket(ratio: Ratio, objective: Objective, answer: Answer, kept: bytes | None) -> Ratio:
    """The same with the upper bound of the bucket above the threshold."""
    if ratio.bounds is None or (answer.high is None and not answer.is_open_above):
        return ratio
    high = 1.0
    if answer.high is not None:
        above = ratio_of(Tally(answer.high, answer.counts_bad, kept), objective.method, objective.slices)
        high = above.bounds.high if above.bounds is not None else 1.0
    return replace(ratio, bounds=Bounds(ratio.bounds.low, max(high, ratio.bounds.high)))


def _minutes(answer: Answer, span: Span) -> Minutes:
    counts = answer.counts
    return Minutes(
        span.start, counts.counted, counts.total, counts.covered, answer.counts_bad, blind=counts.blind
    )


def _count_notes(counts: Counts) -> list[str]:
    found = []
    if counts.bridged_minutes:
        gap = format_duration(counts.bridged_minutes * 60)
        found.append(f"{gap} without samples are known by counters that went on afterwards")
    if counts.doubted_births:
        found.append(
            f"the first value of {counts.doubted_births} series may be older than the window: "
            "how much of it happened in it is unknown"
        )
    return found


def retention_words(span: Span, kept_seconds: float | None, now: datetime) -> str:
    """That the span begins before what Prometheus keeps; "" where it does not, or where that is not told."""
    if kept_seconds is None or span.start >= now - timedelta(seconds=kept_seconds):
        return ""
    return (
        f"Prometheus keeps {format_duration(kept_seconds)}, and the window begins "
        f"{format_duration((now - span.start).total_seconds())} ago: what is older may be missing"
    )

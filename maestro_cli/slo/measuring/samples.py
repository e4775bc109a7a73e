"""Raw samples of counters as what happened in each minute.

Invariant: an increment is what the counter went up, or all of it after a reset, and belongs to the minute of
the later sample; what a counter went up while nobody looked is kept apart as carried, not put into a minute.
All increments of a series together are its exact increase between its first sample and its last.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from operator import itemgetter

import numpy as np

from maestro_cli.slo.measuring.binning import Bins, Numbers, Scrapes, increments_of, is_rising, scrapes_at
from maestro_cli.slo.measuring.pieces import (
    COUNTED,
    TARGET_LABELS,
    TOTAL,
    UNCOUNTABLE,
    Carried,
    Piece,
    Roles,
    SeriesPart,
    gap_limit,
    key_of,
    merged,
    stretches_of_part,
)
from maestro_cli.slo.measuring.window import MINUTE
from maestro_cli.slo.ports import RawSeries


def piece_of(series: Iterable[RawSeries], roles: Roles, start: datetime, end: datetime) -> Piece:
    """The samples with start <= time < end, both on whole minutes, as one piece; others are not looked at."""
    begin, minutes = round(start.timestamp()), round((end - start).total_seconds()) // MINUTE
    total, counted = Bins(begin, minutes), Bins(begin, minutes)
    parts: list[SeriesPart] = []
    unreadable: list[str] = []
    covered: dict[str, list[tuple[float, float]]] = {}
    for one in series:
        role = roles(one.labels)
        if not role:
            continue
        times, values, many = _within(one, begin, begin + minutes * MINUTE)
        if len(values) < many:
            unreadable.append(key_of(one.labels))
        if not len(times):
            continue
        bins = [place for bit, place in ((TOTAL, total), (COUNTED, counted)) if role & bit]
        part = _part(one.labels, role, scrapes_at(times.tobytes()), values, bins)
        parts.append(part)
        covered.setdefault(part.target, []).extend(stretches_of_part(part))
    for target, stretches in covered.items():
        covered[target] = merged(stretches)
    parts.sort(key=lambda part: part.key)
    return Piece(
        begin,
        minutes,
        counted.packed,
        total.packed,
        parts,
        dict(sorted(covered.items())),
        unreadable=sorted(unreadable),
    )


def in_order(one: RawSeries) -> RawSeries:
    """The same in the order of time; of samples of one time the last counts."""
    times = np.asarray(one.times, np.float64)
    if (times[:-1] < times[1:]).all():
        return one
    known = dict(sorted(zip(one.times, one.values, strict=True), key=itemgetter(0)))
    return RawSeries(one.labels, array("d", known), array("d", known.values()))


def _within(one: RawSeries, start: int, end: int) -> tuple[Numbers, Numbers, int]:
    """Its samples of that time that a counter may have, and how many it has."""
    whole = np.asarray(one.times, np.float64)
    first, last = np.searchsorted(whole, (start, end)).tolist()
    times, values = whole[first:last], np.asarray(one.values, np.float64)[first:last]
    if first < last and not (values.min() >= 0 and values.max() < UNCOUNTABLE):  # the least of NaN is NaN
        is_count = (values >= 0) & (values < UNCOUNTABLE)
        times, values = times[is_count], values[is_count]
    return times, values, last - first


def _part(
    labels: Mapping[str, str], role: int, scrapes: Scrapes, values: Numbers, bins: Sequence[Bins]
) -> SeriesPart:
    carried: list[Carried] = []
    resets: list[tuple[float, float]] = []
    if not scrapes.has_gaps and is_rising(values):
        increase = float(values[-1] - values[0])
        increments = increments_of(scrapes, values)
        for place in bins:
            place.add(scrapes.minutes, increments)
    else:
        increase = _fill_rough(scrapes, values, bins, carried, resets)
    target = "\x00".join(labels.get(name, "") for name in TARGET_LABELS)
    first, last = ((float(scrapes.times[place]), float(values[place])) for place in (0, -1))
    return SeriesPart(
        key_of(labels), target, role, first, last, scrapes.step_seconds, increase, carried, resets
    )


def _fill_rough(
    scrapes: Scrapes,
    values: Numbers,
    bins: Sequence[Bins],
    carried: list[Carried],
    resets: list[tuple[float, float]],
) -> float:
    """A counter with resets or gaps, sample by sample; gives its whole increase."""
    whole, limit = 0.0, gap_limit(scrapes.step_seconds)
    for (before, low), (at, high) in pairwise(zip(scrapes.times.tolist(), values.tolist(), strict=True)):
        is_reset = high < low
        increase = high if is_reset else high - low
        whole += increase
        if at - before > limit:
            carried.append(Carried(before, at, increase, is_reset))
            continue
        if is_reset:
            resets.append((before, at))
        for place in bins:
            place.put(at, increase)
    return whole

"""Restarts that nobody saw: a counter that overtook its old value in a gap shows no reset.

Invariant: a gap is bridged where its target certainly did not begin again in it: its process says so, or else
it had lived for so long that a new one could not have overtaken it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter

from maestro_cli.slo.measuring.asking import Wanted, stepped
from maestro_cli.slo.measuring.coverage import read_coverage
from maestro_cli.slo.measuring.downtime import is_scraped, same_scrapes
from maestro_cli.slo.measuring.joining import Joining
from maestro_cli.slo.measuring.pieces import Piece, gap_limit
from maestro_cli.slo.measuring.starts import HOUR_SECONDS, processes_of, starts_piece
from maestro_cli.slo.measuring.window import MINUTE, Span
from maestro_cli.slo.ports import RawMetrics

Latest = Mapping[str, Mapping[float, float]]  # by target and the end of an hour: its latest start seen there
_BUSIER = 2.0  # times that a target may count more in a gap than before it
_SKEW_SECONDS = 60.0  # by which the clocks of a target and of Prometheus may differ


def gaps_of(pieces: Sequence[Piece], span: Span) -> dict[str, list[float]]:
    """When each target that a scrape names was seen again after it had not been for a minute or more."""
    if not any(part.carried for piece in pieces for part in piece.series) and not _is_apart(pieces):
        return {}
    coverage = read_coverage(pieces, span)
    found = {
        target: [after for (_, before), (after, _) in pairwise(own) if coverage.missed(target, before, after)]
        for target, own in sorted(coverage.seen.items())
        if is_scraped(target)
    }
    return {target: ends for target, ends in found.items() if ends}


def wanted_latest(metrics: RawMetrics, gaps: Mapping[str, object]) -> Wanted:
    """The latest start of the processes of the jobs of these targets, hour by hour."""
    promql = f"max_over_time({processes_of(gaps)}[1h])"
    return stepped(metrics, promql, HOUR_SECONDS, starts_piece(is_joined=False), "latest starts of processes")


def latest_of(pieces: Sequence[Piece], gaps: Mapping[str, object]) -> Latest:
    found: dict[str, dict[float, float]] = {}
    for target, stretches in same_scrapes(pieces, gaps):
        own = found.setdefault(target, {})
        for begin, at in stretches:
            own[at] = max(begin, own.get(at, 0.0))
    return found


@dataclass(slots=True)
class Lives:
    """Since when each target has certainly lived.

    `resets` are in order, each the samples after it and before it; `begins` are of its first process.
    """

    resets: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    begins: dict[str, float] = field(default_factory=dict)

    def may_hide_restart(self, target: str, start: float, end: float, latest: Latest) -> bool:
        """Whether the target may have begun again between two samples, the later of which is no smaller."""
        resets = self.resets.get(target, [])
        place = bisect_right(resets, start, key=itemgetter(0))
        if place < len(resets) and resets[place][0] <= end:
            return True
        since, before = resets[place - 1] if place else (self.begins.get(target, start), -math.inf)
        begin = latest.get(target, {}).get(math.ceil(end / HOUR_SECONDS) * HOUR_SECONDS)
        # one that began before the last reset is an exporter's, and one after the gap tells nothing of it
        if begin is not None and before - _SKEW_SECONDS <= begin <= end:
            return begin > start - _SKEW_SECONDS
        return (end - start) * _BUSIER > start - since


def lives_of(joining: Joining) -> Lives:
    """What a target had counted when it was first seen tells how long it had lived at its own rate."""
    found = Lives()
    rates: dict[str, float] = {}
    values: dict[str, float] = {}
    firsts: dict[str, float] = {}
    for one in joining.series.values():
        firsts[one.target] = min(one.first[0], firsts.get(one.target, math.inf))
    for one in joining.series.values():
        rates[one.target] = rates.get(one.target, 0.0) + one.rate
        if one.first[0] < firsts[one.target] + MINUTE:
            values[one.target] = values.get(one.target, 0.0) + one.first[1]
    for target, first in firsts.items():
        rate = rates[target]
        found.begins[target] = first - values.get(target, 0.0) / rate if rate > 0 else -math.inf
    told = [*joining.resets, *((key, gap.start, gap.end) for key, gap in joining.carried if gap.is_broken)]
    for key, before, at in told:
        found.resets.setdefault(joining.series[key].target, []).append((at, before))
    for own in found.resets.values():
        own.sort()
    return found


def _is_apart(pieces: Sequence[Piece]) -> bool:
    """Whether a series was not seen from one piece to the next."""
    last: dict[str, float] = {}
    for piece in pieces:
        for part in piece.series:
            if part.first[0] - last.get(part.key, part.first[0]) > gap_limit(part.step_seconds):
                return True
            last[part.key] = part.last[0]
    return False

"""What got worse from one run of an experiment to another, with the figures.

Invariant: pure. A figure that was known and is not any more is no improvement: it is told as not known, and a
comparison with one of those does not pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from maestro_cli.chaos.ci.decision import rank
from maestro_cli.chaos.verdict import Steady, steady_of
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Verdict

LEAST_SECONDS = 1.0  # how much longer a time has to be before anybody calls it so
LEAST_SHARE = 0.01


class Trend(Enum):
    WORSE = "worse"
    BETTER = "better"
    SAME = "same"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of both runs; None where a run has none. `unit`: seconds, share, count or code."""

    name: str
    unit: str
    was: float | None
    now: float | None
    trend: Trend


@dataclass(frozen=True, slots=True)
class RunComparison:
    """`verdict`: FAIL when something got worse, INDETERMINATE when something is not known any more."""

    verdict: Verdict
    figures: tuple[Figure, ...]
    is_same_file: bool


def compare(
    was: Mapping[str, Any], now: Mapping[str, Any], tolerated: float, *, is_same_file: bool
) -> RunComparison:
    """Journals with maestro's part; what changed by no more than the share `tolerated` is the same."""
    before, after = _figures(was), _figures(now)
    names = dict.fromkeys((*before, *after))
    figures = tuple(_figure(name, before.get(name), after.get(name), tolerated) for name in names)
    trends = {one.trend for one in figures}
    verdict = Verdict.PASS
    if Trend.UNKNOWN in trends:
        verdict = Verdict.INDETERMINATE
    if Trend.WORSE in trends:
        verdict = Verdict.FAIL
    return RunComparison(verdict, figures, is_same_file)


@dataclass(frozen=True, slots=True)
class _Value:
    """`badness`: the more, the worse; by default the value itself."""

    unit: str
    value: float | None
    badness: float | None


def _figure(name: str, was: _Value | None, now: _Value | None, tolerated: float) -> Figure:
    unit = next(one.unit for one in (was, now) if one is not None)
    old = None if was is None else was.value
    new = None if now is None else now.value
    if was is None or now is None or was.badness is None or now.badness is None:
        trend = Trend.SAME if old is None and new is None else Trend.UNKNOWN
        return Figure(name, unit, old, new, Trend.BETTER if old is None and new is not None else trend)
    spare = {
        "seconds": max(LEAST_SECONDS, tolerated * was.badness),
        "share": max(LEAST_SHARE, tolerated * was.badness),
    }
    difference = now.badness - was.badness
    if abs(difference) <= spare.get(unit, 0.0):
        return Figure(name, unit, old, new, Trend.SAME)
    return Figure(name, unit, old, new, Trend.WORSE if difference > 0 else Trend.BETTER)


def _figures(journal: Mapping[str, Any]) -> dict[str, _Value]:
    return dict(_each(journal))


def _each(journal: Mapping[str, Any]) -> Iterator[tuple[str, _Value]]:
    ours, states = journal["maestro"], journal.get("steady_states") or {}
    code, coverage = ExitCode(ours["code"]), float(ours["coverage"])
    yield "exit code", _Value("code", float(code), -rank(code))
    yield "coverage", _Value("share", coverage, -coverage)
    looks = [steady_of(one) for one in states.get("during") or ()]
    yield "looks during that missed", _plain("share", _share(looks, Steady.MISSED))
    yield "looks during that told nothing", _plain("share", _share(looks, Steady.NO_DATA))
    for one in ours.get("proof_of_recovery") or ():
        seconds = one.get("seconds") if one.get("recovered") else None
        yield f"recovery of {one['name']}", _plain("seconds", seconds)
    for one in ours.get("predicted_burn") or ():
        yield f"burn of {one['objective']} at worst", _plain("share", one.get("share"))
    yield "left behind", _plain("count", float(len(ours.get("residue") or ())))
    yield "undo failures", _plain("count", float(len(ours.get("undo_failures") or ())))


def _plain(unit: str, value: float | None) -> _Value:
    return _Value(unit, value, value)


def _share(looks: Sequence[Steady], state: Steady) -> float | None:
    return sum(one is state for one in looks) / len(looks) if looks else None

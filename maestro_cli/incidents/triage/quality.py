"""Whether answers turned out right, and which version gave the wrong ones.

Invariant: only answers whose truth is known count; without enough of them nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import sqrt

from maestro_cli.incidents.triage.facts import CaseFacts, Tally
from maestro_cli.incidents.triage.model import Evidence

_ENOUGH_ANSWERS = 20.0
_WORSE_BY = 0.1
_ERRORS = 3.0  # standard ones: what differs by less is chance, once in hundreds of incidents aside
_HARDLY = 0.5  # so many requests before the onset for each one since: who had more answered before as well


def worse_answers(case: CaseFacts, revision: str) -> str:
    """How far worse the answers of this revision's own versions are than the others'; "" where they are not.

    The others' since the onset count where there are enough, else theirs before it. Of versions that others
    serve as well, those before and since are compared, where the revision has hardly answered before.
    """
    served = {row.version for row in case.split if row.revision == revision and row.tally.requests_since >= 1}
    others = {row.version for row in case.split if row.revision not in ("", revision)}
    if served and served <= others:
        return _worse_than_before(case, revision, served)
    own = _sum(case.judged, served - others)
    rest = _sum(case.judged, set(case.judged) - served)
    if own.requests_since < _ENOUGH_ANSWERS or own.ratio_since is None:
        return ""
    before = rest.requests_since < _ENOUGH_ANSWERS
    count = rest.requests_before if before else rest.requests_since
    other = rest.ratio_before if before else rest.ratio_since
    if count < _ENOUGH_ANSWERS or other is None or own.ratio_since - other < _WORSE_BY:
        return ""
    if is_chance(own.ratio_since, own.requests_since, other, count):
        return ""
    when = "before it" if before else "of the others at the same time"
    right, once = 100 * (1 - own.ratio_since), 100 * (1 - other)
    return f"{right:.0f} % of revision {revision}'s answers turn out right, {once:.0f} % {when}"


def _worse_than_before(case: CaseFacts, revision: str, versions: set[str]) -> str:
    """What else a release changed may make the same version answer wrongly."""
    mine = sum((row.tally for row in case.split if row.revision == revision), Tally())
    all_of_them = _sum(case.judged, versions)
    right, once = all_of_them.ratio_since, all_of_them.ratio_before
    few = min(all_of_them.requests_since, all_of_them.requests_before) < _ENOUGH_ANSWERS
    if few or right is None or once is None or right - once < _WORSE_BY:
        return ""
    if is_chance(right, all_of_them.requests_since, once, all_of_them.requests_before):
        return ""
    if mine.requests_before > _HARDLY * mine.requests_since:
        return ""
    return (
        f"{100 * (1 - right):.0f} % of the answers turn out right since revision {revision} answers, "
        f"{100 * (1 - once):.0f} % before it"
    )


def is_chance(share: float, of: float, other: float, of_other: float) -> bool:
    """Whether two shares of so many answers differ by no more than three standard errors."""
    both = (share * of + other * of_other) / (of + of_other)
    return abs(share - other) <= _ERRORS * sqrt(both * (1 - both) * (1 / of + 1 / of_other))


def _sum(judged: Mapping[str, Tally], versions: set[str]) -> Tally:
    return sum((tally for version, tally in judged.items() if version in versions), Tally())


def quality_evidence(case: CaseFacts, query: str, now: datetime, seconds: float) -> Evidence:
    """The share of right answers by version."""
    facts = {
        version: {
            "judged_before": round(tally.requests_before, 1),
            "wrong_before": round(tally.errors_before, 1),
            "judged_since": round(tally.requests_since, 1),
            "wrong_since": round(tally.errors_since, 1),
        }
        for version, tally in sorted(case.judged.items())
    }
    parts = [
        f"version {version} {100 * (1 - tally.ratio_since):.1f} %"
        for version, tally in sorted(case.judged.items())
        if tally.ratio_since is not None
    ]
    summary = f"right answers since the onset: {', '.join(parts)}" if parts else "no answer was judged"
    title = "Right answers by model version"
    return Evidence("quality", title, query, now, "prometheus", summary, {"version": facts}, seconds=seconds)

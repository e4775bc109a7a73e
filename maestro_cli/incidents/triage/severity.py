"""How severe an incident is by what users feel of it: a proposal with its reasons, for people to confirm.

Invariant: pure; by `TABLE` alone, the gravest row that holds. What could not be measured makes it graver by
one, never less grave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.triage.facts import CaseFacts, Tally, tally_by
from maestro_cli.incidents.triage.model import Proposal, Suspect, SuspectKind
from maestro_cli.incidents.triage.quality import is_chance

_ENOUGH_REQUESTS = 20.0
_ORDER = (Severity.SEV1, Severity.SEV2, Severity.SEV3, Severity.SEV4)
_WITHOUT_FACTS = Severity.SEV2


@dataclass(frozen=True, slots=True)
class Row:
    """Whoever measures at least `from_` of `measure` has at least this severity."""

    measure: str
    from_: float
    severity: Severity
    words: str  # `{}` is the value


TABLE: tuple[Row, ...] = (
    Row("failing", 0.5, Severity.SEV1, "{:.1%} of the requests fail"),
    Row("failing", 0.05, Severity.SEV2, "{:.1%} of the requests fail"),
    Row("failing", 0.005, Severity.SEV3, "{:.1%} of the requests fail"),
    Row("failing of revenue", 0.05, Severity.SEV1, "{:.1%} of the requests that earn money fail"),
    Row("failing of revenue", 0.005, Severity.SEV2, "{:.1%} of the requests that earn money fail"),
    Row("wrong", 0.1, Severity.SEV2, "{:.1%} more of the answers are wrong than before"),
    Row("wrong", 0.02, Severity.SEV3, "{:.1%} more of the answers are wrong than before"),
    Row("missing", 0.9, Severity.SEV1, "{:.0%} of the usual requests are not answered at all"),
    Row("missing", 0.3, Severity.SEV2, "{:.0%} of the usual requests are not answered at all"),
    Row("burn", 14.4, Severity.SEV2, "the error budget burns at {:.1f} times the allowed rate"),
    Row("burn", 3.0, Severity.SEV3, "the error budget burns at {:.1f} times the allowed rate"),
    Row("spent", 0.5, Severity.SEV1, "{:.0%} of the error budget is spent by this"),
    Row("spent", 0.1, Severity.SEV2, "{:.0%} of the error budget is spent by this"),
)
# What a named culprit alone makes of it, whatever users feel by now.
CAUSES: Mapping[SuspectKind, Severity] = {
    SuspectKind.DELETION: Severity.SEV1,
    SuspectKind.KEY: Severity.SEV2,
    SuspectKind.NODE: Severity.SEV3,
    SuspectKind.CERTIFICATE: Severity.SEV3,
    SuspectKind.BACKUP: Severity.SEV3,
}


def propose_severity(
    case: CaseFacts,
    suspects: tuple[Suspect, ...],
    budget: Mapping[str, Any],
    revenue_segments: frozenset[str] = frozenset(),
) -> Proposal:
    """What the table makes of a case; `budget` holds `burn` and `budget_spent`, None where not known."""
    measured = _measured(case, budget, revenue_segments)
    found = [
        (row.severity, row.words.format(value))
        for row in TABLE
        if (value := measured.get(row.measure)) is not None and value >= row.from_
    ]
    culprit = suspects[0] if suspects and suspects[0].is_strong else None
    if culprit is not None and culprit.kind in CAUSES:
        found.append((CAUSES[culprit.kind], f"the cause is a {culprit.kind.value}: {culprit.subject}"))
    felt = measured.get("failing") is not None or measured.get("missing") is not None
    if not felt:
        return _unsure(found, "how many requests fail is not known")
    if _may_be_worse(case):
        return _unsure(found, "whether more of the answers are wrong than before may be chance")
    if not found:
        return Proposal(Severity.SEV4, ("nothing that users feel was measured",))
    severity = min(one for one, _ in found)
    return Proposal(severity, _reasons(found, severity))


def _unsure(found: list[tuple[Severity, str]], why: str) -> Proposal:
    """Graver by one than what is known; where nothing is, the second."""
    if not found:
        return Proposal(_WITHOUT_FACTS, (f"{why}: unsure means higher",), unsure=True)
    known = min(one for one, _ in found)
    graver = _ORDER[max(_ORDER.index(known) - 1, 0)]
    return Proposal(graver, (*_reasons(found, known), f"{why}: one graver"), unsure=True)


def _reasons(found: list[tuple[Severity, str]], severity: Severity) -> tuple[str, ...]:
    """Of each measure its gravest, those of this severity alone."""
    return tuple(dict.fromkeys(words for one, words in found if one == severity))


def _measured(
    case: CaseFacts, budget: Mapping[str, Any], segments: frozenset[str]
) -> dict[str, float | None]:
    every = sum((row.tally for row in case.split), Tally())
    earning = sum((row.tally for row in case.split if row.segment in segments), Tally())
    return {
        "failing": _ratio(every),
        "failing of revenue": _ratio(earning),
        "wrong": _worse(case),
        "missing": _missing(case),
        "burn": _number(budget.get("burn")),
        "spent": _number(budget.get("budget_spent")),
    }


def _ratio(tally: Tally) -> float | None:
    return tally.ratio_since if tally.requests_since >= _ENOUGH_REQUESTS else None


def _worse(case: CaseFacts) -> float | None:
    """How much more often answers are wrong than before, over every version; None where it may be chance."""
    every = _judged(case)
    if every is None or every.ratio_since is None or _is_chance(every):
        return None
    return every.ratio_since - (every.ratio_before or 0.0)


def _may_be_worse(case: CaseFacts) -> bool:
    """Whether so many more answers are wrong that it would count, and are so few that it may be chance."""
    every = _judged(case)
    if every is None or every.ratio_since is None or not _is_chance(every):
        return False
    least = min(row.from_ for row in TABLE if row.measure == "wrong")
    return every.ratio_since - (every.ratio_before or 0.0) >= least


def _judged(case: CaseFacts) -> Tally | None:
    """The answers whose truth is known, of every version; None where there are too few since the onset."""
    every = sum(case.judged.values(), Tally())
    return every if every.requests_since >= _ENOUGH_REQUESTS else None


def _is_chance(every: Tally) -> bool:
    since, before = every.ratio_since, every.ratio_before
    if since is None or before is None:
        return False
    return is_chance(since, every.requests_since, before, every.requests_before)


def _missing(case: CaseFacts) -> float | None:
    """The share of the usual requests that nobody answers, known only where there was a usual rate."""
    answered = sum(one.requests_before for one in tally_by(case.split, "pod").values())
    if case.around.gone and answered >= _ENOUGH_REQUESTS:
        return 1.0
    return None if case.load_factor is None else max(1.0 - case.load_factor, 0.0)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and value == value else None

"""The one answer to "is it well?". Invariant: no data is never PASS."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from maestro_cli.core.errors import ExitCode


class Verdict(Enum):
    PASS = "PASS"
    FAIL = "FAIL"
    INDETERMINATE = "INDETERMINATE"


# What was seen, and was bad; with any other code but 0 nothing was done, or nothing was learned.
_BAD = frozenset(
    {ExitCode.CONDITION_NOT_MET, ExitCode.UNDO_FAILED, ExitCode.STOP_CONDITION, ExitCode.ROLLED_BACK}
)


def verdict_of(code: ExitCode) -> Verdict:
    """What an exit code says by itself: PASS is 0 alone, FAIL what is known to be bad, the rest is open."""
    if code is ExitCode.OK:
        return Verdict.PASS
    return Verdict.FAIL if code in _BAD else Verdict.INDETERMINATE


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with the share of the evidence that was there (0 to 1), the value, and why."""

    verdict: Verdict
    coverage: float
    reason: str
    value: float | None = None

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASS


def judge(value: float | None, *, holds: bool | None, coverage: float, reason: str) -> Judgement:
    """Turn a measured value into a judgement; a missing value, NaN or zero coverage decides nothing."""
    if value is None or math.isnan(value) or holds is None or not coverage > 0:
        known = coverage if coverage > 0 else 0.0  # NaN is none
        return Judgement(Verdict.INDETERMINATE, known, reason, value)
    return Judgement(Verdict.PASS if holds else Verdict.FAIL, coverage, reason, value)


def combine(judgements: Iterable[Judgement]) -> Verdict:
    """FAIL beats INDETERMINATE beats PASS; nothing to combine is INDETERMINATE."""
    verdicts = {item.verdict for item in judgements}
    if not verdicts:
        return Verdict.INDETERMINATE
    for verdict in (Verdict.FAIL, Verdict.INDETERMINATE):
        if verdict in verdicts:
            return verdict
    return Verdict.PASS

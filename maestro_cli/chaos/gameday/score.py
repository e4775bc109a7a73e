"""How a game day ended. Invariant: pure; what was left behind, stopped or never run is never as expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maestro_cli.chaos.ci.decision import gravest, score_of
from maestro_cli.chaos.ci.outcome import Outcome
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Verdict

# A deviation that was expected has taught what it should; nothing else that is bad can be.
_EXPECTABLE = (ExitCode.OK, ExitCode.CONDITION_NOT_MET)


@dataclass(frozen=True, slots=True)
class Taken:
    """One experiment of the day, and whether it came out as expected."""

    outcome: Outcome
    expect: Verdict
    watch: str

    @property
    def is_as_expected(self) -> bool:
        return self.outcome.exit_code in _EXPECTABLE and self.outcome.verdict is self.expect


@dataclass(frozen=True, slots=True)
class DayResult:
    verdict: Verdict
    exit_code: ExitCode
    score: int | None
    taken: tuple[Taken, ...]


def day_result(taken: Sequence[Taken]) -> DayResult:
    """PASS when all came out as expected; FAIL when one did not; INDETERMINATE when one told nothing."""
    odd = [one for one in taken if not one.is_as_expected]
    codes = [one.outcome.exit_code or ExitCode.CONDITION_NOT_MET for one in odd]
    verdict = Verdict.PASS if taken and not odd else Verdict.FAIL
    if (odd and all(one.outcome.verdict is Verdict.INDETERMINATE for one in odd)) or not taken:
        verdict = Verdict.INDETERMINATE
    code = gravest(codes) if taken else ExitCode.NO_DATA
    return DayResult(verdict, code, score_of([one.outcome for one in taken]), tuple(taken))

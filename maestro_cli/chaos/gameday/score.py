"""How a game day ended. Invariant: pure; what was left behind, stopped or never run is never as expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from maestro_cli.chaos.ci.decision import gravest, score_of
from maestro_cli.chaos.ci.outcome import Against, Outcome
from maestro_cli.chaos.drills.model import Scenario, Scorecard
from maestro_cli.core.errors import ExitCode, Interrupted
from maestro_cli.core.verdict import Verdict, verdict_of

# A deviation that was expected has taught what it should; nothing else that is bad can be.
_EXPECTABLE = (ExitCode.OK, ExitCode.CONDITION_NOT_MET)
DRILL = "drill"  # the rule that speaks against one that missed something


@dataclass(frozen=True, slots=True)
class Taken:
    """One experiment or drill of the day, and whether it came out as expected.

    `drill` is its name where it is one, `card` its score where it has one, `drilled_seconds` how long it went
    on, None where it was not begun; `roles` are of this step alone.
    """

    outcome: Outcome
    expect: Verdict
    watch: str
    roles: tuple[tuple[str, str], ...] = ()
    drill: str = ""
    card: Scorecard | None = None
    drilled_seconds: float | None = None

    @property
    def is_recorded(self) -> bool:
        """Whether it has a score, or a journal: without one nothing has come out as it was to."""
        return self.card is not None if self.drill else self.outcome.was_run

    @property
    def is_as_expected(self) -> bool:
        came_out = self.outcome.exit_code in _EXPECTABLE and self.outcome.verdict is self.expect
        return came_out and self.is_recorded

    @property
    def seconds(self) -> float | None:
        """How long it took; None when nothing was begun."""
        if self.drill:
            return self.drilled_seconds if self.card is None else self.card.wall_seconds
        return self.outcome.seconds if self.outcome.was_run else None


@dataclass(frozen=True, slots=True)
class DayResult:
    """`ended_early` is why it has no whole end: in a break, or without a record; "" where it has."""

    verdict: Verdict
    exit_code: ExitCode
    score: int | None
    taken: tuple[Taken, ...]
    ended_early: str = ""


def day_result(taken: Sequence[Taken], interrupted: Interrupted | None = None) -> DayResult:
    """PASS when all came out as expected; FAIL when one did not; INDETERMINATE when one told nothing, or when
    the day was `interrupted` in a break.
    """
    odd = [one for one in taken if not one.is_as_expected]
    codes = [one.outcome.exit_code or ExitCode.CONDITION_NOT_MET for one in odd]
    if interrupted is not None:
        codes.append(interrupted.exit_code)
    verdict = Verdict.PASS if taken and not codes else Verdict.FAIL
    if all(one.outcome.verdict is Verdict.INDETERMINATE for one in odd) and (codes or not taken):
        verdict = Verdict.INDETERMINATE
    code = gravest(codes) if taken or codes else ExitCode.NO_DATA
    told = "" if interrupted is None else f"{interrupted.what} in a break"
    return DayResult(verdict, code, score_of([one.outcome for one in taken]), tuple(taken), told)


def unkept_day(result: DayResult, why: str) -> DayResult:
    """Of a day whose end nobody can read up: no pass, and what is worse stays so."""
    code = result.exit_code or ExitCode.NO_DATA
    return replace(
        result,
        verdict=result.verdict if result.exit_code else verdict_of(code),
        exit_code=code,
        ended_early="; ".join(filter(None, (result.ended_early, why))),
    )


def outcome_of_drill(scenario: Scenario, card: Scorecard) -> Outcome:
    """Of a drill that was scored. It weighs nothing in the resilience score, having one of its own."""
    stop = card.experiment is not None and card.experiment.exit_code == ExitCode.STOP_CONDITION
    code = ExitCode.OK if card.passed else ExitCode.CONDITION_NOT_MET
    if stop:
        code = ExitCode.STOP_CONDITION
    reason = card.experiment.reason if stop and card.experiment is not None else ""
    missed = tuple(Against(DRILL, what, code) for what in (*filter(None, [reason]), *card.misses))
    run = "" if card.experiment is None else card.experiment.run
    return Outcome(card.scenario, scenario.title, "", verdict_of(code), code, missed, run=run, weight=0)


def undrilled(scenario: Scenario, why: str, code: ExitCode) -> Outcome:
    """Of a drill that was not played, or has no score."""
    against = Against(DRILL, why, code)
    return Outcome(scenario.name, scenario.title, "", verdict_of(code), code, (against,), weight=0)

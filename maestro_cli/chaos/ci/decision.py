"""What a gate ends with: the verdict first, the resilience score second.

Invariant: nothing run is no pass, and is waived by nobody. The score is 100 if and only if every experiment
that weighs something passed; one that was not run, harmed, or told nothing counts with its weight and earns
nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from maestro_cli.chaos.ci.cases import State, cases_of, count
from maestro_cli.chaos.ci.outcome import Outcome
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Verdict

# The gravest first.
PRECEDENCE: tuple[ExitCode, ...] = (
    ExitCode.UNDO_FAILED, ExitCode.STOP_CONDITION, ExitCode.SIGINT, ExitCode.SIGTERM, ExitCode.TIMEOUT,
    ExitCode.GATE_NOT_MET, ExitCode.ACTION_FAILED, ExitCode.CONDITION_NOT_MET, ExitCode.NO_DATA,
    ExitCode.BUSY,
)  # fmt: skip
# What `--fail-on` may leave out; what else there is always fails.
WAIVABLE: tuple[ExitCode, ...] = (
    ExitCode.CONDITION_NOT_MET, ExitCode.GATE_NOT_MET, ExitCode.ACTION_FAILED, ExitCode.STOP_CONDITION,
    ExitCode.NO_DATA, ExitCode.WAITING_APPROVAL, ExitCode.POLICY_REFUSED, ExitCode.BUSY,
)  # fmt: skip
_EARNING = (ExitCode.OK, ExitCode.CONDITION_NOT_MET)


@dataclass(frozen=True, slots=True)
class Decision:
    """`exit_code`: the gravest that is true. `ends_with`: the gravest that was not waived, 0 for none.

    `score`: 0 to 100, None where nothing weighs anything.
    """

    verdict: Verdict
    exit_code: ExitCode
    ends_with: ExitCode
    waived: tuple[ExitCode, ...]
    score: int | None


def decide(outcomes: Sequence[Outcome], fail_on: Collection[ExitCode] | None = None) -> Decision:
    """Over all of them; `fail_on` None: whatever is not a pass fails, as where not one of them was run."""
    bad = [one.exit_code for one in outcomes if one.exit_code is not ExitCode.OK]
    if not outcomes:
        bad = [ExitCode.NO_DATA]
    may_waive = fail_on is not None and any(one.was_run for one in outcomes)
    waived = {code for code in bad if may_waive and code in WAIVABLE and code not in (fail_on or ())}
    verdicts = {one.verdict for one in outcomes} or {Verdict.INDETERMINATE}
    order = (Verdict.FAIL, Verdict.INDETERMINATE, Verdict.PASS)
    return Decision(
        verdict=next(one for one in order if one in verdicts),
        exit_code=gravest(bad),
        ends_with=gravest([code for code in bad if code not in waived]),
        waived=tuple(sorted(waived)),
        score=score_of(outcomes),
    )


def gravest(codes: Sequence[ExitCode]) -> ExitCode:
    """By precedence; what has no place in it (a file, a policy) comes right before `gate not met`."""
    return min(codes, key=rank, default=ExitCode.OK)


def rank(code: ExitCode) -> float:
    """The smaller the graver."""
    if code is ExitCode.OK:
        return len(PRECEDENCE)
    if code in PRECEDENCE:
        return PRECEDENCE.index(code)
    return PRECEDENCE.index(ExitCode.GATE_NOT_MET) - 0.5 + int(code) / 1000


def score_of(outcomes: Sequence[Outcome]) -> int | None:
    """Σ weight · credit / Σ weight in percent, rounded down; the weight is what an experiment contributes."""
    total = sum(one.weight for one in outcomes)
    if total == 0:
        return None
    return int(100 * sum(one.weight * credit(one) for one in outcomes) / total)


def credit(outcome: Outcome) -> float:
    """1 for a pass; for a deviation the share of its cases that passed, which is less; else 0."""
    if outcome.exit_code not in _EARNING:
        return 0.0
    if outcome.exit_code is ExitCode.OK:
        return 1.0
    cases = cases_of(outcome)
    looked = len(cases) - count(cases, State.SKIPPED)
    return count(cases, State.PASSED) / looked if looked else 0.0

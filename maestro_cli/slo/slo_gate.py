"""Whether a deploy may go on, by objectives. Invariant: what is not known does not let anything through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.burn import BurnState
from maestro_cli.slo.policy import least_for_chaos
from maestro_cli.slo.words import left_phrase, left_range_words, left_words


@dataclass(frozen=True, slots=True)
class Reading:
    """One objective: what is left of its budget at least and at most, and how it burns.

    `why` is why what is left is not known, `blind` why the burn is not: empty without traffic, and where no
    metric tells it.
    """

    name: str
    left: tuple[float, float] | None
    state: BurnState
    why: str = ""
    blind: str = ""


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """`left_out` names objectives that were not asked for by name and have no error budget."""

    verdict: Verdict
    reasons: tuple[tuple[str, str], ...]
    left_out: tuple[str, ...] = ()


def judge_gate(readings: Sequence[Reading], least: float) -> GateAnswer:
    """PASS where more than `least` of every budget is left, whatever was not seen, and none is critical."""
    judged = [(one.name, *_judge(one, least)) for one in readings]
    verdicts = {verdict for _, verdict, _ in judged}
    for verdict in (Verdict.FAIL, Verdict.INDETERMINATE):
        if verdict in verdicts:
            return GateAnswer(verdict, tuple((name, why) for name, _, why in judged))
    return GateAnswer(
        Verdict.PASS if judged else Verdict.INDETERMINATE, tuple((name, why) for name, _, why in judged)
    )


def judge_experiment(readings: Sequence[Reading], *, in_production: bool) -> GateAnswer:
    """PASS where the budget policy lets an experiment begin, which costs budget, and may cost more."""
    return judge_gate(readings, least_for_chaos(in_production=in_production))


def _judge(one: Reading, least: float) -> tuple[Verdict, str]:
    if one.state is BurnState.CRITICAL:
        return Verdict.FAIL, "its budget burns critically"
    if one.left is None:
        return Verdict.INDETERMINATE, f"what is left of its budget is not known: {one.why}"
    low, high = one.left
    wanted = f"more than {least:.0%} is wanted"
    if high <= least:
        return Verdict.FAIL, f"{left_phrase(high, 'of its budget')}, {wanted}"
    if low <= least:
        return Verdict.INDETERMINATE, f"{left_range_words(low, high)} of its budget is left, {wanted}"
    if one.blind:
        return Verdict.INDETERMINATE, f"how its budget burns is not known: {one.blind}"
    return Verdict.PASS, f"{left_words(low)} of its budget is left"

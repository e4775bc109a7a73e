"""The checks that an experiment has to get past: one module each, found by name here.

Invariant: every check is asked, and every answer told; one that cannot tell allows nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.chaos.faults import REMEDIES
from maestro_cli.chaos.guard.alone import Alone
from maestro_cli.chaos.guard.blackout import Blackouts
from maestro_cli.chaos.guard.bounds import Bounds
from maestro_cli.chaos.guard.budget import Budgets
from maestro_cli.chaos.guard.burn import PredictedBurn
from maestro_cli.chaos.guard.cap import Cap
from maestro_cli.chaos.guard.change_gate import ChangeGate
from maestro_cli.chaos.guard.check import Allows, Answer, Check, Proposal
from maestro_cli.chaos.guard.disruption import DisruptionBudgets
from maestro_cli.chaos.guard.incidents import Incidents
from maestro_cli.chaos.guard.other_region import OtherRegion
from maestro_cli.chaos.guard.place import Place
from maestro_cli.chaos.guard.stop_condition import StopConditions
from maestro_cli.chaos.guard.targets import UNKNOWN, Targets
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.core.errors import (
    ActionFailed,
    Busy,
    ExitCode,
    GateNotMet,
    MaestroError,
    NoData,
    PolicyRefused,
    Refused,
    WaitingForApproval,
)

CHECKS: tuple[Check, ...] = (
    Place(), Bounds(), Targets(), Cap(), ChangeGate(), DisruptionBudgets(), Blackouts(), Incidents(),
    Budgets(), PredictedBurn(), StopConditions(), OtherRegion(), Alone(),
)  # fmt: skip
# What may have come about between the plan and a fault: asked again right before each is put in.
_AT_THE_LAST: tuple[Check, ...] = (Blackouts(), Incidents(), OtherRegion())
# Of a remedy: nothing that comes of the harm itself, which is an incident by now.
_OF_REMEDIES: tuple[Check, ...] = (OtherRegion(),)
# The gravest first: what is forbidden for good stands before what is so now.
_ERRORS: tuple[tuple[ExitCode, type[MaestroError]], ...] = (
    (ExitCode.POLICY_REFUSED, PolicyRefused),
    (ExitCode.REFUSED, Refused),
    (ExitCode.ACTION_FAILED, ActionFailed),
    (ExitCode.WAITING_APPROVAL, WaitingForApproval),
    (ExitCode.GATE_NOT_MET, GateNotMet),
    (ExitCode.BUSY, Busy),
)


def examine(
    proposal: Proposal, surroundings: Surroundings, checks: Sequence[Check] = CHECKS
) -> tuple[Answer, ...]:
    """What each check says, in order."""
    return tuple(_answer(check, proposal, surroundings) for check in checks)


def at_the_last(fault: str) -> tuple[Check, ...]:
    """What is asked again right before a fault of this name is put in."""
    return _OF_REMEDIES if fault in REMEDIES else _AT_THE_LAST


def _answer(check: Check, proposal: Proposal, surroundings: Surroundings) -> Answer:
    try:
        return check.examine(proposal, surroundings)
    except MaestroError as error:
        why = "; ".join(filter(None, (error.what, error.why)))
        return Answer(check.name, Allows.UNKNOWN, f"cannot be told: {why}", ExitCode.GATE_NOT_MET, error.fix)


def plan_refusal(proposal: Proposal, answers: Sequence[Answer]) -> MaestroError | None:
    """What a plan ends with: as `refusal`, and no better where what acts has no target that is known."""
    error = refusal(answers)
    experiment = proposal.experiment
    if error is not None or not experiment.acts or any(one.targets for one in proposal.chosen):
        return error
    fix = "maestro chaos import FILE proposes faults with targets for what it knows"
    if experiment.unbound:
        return NoData(f"the guard lets it through, and {UNKNOWN}", why="it declares no fault", fix=fix)
    return ActionFailed("it would inject nothing", why="it declares no fault", fix=fix)


def refusal(answers: Sequence[Answer]) -> MaestroError | None:
    """The error that the gravest refusal stands for, with every other in its why; None where all allow it."""
    against = [one for one in answers if one.allows is not Allows.YES]
    if not against:
        return None
    order = [code for code, _ in _ERRORS]
    rank = {code: place for place, code in enumerate(order)}
    first, *others = sorted(against, key=lambda one: rank.get(one.exit_code, len(order)))
    kind = dict(_ERRORS).get(first.exit_code, GateNotMet)
    also = "; ".join(f"{one.check}: {one.reason}" for one in others)
    return kind(
        f"the experiment was refused by its guard ({first.check}): {first.reason}",
        why=f"nothing was injected{f'; also: {also}' if also else ''}",
        fix=first.fix or "maestro chaos plan FILE",
    )

"""What a dry run says of the gate: what the change itself would be told now.

Invariant: nothing is taken, sent or written here; what only trying can tell is a warning, not an answer.
"""

from __future__ import annotations

from dataclasses import replace

from maestro_cli.changes.history import unresolved_on
from maestro_cli.changes.ledger import who_holds
from maestro_cli.changes.model import Change, Gate, GateDecision, GateReason
from maestro_cli.core.errors import Busy, ExitCode
from maestro_cli.journal.store import Journal


def busy_reason(error: Busy) -> GateReason:
    """That another change is at work on the target, as the gate tells it."""
    return GateReason("busy", ExitCode.BUSY, error.what, error.why, error.fix)


def beside_others(journal: Journal, change: Change, decision: GateDecision) -> GateDecision:
    """The decision, with what other changes of the target have to do with it.

    One that is at work refuses first, because the target is taken before the gate is asked. One that was sent
    and of whose outcome nobody knows is probed by the change itself, which a dry run does not do.
    """
    if (error := who_holds(journal, change.ref)) is not None:
        refused = GateDecision(Gate.REFUSED, (busy_reason(error),), decision.warnings)
        return replace(refused, reasons=(*refused.reasons, *_refusing(decision)))
    unknown = tuple(
        f"what became of {other.id} ({other.kind} by {other.actor}) is found out first"
        for other in unresolved_on(journal, change.ref, but=change.id)
    )
    return replace(decision, warnings=(*decision.warnings, *unknown))


def told_dry(decision: GateDecision) -> GateDecision:
    """The decision as a command tells it after a dry run, which waits for nobody and cannot be approved."""
    if decision.outcome is not Gate.WAITING:
        return decision
    fix = "without --dry-run it waits, until somebody else approves it: maestro approve list"
    return replace(decision, reasons=tuple(replace(one, fix=fix) for one in decision.reasons))


def _refusing(decision: GateDecision) -> tuple[GateReason, ...]:
    return decision.reasons if decision.outcome is Gate.REFUSED else ()

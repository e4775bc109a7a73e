"""Carrying out the undo that was agreed to with a change, without asking again.

Invariant: what was agreed to with its undo may always be taken back: no freeze, cap or budget keeps a fault
in force. Only what the change did is: an intent is probed and never sent again, and what somebody else wrote
since is left as it is. Twice is as once.
"""

from __future__ import annotations

from maestro_cli.changes.execution import Execution
from maestro_cli.changes.history import find_by_key, written_again
from maestro_cli.changes.kinds.kind import Holds, Request, Sent
from maestro_cli.changes.means import Means
from maestro_cli.changes.model import UNRESOLVED, Change, Plan, State, Undo
from maestro_cli.changes.records import recorded_error
from maestro_cli.changes.undoing import refuse_what_came_after
from maestro_cli.core.errors import GateNotMet, NotFound, NothingToChange, RolledBack
from maestro_cli.core.ids import new_id


def take_back(means: Means, change: Change, cause: str) -> Change:
    """The undo, or the change itself where there is nothing (left) to take back; ends what did not end.

    Raises what the undo ended with, GateNotMet where somebody changed since what it wrote or it cannot be
    planned, Busy where an outcome stays unknown, Unreachable and Refused.
    """
    execution, ledger = Execution(means), means.ledger
    if change.state in UNRESOLVED:
        change = execution.settle_abandoned(change)
    if change.applied_at is None or change.state is State.ROLLED_BACK:
        return change
    undo = change.plan.undo
    if undo is None:
        return change if change.finished else execution.finish(change)
    done = _undone(means, execution, change, cause)
    if not change.finished:
        by = "nothing was left of it" if done is None else f"undone by {done.id}"
        error = RolledBack(f"change {change.id} was taken back: {by}", why=cause)
        change = ledger.undone(change, means.lease, error, "" if done is None else done.id)
    return done or change


def _undone(means: Means, execution: Execution, change: Change, cause: str) -> Change | None:
    """The change that took it back, begun before or now; None where it is as before already."""
    key = f"{change.id}/undo"
    undo = change.plan.undo
    assert undo is not None
    begun = find_by_key(means.ledger.journal, key)
    if begun is None or begun.nothing_done:
        now = means.clock.now()
        seconds = change.plan.verify.timeout_seconds
        request = Request(change.ref, undo.parameters, new_id("chg", now), now, seconds)
        plan = _planned(means, change, undo, request)
        if plan is None:
            return None
        means.plans[plan.id] = plan
        begun = means.ledger.planned(plan, key=key, cause=cause)
    done = execution.finish(begun)
    if done.error is not None and not _holds_by_now(means, done):
        raise recorded_error(done.error)
    return done


def _planned(means: Means, change: Change, undo: Undo, request: Request) -> Plan | None:
    """None where nothing of the change is left: it is as before, or its target is gone or another one."""
    try:
        plan = means.kinds[undo.kind].plan(means.world, request)
    except NothingToChange:
        return None
    except NotFound:
        if means.kind(change).probe(means.world, change.plan).sent in (Sent.GONE, Sent.NOT_APPLIED):
            return None
        raise
    if plan.target.uid != change.plan.target.uid:
        return None
    if change.id not in undo.parameters.values():  # what names the change takes back nobody else's
        refuse_what_came_after(means.kind(change), change, plan)
        again = written_again(means.ledger.journal, change)
        if again:
            raise GateNotMet(
                f"{change.ref} was changed since by {again}; it was left as it is",
                why=f"that wrote again what change {change.id} had made of it",
                fix=f"look at it: maestro change show {again}",
            )
    return plan


def _holds_by_now(means: Means, undo: Change) -> bool:
    """Whether what did not hold in its time does since: what it waited for may have come later."""
    if undo.applied_at is None:
        return False
    seen = means.kind(undo).observe(means.world, undo.plan, left=undo.left)
    return seen.holds is Holds.YES

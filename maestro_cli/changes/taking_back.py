"""Carrying out the undo that was agreed to with a change, without asking again.

Invariant: what was agreed to with its undo may always be taken back: no freeze, cap or budget keeps a fault
in force. Only what the change did is: an intent is probed and never sent again, and what somebody else wrote
since is left as it is. Twice is as once. Where nothing can be recorded any more it is taken back all the
same: its undo is on record, and whoever looks later finds nothing left of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum
from itertools import count

from maestro_cli.changes.execution import Execution
from maestro_cli.changes.history import applied_since, find_by_key
from maestro_cli.changes.kinds.kind import ChangeKind, Holds, Request, Sent
from maestro_cli.changes.means import Means
from maestro_cli.changes.model import UNRESOLVED, Change, Plan, State, Undo
from maestro_cli.changes.ports import World
from maestro_cli.changes.records import recorded_error
from maestro_cli.changes.sending import written
from maestro_cli.changes.undoing import refuse_what_came_after
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import ActionFailed, GateNotMet, NotFound, NothingToChange, RolledBack
from maestro_cli.core.ids import new_id
from maestro_cli.journal.store import Journal

POLL_SECONDS = 0.2


class Nothing(Enum):
    """Why nothing of a change is left to take back: it is as before, or its target is gone or another one."""

    AS_BEFORE = "as before"
    GONE = "gone"


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
    """The change that took it back, begun before or now; None where it is as before already.

    One that did not hold, and does not since, is made anew from what is there: once a call.
    """
    key, begun = _attempts(means.ledger.journal, change)
    done = None if begun is None else execution.finish(begun)
    if done is not None and (done.error is None or _holds_by_now(means, done)):
        return done
    undo = change.plan.undo
    assert undo is not None
    now = means.clock.now()
    request = Request(
        change.ref, undo.parameters, new_id("chg", now), now, change.plan.verify.timeout_seconds
    )
    plan = _planned(means.ledger.journal, means.world, means.kinds, change, undo, request)
    if plan is Nothing.GONE:
        return None
    if isinstance(plan, Plan):
        plan = replace(plan, undo=None)  # what took it back in its turn would put the fault in again
        means.plans[plan.id] = plan
        done = execution.finish(means.ledger.planned(plan, key=key, cause=cause))
    if done is not None and done.error is not None and not _holds_by_now(means, done):
        raise recorded_error(done.error)
    return done


def _attempts(journal: Journal, change: Change) -> tuple[str, Change | None]:
    """The key of the next undo of it, and the last that was begun."""
    last: Change | None = None
    for number in count(1):
        key = f"{change.id}/undo" if number == 1 else f"{change.id}/undo/{number}"
        begun = find_by_key(journal, key)
        if begun is None or begun.nothing_done:
            return key, last
        last = begun
    raise AssertionError("numbers do not end")


def take_back_unrecorded(
    journal: Journal, world: World, kinds: Mapping[str, ChangeKind], clock: Clock, change: Change
) -> None:
    """As `take_back`, for a journal that cannot be written: no step of it is recorded, and no lease taken.

    Raises GateNotMet as `take_back` does, ActionFailed where it does not hold in its time, what the call
    raises, Unreachable and Refused.
    """
    undo = change.plan.undo
    was_sent = change.applied_at is not None or change.state in UNRESOLVED
    if undo is None or not was_sent or change.state is State.ROLLED_BACK:
        return
    now, seconds = clock.now(), change.plan.verify.timeout_seconds
    request = Request(change.ref, undo.parameters, new_id("chg", now), now, seconds)
    plan = _planned(journal, world, kinds, change, undo, request)
    if not isinstance(plan, Plan):
        return
    kind = kinds[undo.kind]
    left = kind.part_of(written(world, kind, plan))
    until = clock.monotonic() + seconds
    while True:
        for uid, ref in kind.pending(world, plan).items():
            kind.take(world, plan, ref, uid)
        seen = kind.observe(world, plan, left=left)
        if seen.holds is Holds.YES:
            return
        if seen.holds is not Holds.NOT_YET or clock.monotonic() >= until:
            raise ActionFailed(f"the undo of change {change.id} did not hold", why=seen.text)
        clock.sleep(POLL_SECONDS)


def _planned(
    journal: Journal,
    world: World,
    kinds: Mapping[str, ChangeKind],
    change: Change,
    undo: Undo,
    request: Request,
) -> Plan | Nothing:
    """The undo, or why nothing of the change is left."""
    try:
        plan = kinds[undo.kind].plan(world, request)
    except NothingToChange:
        return Nothing.AS_BEFORE
    except NotFound:
        if kinds[change.kind].probe(world, change.plan).sent in (Sent.GONE, Sent.NOT_APPLIED):
            return Nothing.GONE
        raise
    if plan.target.uid != change.plan.target.uid:
        return Nothing.GONE
    if change.id not in undo.parameters.values():  # what names the change takes back nobody else's
        refuse_what_came_after(kinds[change.kind], change, plan)
        _refuse_what_was_wanted_again(kinds[change.kind], change, applied_since(journal, change))
    return plan


def _refuse_what_was_wanted_again(kind: ChangeKind, change: Change, later: Sequence[Change]) -> None:
    """Raises GateNotMet where what is there is a later change's, though it is as this one left it."""
    again = next((one for one in later if kind.is_as_left(change, one)), None)
    if again is not None:
        raise GateNotMet(
            f"{change.ref} was changed since by {again.id}; it was left as it is",
            why=f"that wrote again what change {change.id} had made of it",
            fix=f"look at it: maestro change show {again.id}",
        )


def _holds_by_now(means: Means, undo: Change) -> bool:
    """Whether what did not hold in its time does since: what it waited for may have come later."""
    if undo.applied_at is None:
        return False
    seen = means.kind(undo).observe(means.world, undo.plan, left=undo.left)
    return seen.holds is Holds.YES

"""Watching a change until its condition holds.

Invariant: always ends, well, badly or stopped; of what the change has still to do each step is journaled.
"""

from __future__ import annotations

from maestro_cli.changes.kinds.kind import Holds, Observation
from maestro_cli.changes.means import Means
from maestro_cli.changes.model import Change
from maestro_cli.changes.policy import UndoPolicy
from maestro_cli.changes.steps import Steps
from maestro_cli.core.errors import ActionFailed, Interrupted, Refused, Unreachable
from maestro_cli.core.quantities import format_duration


def verify(means: Means, change: Change) -> Change:
    """Poll until the declared condition holds, cannot hold any more, or its time is over.

    The record says which: verified, failed (overtaken by somebody else), or a verify failure. Raises
    Interrupted when cancelled (the change stays applied, and can be resumed), Busy when the lease is lost.
    """
    condition = change.plan.verify
    means.progress.phase("verify", condition.text)
    started = means.clock.monotonic()
    steps = Steps(means, change)
    while True:
        steps.take()
        seen = _observe(means, change)
        if steps.waits and seen.holds is Holds.NOT_YET:
            seen = Observation(Holds.NOT_YET, f"{seen.text}; {steps.waits}", seen.in_effect)
        means.progress.update(seen.text)
        spent = means.clock.monotonic() - started
        if seen.holds is Holds.YES:
            return means.ledger.verified(change, means.lease, seen.text, spent)
        if seen.holds is Holds.SUPERSEDED:
            error = ActionFailed(
                f"change {change.id} was applied, and then overtaken",
                why=seen.text,
                fix="see who changed it; nothing was undone",
            )
            return means.ledger.failed(change, means.lease, error)
        if seen.holds is Holds.NEVER or spent >= condition.timeout_seconds:
            why = f"after {format_duration(spent)}: {seen.text}"
            undo = should_undo(means, change, seen)
            return means.ledger.verify_failed(change, means.lease, why, undo=undo)
        _pause(means, change)


def should_undo(means: Means, change: Change, seen: Observation) -> bool:
    """What the policy says, or a person where it asks; an undo is never undone itself."""
    undo = change.plan.undo
    if change.undo_of is not None or undo is None:
        return False
    if means.policy.undo is UndoPolicy.ASK:
        return means.ask is not None and means.ask(f"{seen.text}. {undo.summary}?")
    if means.policy.undo is UndoPolicy.WHEN_IT_WAS_UP:
        # What was given up was up, and bad: with the change in effect, going back to it helps nobody.
        return change.plan.was_up and not (seen.in_effect and change.plan.gives_up)
    return means.policy.undo is UndoPolicy.ALWAYS


def _observe(means: Means, change: Change) -> Observation:
    """An unreachable cluster is not a verdict: the wait goes on until the time is over."""
    try:
        return means.kind(change).observe(means.world, change.plan, left=change.left)
    except (Unreachable, Refused) as error:
        return Observation(Holds.NOT_YET, error.what)


def _pause(means: Means, change: Change) -> None:
    means.lease.keep()
    if means.cancellation.wait(means.policy.poll_seconds):
        means.ledger.interrupted(change, means.lease, "verify")
        raise Interrupted(
            f"interrupted while change {change.id} was being verified",
            terminated=means.cancellation.terminated,
            fix=f"it is applied and was not undone; see it through: maestro change resume {change.id}",
        )

"""One change, driven from wherever it stands to its end.

Invariant: the journal knows each step before the next one begins, so another process can go on from any
point. An undo is a change of its own, under the same lease; it was agreed to with the plan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from maestro_cli.changes.history import get_change
from maestro_cli.changes.kinds.kind import Request
from maestro_cli.changes.means import Means
from maestro_cli.changes.model import UNRESOLVED, UNSENT, Change, Gate, GateDecision, Plan, State
from maestro_cli.changes.sending import Sending
from maestro_cli.changes.undoing import plan_undo
from maestro_cli.changes.verification import verify
from maestro_cli.core.errors import ActionFailed, MaestroError, RolledBack, UndoFailed, Unreachable
from maestro_cli.core.ids import new_id


class Execution:
    """Carries the changes of one target through, under the lease in `means`."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._sending = Sending(means)

    def finish(
        self, change: Change, decision: GateDecision | None = None, accepts: Collection[str] = ()
    ) -> Change:
        """Apply, verify and if need be undo, from where the change stands; gives the finished change.

        Raises Busy when an outcome stays unknown or the lease was lost, Interrupted when cancelled while
        verifying: both can be resumed. Before the first intent also what the cluster raises.
        """
        granted = decision or change.decision or GateDecision(Gate.ALLOWED)
        while not change.finished:
            if change.state in UNSENT:
                change = self._sending.apply(change, granted, accepts)
            elif change.state in UNRESOLVED:
                change = self._sending.resolve(change, granted, accepts)
            elif not change.verify_failure:
                change = verify(self._means, change)
            elif change.undo_wanted:
                change = self._undo(change)
            else:
                change = self._leave(change)
        return change

    def settle_abandoned(self, change: Change) -> Change:
        """Find out what became of another process's intent; raises Busy when nobody can tell."""
        return self._sending.probe(change)

    def _leave(self, change: Change) -> Change:
        error = ActionFailed(
            f"change {change.id} was applied and did not hold: {change.plan.verify.text}",
            why=change.verify_failure,
            fix=f"it was left as it is; look at {change.ref}{_may_undo(change)}",
        )
        return self._means.ledger.failed(change, self._means.lease, error)

    def _undo(self, change: Change) -> Change:
        means = self._means
        means.progress.phase("undo", change.plan.undo.summary if change.plan.undo else "")
        try:
            undo = self._undo_change(change)
        except Unreachable as error:
            means.ledger.interrupted(change, means.lease, "undo")
            raise UndoFailed(
                f"change {change.id} did not hold, and could not be undone yet",
                why=f"{error.what}: {error.why}".rstrip(": "),
                fix=f"when the cluster answers: maestro change resume {change.id}",
            ) from error
        except MaestroError as error:
            return self._undo_failed(change, error.what, "")
        undo = self.finish(undo)
        if undo.state is not State.VERIFIED:
            return self._undo_failed(change, undo.error.what if undo.error else undo.state.value, undo.id)
        rolled_back = RolledBack(
            f"change {change.id} was undone by {undo.id}: {change.plan.verify.text} did not hold",
            why=change.verify_failure,
        )
        return means.ledger.undone(change, means.lease, rolled_back, undo.id)

    def _undo_change(self, change: Change) -> Change:
        """The change that takes this one back: the one begun before, or a new one from a new plan."""
        means = self._means
        begun = get_change(means.ledger.journal, change.undone_by) if change.undone_by else None
        if begun is not None and begun.state is not State.PLANNED:
            return begun
        now, seconds = means.clock.now(), change.plan.verify.timeout_seconds

        def planned(kind: str, parameters: Mapping[str, Any]) -> Plan:
            request = Request(change.ref, parameters, new_id("chg", now), now, seconds)
            return means.kinds[kind].plan(means.world, request)

        plan = plan_undo(means.kind(change), change, planned)
        means.plans[plan.id] = plan
        cause = f"undo of {change.id}, which did not hold"
        return means.ledger.planned(plan, key=None, cause=cause, undo_of=change.id)

    def _undo_failed(self, change: Change, why: str, undo_id: str) -> Change:
        error = UndoFailed(
            f"change {change.id} did not hold, and its undo failed",
            why=why,
            fix=f"look at {change.ref} now: {change.verify_failure}",
        )
        return self._means.ledger.undo_failed(change, self._means.lease, error, undo_id)


def _may_undo(change: Change) -> str:
    return f", or take it back: maestro change undo {change.id}" if change.plan.undo else ""

"""What a change still has to do after its write, one step at a time, until nothing is left to do.

Invariant: a step is announced in the journal before its call. What is left is read from the cluster each
time, so that a step that took effect is not taken again, by this process or by the one that goes on with
the change; a step that the cluster does not let pass now is tried again later.
"""

from __future__ import annotations

from maestro_cli.changes.means import Means
from maestro_cli.changes.model import Change
from maestro_cli.core.crashpoints import crash_point
from maestro_cli.core.errors import MaestroError, NotFound, Refused, StalePlan, Unreachable
from maestro_cli.core.refs import ObjectRef


class Steps:
    """The steps of one change, as one process takes them."""

    def __init__(self, means: Means, change: Change) -> None:
        self._means = means
        self._change = change
        self._begun: set[str] = set()
        self.waits = ""

    def take(self) -> None:
        """Take each step that is left, once; `waits` then says why one of them did not pass.

        Raises Busy when the lease was lost.
        """
        means, change = self._means, self._change
        self.waits = ""
        try:
            left = means.kind(change).pending(means.world, change.plan)
        except (Unreachable, Refused, NotFound) as error:
            self.waits = error.what
            return
        for uid, ref in left.items():
            if means.cancellation.is_set:
                return
            self._step(uid, ref)

    def _step(self, uid: str, ref: ObjectRef) -> None:
        means, change = self._means, self._change
        means.lease.keep()
        if uid not in self._begun:
            means.ledger.step(change, means.lease, "step_begun", ref, uid)
            self._begun.add(uid)
        try:
            means.kind(change).take(means.world, change.plan, ref, uid)
        except (NotFound, StalePlan):
            return  # it went by itself
        except MaestroError as error:
            self.waits = f"{ref}: {error.what}"
            return
        crash_point("change.after-step")
        means.ledger.step(change, means.lease, "step_taken", ref, uid)

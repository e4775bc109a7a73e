"""The one write of a change, and what to do when its answer is missing.

Invariant: the intent is in the journal before the write. A write without an answer is probed, and
repeated only when the probe proves that it was not applied; `resourceVersion` then keeps a late first
write and the repeated one from both landing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NoReturn

from maestro_cli.changes.kinds.kind import ChangeKind, Found, Probe, Sent
from maestro_cli.changes.ledger import unresolved_error
from maestro_cli.changes.means import Means
from maestro_cli.changes.model import Change, GateDecision, Plan
from maestro_cli.changes.ports import World
from maestro_cli.core.crashpoints import crash_point
from maestro_cli.core.errors import (
    ActionFailed,
    MaestroError,
    NotFound,
    Refused,
    StalePlan,
    TimedOut,
    Unreachable,
)

# Status writes of a busy rollout move resourceVersion; each round reads it again.
MAX_ROUNDS = 8
MAX_REPEATS = 3


def fresh_target(world: World, kind: ChangeKind, plan: Plan) -> Found:
    """The target as it is now; raises StalePlan when somebody changed it since the plan was made."""
    found = kind.read(world, plan.target.ref)
    if not kind.is_as_planned(found, plan):
        now, moved = kind.target(found), ""
        if now.generation:
            moved = f"its generation went from {plan.target.generation} to {now.generation}"
        raise StalePlan(
            f"{plan.target.ref} changed since the plan was made; nothing was done",
            why=moved if now.uid == plan.target.uid else "it was deleted and made again",
            fix="look at it, and plan again",
        )
    return found


def written(world: World, kind: ChangeKind, plan: Plan, *, dry_run: bool = False) -> Found:
    """Write under the version that is there now, or have the cluster check that alone; what it answered.

    Raises StalePlan where somebody writes to it without a pause, and what the write raises.
    """
    for last in (False,) * (MAX_ROUNDS - 1) + (True,):
        found = fresh_target(world, kind, plan)
        try:
            return kind.apply(world, plan, resource_version=found.resource_version, dry_run=dry_run)
        except StalePlan:
            if last:
                raise
    raise AssertionError("the last round returns or raises")


def rehearse(world: World, kind: ChangeKind, plan: Plan) -> None:
    """Have the cluster check the write without doing it; raises what the write would raise."""
    written(world, kind, plan, dry_run=True)


class Sending:
    """Writes and probes for one Execution."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._repeats: dict[str, int] = {}

    def apply(
        self, change: Change, decision: GateDecision, accepts: Collection[str], *, maybe_sent: bool = False
    ) -> Change:
        """Announce and send; `maybe_sent` when an earlier write of this change may still have landed."""
        means, ledger, lease = self._means, self._means.ledger, self._means.lease
        try:
            plan = means.loaded(change)
        except NotFound as error:
            return ledger.failed(change, lease, error)
        means.progress.phase("apply", plan.summary)
        for attempt in range(1, MAX_ROUNDS + 1):
            try:
                found = fresh_target(means.world, means.kind(change), plan)
            except NotFound:
                if maybe_sent or attempt > 1:
                    return self.probe(change)
                raise
            except StalePlan as error:
                # What changed it may be this very change, arrived late.
                return self.probe(change) if maybe_sent else ledger.failed(change, lease, error)
            version = found.resource_version
            change = ledger.intended(
                change, lease, resource_version=version, decision=decision, accepts=accepts, attempt=attempt
            )
            try:
                done = means.kind(change).apply(means.world, plan, resource_version=version)
            except StalePlan:
                continue  # nothing was written: only resourceVersion moved, or the next look says what did
            except (Unreachable, TimedOut) as error:
                return ledger.unknown(change, lease, f"{error.what}: {error.why}".rstrip(": "))
            except MaestroError as error:
                return ledger.failed(change, lease, error)
            crash_point("change.after-call")
            part = means.kind(change).part_of(done)
            return ledger.applied(change, lease, evidence="answered", part=part, observed=done)
        busy = StalePlan(f"{change.ref} is written to without a pause; nothing was done", fix="try again")
        return ledger.failed(change, lease, busy)

    def resolve(self, change: Change, decision: GateDecision, accepts: Collection[str]) -> Change:
        """Go on from an intent without a result; raises Busy when its outcome stays unknown."""
        probe = self._ask(change)
        if probe.sent is not Sent.NOT_APPLIED:
            return self._record(change, probe)
        repeats = self._repeats[change.id] = self._repeats.get(change.id, 0) + 1
        if repeats > MAX_REPEATS:
            error = Unreachable(
                f"the cluster answers no write of change {change.id}; nothing was done",
                why=f"{change.evidence}; {probe.evidence}",
                fix="check the cluster's own health",
            )
            return self._means.ledger.failed(change, self._means.lease, error)
        self._means.cancellation.raise_if_set()  # what was cancelled is not sent again
        if repeats > 1:
            self._means.cancellation.pause(self._means.policy.poll_seconds)
        return self.apply(change, decision, accepts, maybe_sent=True)

    def probe(self, change: Change) -> Change:
        """Record what became of an intent, without writing to the cluster; raises Busy if nobody can tell."""
        return self._record(change, self._ask(change))

    def _ask(self, change: Change) -> Probe:
        try:
            return self._means.kind(change).probe(self._means.world, change.plan)
        except (Unreachable, Refused) as error:
            self._leave_unknown(change, f"it could not be probed: {error.what}", error)

    def _record(self, change: Change, probe: Probe) -> Change:
        ledger, lease = self._means.ledger, self._means.lease
        evidence = f"probed: {probe.evidence}"
        if probe.sent is Sent.APPLIED:
            return ledger.applied(change, lease, evidence=evidence, part=probe.part, observed=probe.observed)
        if probe.sent is Sent.UNKNOWN:
            self._leave_unknown(change, probe.evidence, None)
        error: MaestroError
        if probe.sent is Sent.GONE:
            error = NotFound(f"the target of change {change.id} is gone", why=evidence)
        else:
            error = ActionFailed(
                f"change {change.id} was not applied",
                why=f"it ended between its intent and the call; {evidence}",
                fix="plan again",
            )
        return ledger.failed(change, lease, error)

    def _leave_unknown(self, change: Change, evidence: str, cause: MaestroError | None) -> NoReturn:
        change = self._means.ledger.unknown(change, self._means.lease, evidence)
        raise unresolved_error(change) from cause

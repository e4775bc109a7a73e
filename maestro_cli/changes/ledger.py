"""What a change writes to the journal.

Invariant: an intent is on disk before the call it announces; every record after it is written under the
lease on the target, so a process that lost its lease records nothing more.

    change.planned        plan, key, cause, dry_run, undo_of
    change.refused        decision
    change.waiting        digest, decision, appeal
    change.approved       approval
    change.intended       digest, target, uid, resource_version, undo, decision, accepts, key, attempt
    change.applied        evidence, resource_version, part, generation
    change.unknown        evidence
    change.step_begun     target, uid
    change.step_taken     target, uid
    change.verified       observed, seconds
    change.verify_failed  why, undo
    change.interrupted    during
    change.undone         error, undo        (the error the change ends with; the id of the undo)
    change.undo_failed    error, undo
    change.failed         error
    change.cancelled      error
    change.expired        error
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any

from maestro_cli.changes.history import (
    find_by_key,
    find_change,
    get_change,
    planned_before,
    unfinished_changes,
    unresolved_on,
)
from maestro_cli.changes.holder import Holder, acquire, is_held, parse_holder
from maestro_cli.changes.kinds.kind import Found
from maestro_cli.changes.model import Appeal, Approval, Change, GateDecision, Plan, State
from maestro_cli.changes.records import error_record, plan_to_data
from maestro_cli.core.canonical import plain
from maestro_cli.core.crashpoints import crash_point
from maestro_cli.core.errors import Busy, GateNotMet, MaestroError
from maestro_cli.core.refs import ObjectRef, WorkloadRef
from maestro_cli.journal.model import Lease
from maestro_cli.journal.store import Journal, Transaction

Check = Callable[[Transaction], None]
PLAN_SECONDS = 3600.0  # a plan that nobody agreed to by then is not agreed to any more
MOST_EXPIRED = 20  # that are ended with one plan

TAKEN = "is being changed by"  # between a target and who is at work on it


class TargetLease:
    """The right to change one target; renewed while work goes on, given back at the end."""

    def __init__(self, journal: Journal, lease: Lease, seconds: float) -> None:
        self._journal = journal
        self._seconds = seconds
        self._renewed_at = journal.clock.monotonic()
        self.lease = lease

    def keep(self) -> None:
        """Renew when a third of the time has passed; raises Busy when it was lost."""
        now = self._journal.clock.monotonic()
        if now - self._renewed_at >= self._seconds / 3:
            self.lease = self._journal.renew_lease(self.lease, self._seconds)
            self._renewed_at = now

    def release(self) -> None:
        self._journal.release_lease(self.lease)


def lease_name(target: ObjectRef) -> str:
    return f"target/{target}"


def take_target(journal: Journal, target: ObjectRef, change_id: str, seconds: float) -> TargetLease:
    """Take the target for a change; raises Busy naming the change that is at work on it.

    The lease of a process that has certainly died is taken over at once.
    """
    name = lease_name(target)
    try:
        return TargetLease(journal, acquire(journal, name, change_id, seconds), seconds)
    except Busy as error:
        held = journal.lease(name)
        if held is None:
            raise
        raise _busy(journal, target, parse_holder(held.holder), held) from error


def who_holds(journal: Journal, target: ObjectRef) -> Busy | None:
    """What a change of the target would be told now if another is at work on it; takes nothing."""
    name = lease_name(target)
    held = journal.lease(name)
    if held is None or not is_held(journal, name):
        return None
    return _busy(journal, target, parse_holder(held.holder), held)


def abandoned_changes(journal: Journal) -> tuple[Change, ...]:
    """Changes that were sent and did not end, and that nobody works on any more, newest first."""
    return tuple(one for one in unfinished_changes(journal) if not is_held(journal, lease_name(one.ref)))


def _busy(journal: Journal, target: ObjectRef, holder: Holder | None, lease: Lease) -> Busy:
    who = lease.holder if holder is None else holder.subject
    first = None if holder is None else find_change(journal, holder.subject)
    if first is not None:
        since = f"{first.state.value} since {first.updated_at:%H:%M:%S}Z"
        who = f"change {first.id} ({first.kind} by {first.actor}, {since})"
    where = "" if holder is None else f"process {holder.pid} on {holder.host} holds it; "
    return Busy(
        f"{target} {TAKEN} {who}",
        why=f"{where}its lease runs until {lease.until}",
        fix="wait for that change to end, then plan again",
    )


class Ledger:
    """Records of changes by one actor."""

    def __init__(self, journal: Journal, actor: str) -> None:
        self.journal = journal
        self.actor = actor

    def planned(
        self, plan: Plan, *, key: str | None, cause: str, dry_run: bool = False, undo_of: str | None = None
    ) -> Change:
        """Record a plan; raises Busy when a change of that id is past its gate already."""
        data = {
            "plan": plan_to_data(plan), "key": key, "cause": cause, "dry_run": dry_run, "undo_of": undo_of,
        }  # fmt: skip
        crash_point("change.before-planned")
        with self.journal.transaction() as transaction:
            known = find_change(transaction, plan.id)
            if known is not None and not known.is_only_planned:
                raise Busy(f"change {plan.id} was begun already", why=f"it is {known.state.value}")
            self._expire(transaction, but=plan.id)
            transaction.append("change.planned", f"change/{plan.id}", self.actor, data)
        crash_point("change.after-planned")
        return get_change(self.journal, plan.id)

    def _expire(self, transaction: Transaction, *, but: str) -> None:
        """End what was planned long ago and of which nothing was heard since: nobody will carry it out."""
        before = self.journal.clock.now() - timedelta(seconds=PLAN_SECONDS)
        for old in planned_before(transaction, before, MOST_EXPIRED):
            if old.id != but:
                error = GateNotMet(f"the plan of change {old.id} expired", why="nobody agreed to it in time")
                data = {"error": plain(error_record(error))}
                transaction.append("change.expired", f"change/{old.id}", self.actor, data)

    def cancelled(self, change_id: str, why: str) -> None:
        """End what is only planned, since a person does not want it; nothing happens to what was begun."""
        error = GateNotMet(f"change {change_id} was cancelled", why=why)
        self.ended_first(change_id, "cancelled", error)

    def ended_first(self, change_id: str, name: str, error: MaestroError) -> None:
        """`cancelled` or `failed`, before anything was done; of what is not planned any more nothing is."""
        with self.journal.transaction() as transaction:
            found = find_change(transaction, change_id)
            if found is not None and found.state is State.PLANNED:
                data = {"error": plain(error_record(error))}
                transaction.append(f"change.{name}", f"change/{change_id}", self.actor, data)

    def refused(self, change: Change, decision: GateDecision) -> Change:
        return self._record(change, "refused", {"decision": plain(decision)}, None)

    def waiting(self, change: Change, lease: TargetLease, decision: GateDecision, appeal: Appeal) -> Change:
        data = {
            "digest": change.plan.digest,
            "decision": plain(decision),
            "appeal": {**plain(appeal), "accepts": sorted(appeal.accepts)},
        }
        return self._record(change, "waiting", data, lease)

    def approved(self, change: Change, approval: Approval, check: Check) -> Change:
        """Record a second person's word; `check` looks at the journal in the same transaction."""
        return self._record(change, "approved", {"approval": plain(approval)}, None, check)

    def intended(
        self, change: Change, lease: TargetLease, *, resource_version: str, decision: GateDecision,
        accepts: Collection[str], attempt: int,
    ) -> Change:  # fmt: skip
        """The last record before the call.

        Raises Busy when another change of the target has no known outcome, another took the key, or the
        lease was lost.
        """
        plan = change.plan
        data = {
            "digest": plan.digest, "target": str(change.ref), "uid": plan.target.uid,
            "resource_version": resource_version, "undo": plain(plan.undo), "key": change.key,
            "decision": plain(decision), "accepts": sorted(accepts), "attempt": attempt,
        }  # fmt: skip
        lease.keep()

        def alone(transaction: Transaction) -> None:
            for other in unresolved_on(transaction, change.ref, but=change.id):
                raise unresolved_error(other)
            holder = None if change.key is None else find_by_key(transaction, change.key)
            if holder is not None and holder.id != change.id and not holder.nothing_done:
                raise Busy(f"change {holder.id} took the key {change.key!r} meanwhile", fix="try again")

        return self._record(change, "intended", data, lease, alone)

    def applied(
        self, change: Change, lease: TargetLease | None, *, evidence: str, part: str,
        observed: Found | None,
    ) -> Change:  # fmt: skip
        """`part`: digest of the part that the kind writes, as the write left it."""
        data = {
            "evidence": evidence,
            "part": part,
            "resource_version": "" if observed is None else observed.resource_version,
            "generation": 0 if observed is None else observed.generation,
        }
        return self._record(change, "applied", data, lease)

    def step(self, change: Change, lease: TargetLease, name: str, target: ObjectRef, uid: str) -> None:
        """`step_begun` or `step_taken`: one of what a change does after its write."""
        self._record(change, name, {"target": str(target), "uid": uid}, lease)

    def unknown(self, change: Change, lease: TargetLease, evidence: str) -> Change:
        return self._record(change, "unknown", {"evidence": evidence}, lease)

    def verified(self, change: Change, lease: TargetLease, observed: str, seconds: float) -> Change:
        data = {"observed": observed, "seconds": round(seconds, 3)}
        return self._record(change, "verified", data, lease)

    def verify_failed(self, change: Change, lease: TargetLease, why: str, *, undo: bool) -> Change:
        return self._record(change, "verify_failed", {"why": why, "undo": undo}, lease)

    def interrupted(self, change: Change, lease: TargetLease, during: str) -> Change:
        return self._record(change, "interrupted", {"during": during}, lease)

    def failed(self, change: Change, lease: TargetLease | None, error: MaestroError) -> Change:
        return self._record(change, "failed", {"error": plain(error_record(error))}, lease)

    def undone(self, change: Change, lease: TargetLease, error: MaestroError, undo: str) -> Change:
        return self._record(change, "undone", {"error": plain(error_record(error)), "undo": undo}, lease)

    def undo_failed(self, change: Change, lease: TargetLease, error: MaestroError, undo: str) -> Change:
        return self._record(change, "undo_failed", {"error": plain(error_record(error)), "undo": undo}, lease)

    def _record(
        self, change: Change, name: str, data: Mapping[str, Any], lease: TargetLease | None,
        check: Check | None = None,
    ) -> Change:  # fmt: skip
        crash_point(f"change.before-{name}")
        with self.journal.transaction() as transaction:
            if lease is not None:
                transaction.require_lease(lease.lease)
            now = get_change(transaction, change.id).state
            if now is not change.state:
                raise Busy(
                    f"change {change.id} moved on meanwhile", why=f"it is {now.value}", fix="look again"
                )
            if check is not None:
                check(transaction)
            transaction.append(f"change.{name}", f"change/{change.id}", self.actor, data)
        crash_point(f"change.after-{name}")
        return get_change(self.journal, change.id)


def unresolved_error(change: Change) -> Busy:
    """The error for a change whose outcome is not known: what is known, and what to look at."""
    target, kind = change.ref, change.ref.kind.lower()
    inside = f" -n {target.namespace}" if target.namespace else ""
    look = f"kubectl{inside} describe {kind}/{target.name}"
    if isinstance(target, WorkloadRef):
        look += f"; kubectl{inside} rollout history {kind}/{target.name}"
    return Busy(
        f"the outcome of change {change.id} on {target} is unknown",
        why=change.evidence or "its process ended between the intent and the result",
        fix=f"look for {change.id}: {look}",
    )

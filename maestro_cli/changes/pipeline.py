"""The one way to change the world: plan, decide, execute, recover.

Invariant: nothing is written to the cluster before its intent is in the journal, one process at a time
changes a target, and a key (or a plan) is carried out once, however often it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any

from maestro_cli.changes import gate
from maestro_cli.changes.approvals import consent_of, end_if_stale, may_wait, wait
from maestro_cli.changes.execution import Execution
from maestro_cli.changes.history import (
    abandoned_payloads,
    find_by_key,
    find_change,
    get_change,
    last_applied,
    recent_on,
    unresolved_on,
    written_payloads,
)
from maestro_cli.changes.impact import with_impact
from maestro_cli.changes.judging import judgements
from maestro_cli.changes.kinds import KINDS, kind_named
from maestro_cli.changes.kinds.kind import ChangeKind, Permission, Request
from maestro_cli.changes.ledger import Ledger, take_target
from maestro_cli.changes.means import Means
from maestro_cli.changes.model import (
    UNRESOLVED,
    Approval,
    Change,
    Consent,
    Gate,
    GateDecision,
    Plan,
    State,
)
from maestro_cli.changes.policy import Policy
from maestro_cli.changes.ports import World
from maestro_cli.changes.records import decision_error, recorded_error
from maestro_cli.changes.rehearsals import beside_others, busy_reason
from maestro_cli.changes.sending import rehearse
from maestro_cli.changes.taking_back import take_back, take_back_unrecorded
from maestro_cli.changes.undoing import plan_undo, refuse_undo
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import (
    ActionFailed,
    Busy,
    CannotRecord,
    GateNotMet,
    Interrupted,
    MaestroError,
    NotFound,
    PolicyRefused,
    Refused,
)
from maestro_cli.core.facts.cluster import AccessAnswer
from maestro_cli.core.ids import new_id
from maestro_cli.core.progress import Progress, Quiet
from maestro_cli.core.refs import ObjectRef
from maestro_cli.journal.store import Journal

_QUIET = Quiet()
_SENT_NOTHING = {"read-only", "access", "digest"}


class ChangePipeline:
    """Changes in one context, by one actor. The journal must keep ChangesProjection."""

    def __init__(
        self,
        journal: Journal,
        world: World,
        *,
        policy: Policy,
        clock: Clock,
        actor: str,
        kinds: Mapping[str, ChangeKind] = KINDS,
        ask: Callable[[str], bool] | None = None,
    ) -> None:
        self.journal = journal
        self.world = world
        self.policy = policy
        self.clock = clock
        self.actor = actor
        self._kinds = kinds
        self._ask = ask
        self._ledger = Ledger(journal, actor)

    def plan(
        self,
        kind: str,
        ref: ObjectRef,
        parameters: Mapping[str, Any] | None = None,
        *,
        timeout_seconds: float | None = None,
    ) -> Plan:
        """Work out what a change would do; reads only, and writes nothing to the journal.

        Raises UsageError (unknown kind or parameter), NotFound, ActionFailed (nothing to act on),
        GateNotMet (nothing to change), Unreachable and Refused.
        """
        now = self.clock.now()
        seconds = self.policy.repeat_window_seconds
        written = written_payloads(self.journal, ref, now - timedelta(seconds=seconds))
        request = Request(
            ref=ref,
            parameters=parameters or {},
            change_id=new_id("chg", now),
            now=now,
            timeout_seconds=timeout_seconds or self.policy.verify_timeout_seconds,
            recent=recent_on(self.journal, ref, now, seconds),
            actor=self.actor,
            abandoned=abandoned_payloads(self.journal, ref),
            written=frozenset(chain.from_iterable(written.values())),
        )
        return with_impact(self.world, kind_named(kind, self._kinds).plan(self.world, request))

    def plan_undo(self, change_id: str) -> Plan:
        """Work out how to take a finished change back; its undo is another change, with a gate of its own.

        Raises NotFound, GateNotMet (nothing was changed, it is not finished, it has no undo, or somebody
        changed the target since), and what `plan` raises.
        """
        change = get_change(self.journal, change_id)
        refuse_undo(change)
        kind = kind_named(change.kind, self._kinds)
        return plan_undo(kind, change, lambda name, parameters: self.plan(name, change.ref, parameters))

    def decide(self, plan: Plan, consent: Consent, approval: Approval | None = None) -> GateDecision:
        """Ask the cluster and the journal what the gate needs, and decide; writes nothing."""
        kind = kind_named(plan.kind, self._kinds)
        since = self.clock.now() - timedelta(seconds=self.policy.repeat_window_seconds)
        ref = plan.target.ref
        before = last_applied(self.journal, ref, plan.target.uid, plan.kind, since, but=plan.id)
        now = self.clock.now()
        found = gate.Findings(
            access=tuple(self._may(permission, ref) for permission in kind.needs(plan)),
            repeated=None if before is None else kind.repetition(plan, before),
            approval=approval,
            judged=judgements(self.world, self.policy.rules, plan, self.actor, now),
            now=now,
        )
        return gate.decide(plan, self.policy, consent, found)

    def _may(self, permission: Permission, ref: ObjectRef) -> AccessAnswer:
        """A cluster that does not tell is asked by the call itself, which then does nothing."""
        try:
            return self.world.cluster.access(
                permission.verb,
                permission.resource,
                namespace=ref.namespace,
                group=permission.group,
                name=ref.name if permission.named and permission.verb != "list" else "",
                subresource=permission.subresource,
            )
        except (Refused, NotFound) as error:
            return AccessAnswer(True, permission.verb, permission.resource, f"not asked: {error.what}")

    def execute(
        self,
        plan: Plan,
        consent: Consent,
        *,
        key: str | None = None,
        cause: str = "",
        dry_run: bool = False,
        progress: Progress = _QUIET,
        cancellation: Cancellation | None = None,
    ) -> Change:
        """Carry a plan out, and give the verified change.

        `key` makes it idempotent: a key whose change got past its gate is never carried out again; its
        recorded result is given (or raised), and unfinished work is resumed. Plans, refusals and changes
        that provably did nothing leave their key free. The same holds for the plan's own id.

        A dry run has the cluster check the write (dryRun=All) and gives the change in state `planned`
        with the gate's decision, which it never raises; it is journaled, and takes neither key nor lease.

        Raises the gate's error (PolicyRefused, Refused, GateNotMet, WaitingForApproval), StalePlan, Busy
        (another change on the target, or an unknown outcome), ActionFailed, RolledBack, UndoFailed,
        Interrupted, Unreachable, NotFound.
        """
        cancellation = cancellation or Cancellation()
        cancellation.raise_if_set()
        if not dry_run:
            earlier = self._earlier(plan, key)
            if earlier is not None:
                return self._resume(earlier, progress, cancellation)
        change = self._ledger.planned(plan, key=key, cause=cause, dry_run=dry_run)
        if dry_run:
            return self._rehearsed(change, plan, consent)
        try:
            with self._working(change, progress, cancellation) as means:
                return self._carry_out(change, plan, consent, means)
        except MaestroError as error:
            with suppress(MaestroError):  # what is raised is what stopped it
                name = "cancelled" if isinstance(error, Interrupted) else "failed"
                self._ledger.ended_first(change.id, name, error)
            raise

    def cancel(self, change_id: str, why: str) -> None:
        """Record that a person does not want what is only planned; raises what the journal raises."""
        self._ledger.cancelled(change_id, why)

    def _carry_out(self, change: Change, plan: Plan, consent: Consent, means: Means) -> Change:
        """Decide while nobody else can change the target, then act."""
        means.plans[plan.id] = plan
        execution = Execution(means)
        for other in unresolved_on(self.journal, change.ref, but=change.id):
            execution.settle_abandoned(other)
        decision = self.decide(plan, consent, change.approval)
        if change.state is State.PLANNED:
            decision = may_wait(means.world, means.kind(change), change, decision)
        if not decision.allowed:
            if decision.outcome is Gate.WAITING:
                wait(means, change, decision, consent)
            elif change.state is State.PLANNED:
                self._ledger.refused(change, decision)
            raise decision_error(decision)
        return _result(execution.finish(change, decision, consent.accepts))

    def perform(
        self,
        kind: str,
        ref: ObjectRef,
        parameters: Mapping[str, Any] | None,
        consent: Consent,
        *,
        key: str,
        cause: str = "",
        timeout_seconds: float | None = None,
        progress: Progress = _QUIET,
        cancellation: Cancellation | None = None,
    ) -> Change:
        """Plan and execute under a key, for durable runs: asked again, it goes on where it was.

        A new plan could not be made once the change is applied, so the key is looked up first. Raises
        what `plan` and `execute` raise.
        """
        earlier = find_by_key(self.journal, key)
        if earlier is not None and not earlier.nothing_done:
            _same_work(earlier, kind, ref, key)
            return self._resume(earlier, progress, cancellation or Cancellation())
        plan = self.plan(kind, ref, parameters, timeout_seconds=timeout_seconds)
        return self.execute(plan, consent, key=key, cause=cause, progress=progress, cancellation=cancellation)

    def recover(
        self,
        name: str,
        *,
        progress: Progress = _QUIET,
        cancellation: Cancellation | None = None,
        agrees: bool = False,
    ) -> Change:
        """Go on with a change, by id or key, wherever it was left; a finished one gives its result again.

        `agrees`: nobody is asked whether to undo what did not hold, where the policy asks: it is undone.
        One that waits is decided on again: approved it is carried out, else it waits on.
        An intent without a result is probed first; a change that only was planned stays so. The undo of
        a change is gone on with as part of that change. Raises what `execute` raises, and NotFound.
        """
        change = find_change(self.journal, name) or find_by_key(self.journal, name)
        if change is None:
            raise NotFound(f"there is no change with the id or key {name!r} in this context's journal")
        if change.undo_of is not None:
            change = get_change(self.journal, change.undo_of)
        return self._resume(change, progress, cancellation or Cancellation(), agrees=agrees)

    def take_back(self, change_id: str, *, cause: str) -> Change:
        """Carry out the undo that was agreed to with a change, wherever that stands, through no gate.

        Gives the undo, or the change where there is nothing to take back, or nothing can be recorded: then
        it is taken back without a record. Raises what the undo ended with, NotFound, Busy, Unreachable and
        Refused.
        """
        change = get_change(self.journal, change_id)
        try:
            with self._working(change, _QUIET, Cancellation()) as means:
                return take_back(means, get_change(self.journal, change_id), cause)
        except CannotRecord:
            take_back_unrecorded(
                self.journal, self.world, self._kinds, self.clock, get_change(self.journal, change_id)
            )
            return change

    def is_known(self, change_id: str) -> bool:
        """Whether the journal has heard of it; what was planned in memory alone has no record."""
        return find_change(self.journal, change_id) is not None

    def settle(self, change_id: str, *, applied: bool, why: str) -> Change:
        """Record what a person found out about a change whose outcome nobody else can tell.

        Applied: it is then verified when it is recovered. Not applied: it ends as failed, nothing done.
        Raises NotFound, GateNotMet when its outcome is known, Busy.
        """
        change = get_change(self.journal, change_id)
        if change.state not in UNRESOLVED:
            raise GateNotMet(f"the outcome of change {change_id} is known: {change.state.value}")
        with self._working(change, _QUIET, Cancellation()) as means:
            evidence = f"settled by {self.actor}: {why}"
            if applied:
                part = change.plan.payload_digest
                return self._ledger.applied(change, means.lease, evidence=evidence, part=part, observed=None)
            error = ActionFailed(f"change {change_id} was not applied", why=evidence)
            return self._ledger.failed(change, means.lease, error)

    def _earlier(self, plan: Plan, key: str | None) -> Change | None:
        """The change that this plan or key was spent on already."""
        same = find_change(self.journal, plan.id)
        if same is not None and not same.is_only_planned:
            return same
        earlier = None if key is None else find_by_key(self.journal, key)
        if earlier is None or earlier.nothing_done:
            return None
        _same_work(earlier, plan.kind, plan.target.ref, key or "")
        return earlier

    def _resume(
        self, change: Change, progress: Progress, cancellation: Cancellation, *, agrees: bool = False
    ) -> Change:
        if change.finished or change.state is State.PLANNED:
            return _result(change)
        if self.policy.read_only and (change.state in UNRESOLVED or change.verify_failure):
            raise PolicyRefused(
                f"context {self.policy.context} is read-only, and change {change.id} may have to write",
                fix="unset --read-only, MAESTRO_READ_ONLY or read_only of the context",
            )
        with self._working(change, progress, cancellation) as means:
            means = replace(means, ask=lambda _: True) if agrees else means
            change = get_change(self.journal, change.id)
            if change.state is State.WAITING:
                end_if_stale(self.world, means.kind(change), self._ledger, change, means.lease)
                return self._carry_out(change, change.plan, consent_of(change), means)
            return _result(Execution(means).finish(change))

    def _rehearsed(self, change: Change, plan: Plan, consent: Consent) -> Change:
        """Nobody has agreed yet: that is what a dry run is for. A context that was typed must be right."""
        typed = consent.typed_context or self.policy.context
        kind = kind_named(plan.kind, self._kinds)
        decision = self.decide(plan, replace(consent, given=True, digest="", typed_context=typed))
        decision = beside_others(self.journal, change, may_wait(self.world, kind, change, decision))
        if not any(reason.code in _SENT_NOTHING for reason in decision.reasons):
            rehearse(self.world, kind, plan)
        return replace(change, decision=decision)

    @contextmanager
    def _working(self, change: Change, progress: Progress, cancellation: Cancellation) -> Iterator[Means]:
        """Hold the target; a change that finds it taken is recorded as refused."""
        try:
            lease = take_target(self.journal, change.ref, change.id, self.policy.lease_seconds)
        except Busy as error:
            if change.state is State.PLANNED:
                self._ledger.refused(change, GateDecision(Gate.REFUSED, (busy_reason(error),)))
            raise
        try:
            yield Means(
                ledger=self._ledger, world=self.world, kinds=self._kinds, policy=self.policy,
                clock=self.clock, progress=progress, cancellation=cancellation, lease=lease, ask=self._ask,
            )  # fmt: skip
        finally:
            # It runs out by itself, and that of a dead process is taken over.
            with suppress(Busy, ActionFailed):
                lease.release()


def _same_work(earlier: Change, kind: str, ref: ObjectRef, key: str) -> None:
    if (earlier.kind, earlier.ref) != (kind, ref):
        raise GateNotMet(
            f"the key {key!r} belongs to another change",
            why=f"{earlier.id} is a {earlier.kind} of {earlier.ref}",
            fix="use another key",
        )


def _result(change: Change) -> Change:
    """The change when it ended well (or was only planned), else the error it ended with."""
    if change.state is State.REFUSED and change.decision is not None:
        raise decision_error(change.decision)
    if change.error is not None:
        raise recorded_error(change.error)
    return change

"""A second person's word for a change that waits.

Invariant: an approval is bound to the digest of the plan that was shown, given by another identity than the
requester's, and good for a while. A waiting change holds neither a process nor its target; what was shown
and no longer fits is ended as failed, with nothing done.

An identity is what the cluster says of the caller's credentials (or the kubeconfig, where it does not
tell), and the actor's name. The name is what the
user's machine says, and no proof.
"""

from __future__ import annotations

from datetime import timedelta

from maestro_cli.changes.history import get_change, recent_on, waiting_changes
from maestro_cli.changes.kinds import kind_named
from maestro_cli.changes.kinds.kind import ChangeKind
from maestro_cli.changes.ledger import Ledger, TargetLease
from maestro_cli.changes.means import Means
from maestro_cli.changes.model import (
    Appeal,
    Approval,
    Change,
    Consent,
    Gate,
    GateDecision,
    GateReason,
    State,
    plan_digest,
)
from maestro_cli.changes.policy import Policy
from maestro_cli.changes.ports import World
from maestro_cli.changes.rules import Caller, Judgement, barring, judge
from maestro_cli.changes.sending import fresh_target
from maestro_cli.changes.shown import changed_since
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import ExitCode, GateNotMet, NotFound, PolicyRefused, StalePlan, TimedOut
from maestro_cli.core.people import Who, why_no_second
from maestro_cli.core.quantities import format_duration
from maestro_cli.journal.store import Journal, Transaction

_NOBODY = {"", "system:anonymous"}


def may_wait(world: World, kind: ChangeKind, change: Change, decision: GateDecision) -> GateDecision:
    """The decision, or a refusal when what would be sent could not be had again after waiting."""
    if decision.outcome is not Gate.WAITING:
        return decision
    try:
        kind.reload(world, change.plan)
    except NotFound as error:
        reason = GateReason(
            "payload", ExitCode.GATE_NOT_MET, f"change {change.id} cannot wait for a second person",
            why=f"what it writes is not kept while it waits: {error.what}",
            fix="put the value where the cluster keeps it, and refer to it",
        )  # fmt: skip
        return GateDecision(Gate.REFUSED, (reason,), decision.warnings)
    return decision


def wait(means: Means, change: Change, decision: GateDecision, consent: Consent) -> None:
    """Record that a change waits and what its requester said; one that waits already waits on."""
    if change.state is State.PLANNED:
        appeal = Appeal(identity_of(means.world), consent.typed_context, consent.accepts)
        means.ledger.waiting(change, means.lease, decision, appeal)


def end_if_stale(
    world: World, kind: ChangeKind, ledger: Ledger, change: Change, lease: TargetLease | None = None
) -> None:
    """End a waiting change whose target, or what is around it, is no longer what was shown.

    Raises StalePlan (which says what changed) or NotFound then; Unreachable and Refused when nobody can tell.
    """
    try:
        fresh_target(world, kind, change.plan)
    except StalePlan as error:
        now = ledger.journal.clock.now()
        age_seconds = (now - change.plan.created_at).total_seconds()
        since = recent_on(ledger.journal, change.ref, now, age_seconds, but=change.id)
        whys = (error.why, *(f"{other.id} ({other.kind} by {other.actor})" for other in since))
        stale = StalePlan(error.what, why="; ".join(whys), fix=error.fix)
        ledger.failed(change, lease, stale)
        raise stale from error
    except NotFound as error:
        ledger.failed(change, lease, error)
        raise
    moved = changed_since(world, ledger.journal, change, ledger.journal.clock.now())
    if moved:
        other = StalePlan(
            f"what was shown of change {change.id} is no longer so; nothing was done",
            why="; ".join(moved), fix="plan again, and look at it",
        )  # fmt: skip
        ledger.failed(change, lease, other)
        raise other


def consent_of(change: Change) -> Consent:
    """What the requester of a waiting change agreed to."""
    if change.appeal is None:
        return Consent(given=False)
    return Consent(True, change.plan.digest, change.appeal.typed_context, change.appeal.accepts)


def identity_of(world: World) -> str:
    """As whom the cluster knows the caller; empty when there is none, or it tells not. Raises Unreachable."""
    try:
        name = str(world.cluster.identity())
    except NotFound:
        return ""
    return "" if name in _NOBODY else name


class Approvals:
    """Approves and denies waiting changes of one context in the name of one actor."""

    def __init__(self, journal: Journal, world: World, *, policy: Policy, clock: Clock, actor: str) -> None:
        self._journal = journal
        self._world = world
        self._policy = policy
        self._clock = clock
        self._actor = actor
        self._ledger = Ledger(journal, actor)

    def list_waiting(self) -> tuple[Change, ...]:
        return waiting_changes(self._journal)

    def check(self, change_id: str) -> Change:
        """The waiting change, if this actor may approve it as things are now; a stale one is ended.

        Raises NotFound, GateNotMet (it does not wait), PolicyRefused (one's own, or not for this person),
        StalePlan (its target changed since; the change is then ended), Unreachable and Refused.
        """
        change = self._waiting(change_id)
        identity = identity_of(self._world)
        self._refuse_own(change, identity)
        self._refuse_outsider(change, identity)
        if plan_digest(change.plan) != change.plan.digest:
            raise GateNotMet(f"the plan of change {change_id} is not what its digest says", fix="plan again")
        self._refuse_approved(change)
        end_if_stale(self._world, kind_named(change.kind), self._ledger, change)
        return change

    def approve(self, change: Change) -> Change:
        """Approve the plan that was shown: `change` is what `check` gave. Raises what `check` does."""
        shown = change.plan.digest
        change = self.check(change.id)
        if change.plan.digest != shown:
            raise GateNotMet(f"change {change.id} is not the one that was shown", fix="look at it again")
        identity = identity_of(self._world)
        until = self._clock.now() + timedelta(seconds=self._policy.approval_seconds)
        approval = Approval(self._actor, identity, shown, until)

        def still_open(transaction: Transaction) -> None:
            self._refuse_approved(get_change(transaction, change.id))

        return self._ledger.approved(change, approval, still_open)

    def deny(self, change_id: str, why: str) -> Change:
        """End a waiting change as refused; anybody may, its requester too. Raises NotFound and GateNotMet."""
        change = self._waiting(change_id)
        reason = GateReason(
            "denied", ExitCode.GATE_NOT_MET, f"{self._actor} denied change {change_id}",
            why=why, fix="talk to them, and plan again",
        )  # fmt: skip
        return self._ledger.refused(change, GateDecision(Gate.REFUSED, (reason,)))

    def await_word(self, change_id: str, seconds: float, cancellation: Cancellation) -> None:
        """Look until the change is approved or waits no more. Raises NotFound, TimedOut and Interrupted."""
        end = self._clock.monotonic() + seconds
        while True:
            change = get_change(self._journal, change_id)
            if change.state is not State.WAITING or self._is_approved(change):
                return
            if self._clock.monotonic() >= end:
                raise TimedOut(
                    f"nobody approved change {change_id} within {format_duration(seconds)}",
                    why="it waits on, and nothing was done",
                    fix=f"somebody else: maestro approve {change_id}",
                )
            cancellation.pause(self._policy.poll_seconds)

    def _waiting(self, change_id: str) -> Change:
        change = get_change(self._journal, change_id)
        if change.state is not State.WAITING:
            raise GateNotMet(
                f"change {change_id} does not wait for an approval",
                why=f"it is {change.state.value.replace('_', ' ')}",
                fix="maestro approve list",
            )
        return change

    def _refuse_own(self, change: Change, identity: str) -> None:
        asked_as = "" if change.appeal is None else change.appeal.identity
        why = why_no_second(Who(change.actor, asked_as), Who(self._actor, identity))
        if not why:
            return
        raise PolicyRefused(
            f"change {change.id} has to be approved by somebody else",
            why=why,
            fix="ask a second person, with a name and credentials of their own",
        )

    def _refuse_outsider(self, change: Change, identity: str) -> None:
        second = Caller(self._actor, identity)
        bar = self._barring(change, second)
        if bar is not None:
            raise PolicyRefused(
                f"{second.name} may not approve change {change.id}",
                why=f"{bar.place}: the policy's rule {bar.rule!r} names who may",
                fix=f"ask one of: {', '.join(bar.approvers or ()) or 'nobody'}",
            )

    def _barring(self, change: Change, second: Caller) -> Judgement | None:
        """Rules name approvers whatever is left of a budget, so that none is measured for it."""
        if self._policy.rules is None:
            return None
        return barring(judge(self._policy.rules, change.plan, second, self._clock.now()), second)

    def _is_approved(self, change: Change) -> bool:
        """By an approval that holds; one that the policy here does not count leaves room for another."""
        given = change.approval
        if given is None or given.digest != change.plan.digest or given.until <= self._clock.now():
            return False
        return self._barring(change, Caller(given.by, given.identity)) is None

    def _refuse_approved(self, change: Change) -> None:
        if change.approval is not None and self._is_approved(change):
            raise GateNotMet(
                f"change {change.id} is approved already",
                why=f"by {change.approval.by}, until {change.approval.until:%H:%M:%S}Z",
                fix=f"its requester goes on: maestro change resume {change.id}",
            )

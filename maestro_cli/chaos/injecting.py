"""The faults of one run: put in, proved, taken back, and looked for afterwards.

Invariant: a fault is in the journal with its undo before its first call, and is taken back once, by whoever
is first; after that, and after a stop, nothing more of it is put in. A change is never taken back while its
own call is under way, and waits for no other's: one call that hangs holds up no undo but its own. What cannot
be taken back is tried again, and told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.changes.model import Consent, Plan
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.chaos.drilled import Drilled
from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.faults.fault import InForce, Proof
from maestro_cli.chaos.guard.check import Chosen, Proposal
from maestro_cli.chaos.ledger import ExperimentLedger
from maestro_cli.chaos.looks import Looks, Seen
from maestro_cli.chaos.model import GOOD_IN_A_ROW, Injected, Injection, Recovery
from maestro_cli.chaos.ports import Platform
from maestro_cli.chaos.undoing import AT_ONCE, end_of, is_remedy, residue_of, undo_changes
from maestro_cli.chaos.verdict import Steady
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.daemon_pool import DaemonPool
from maestro_cli.core.errors import (
    ActionFailed,
    Interrupted,
    MaestroError,
    PolicyRefused,
    UndoFailed,
    UsageError,
)
from maestro_cli.core.quantities import counted

POLL_SECONDS = 0.1
OVERDUE_SECONDS = 1.0  # for the experiment itself to take it back
EFFECT_SECONDS = 20.0  # for a fault to show an effect


class Injecting:
    """Thread-safe; `consent` is what was agreed to for the whole proposal, `refused` is what speaks against a
    fault, by its name in FAULTS, right before it is put in.
    """

    def __init__(
        self,
        proposal: Proposal,
        pipeline: ChangePipeline,
        platform: Platform,
        ledger: ExperimentLedger,
        clock: Clock,
        consent: Consent,
        refused: Callable[[str], MaestroError | None],
        drilled: Drilled | None = None,
        looks: Looks | None = None,
    ) -> None:
        self._refused, self._drilled = refused, drilled
        self._looks = looks or Looks()  # without them a fault's own proof is all there is
        self._may_act = proposal.experiment.acts
        self._chosen = {one.order.name: one for one in proposal.chosen}
        guarded = proposal.experiment.guarded
        self._seconds = (guarded and guarded.duration_seconds) or 0.0
        self._recovery_seconds = guarded.recovery_seconds if guarded is not None else 0.0
        self._pipeline, self._platform, self._ledger = pipeline, platform, ledger
        self._clock, self._consent = clock, consent
        self._stop = Cancellation()
        self._calling = {plan.id: threading.Lock() for one in proposal.chosen for plan in one.plans}
        self._closed: set[str] = set()  # changes that are taken back, or were
        self._state = threading.RLock()  # of the next five
        self._put_in: dict[str, InForce] = {}  # everything that was intended, in order
        self._since: dict[str, float] = {}  # when it was taken back
        self._undoing: dict[str, threading.Lock] = {}
        self._proving: dict[str, threading.Lock] = {}
        self._ends: dict[str, float] = {}  # when each of them has to be over
        self._late: set[str] = set()  # told by `overdue`
        self._hurry = Cancellation()
        self.injections: dict[str, Injection] = {}
        self.recoveries: dict[str, Recovery] = {}
        self.failures: dict[str, str] = {}

    @property
    def in_force(self) -> tuple[InForce, ...]:
        """What was put in and not taken back."""
        with self._state:
            return tuple(one for name, one in self._put_in.items() if name not in self._since)

    def overdue(self) -> tuple[str, ...]:
        """What is in force longer than it may be; each is told once."""
        now = self._clock.monotonic()
        with self._state:
            late = {one.order.name for one in self.in_force if now > self._end_of(one) + OVERDUE_SECONDS}
            found = late - self._late
            self._late |= found
        return tuple(found)

    def stop(self) -> None:
        """Put in nothing more; what is waited for ends."""
        self._stop.cancel()

    def hurry(self) -> None:
        """Wait for no recovery any longer, nor with an undo for one: how things stand now is what is told."""
        self._hurry.cancel()

    def inject(self, name: str) -> Mapping[str, Any]:
        """Put a fault in, and wait until it proves to have an effect.

        Raises ActionFailed, Interrupted, and what the guard refuses with now.
        """
        self._stop.raise_if_set()
        if not self._may_act:  # its guard let it through as one that looks
            raise PolicyRefused("the experiment only looks, by its file", why="nothing was injected")
        chosen = self._wanted(name)
        if (refusal := self._refused(chosen.order.fault)) is not None:
            self._record(Injection(name, Injected.REFUSED, refusal.what))
            raise refusal
        fault = self._intend(chosen)
        began = self._clock.monotonic()
        try:
            for plan in chosen.plans:
                self._execute(plan)
            seconds = self._effect_seconds(fault)
            proof = self._await(lambda: FAULTS[chosen.order.fault].effect(self._platform, fault), seconds)
        except Interrupted:
            raise
        except MaestroError as error:
            self._failed(name, Injected.FAILED, "; ".join(filter(None, (error.what, error.why))))
            raise
        if proof.holds is not Holds.YES:
            self._failed(name, Injected.INEFFECTIVE, f"after {seconds:.0f} s: {proof.text}")
            raise ActionFailed(f"{name} had no effect", why=proof.text)
        seconds = self._clock.monotonic() - began
        targets = tuple(str(one.ref) for one in fault.targets)
        self._record(Injection(name, Injected.EFFECTIVE, proof.text, targets, seconds))
        if all(plan.undo is None for plan in chosen.plans):
            self._over_by_itself(fault, began)
        return {"fault": name, "targets": list(targets), "effect": proof.text, "seconds": round(seconds, 3)}

    def hold(self, seconds: float | None) -> Mapping[str, Any]:
        """Wait so long, by default until the last fault has to be over; raises Interrupted.

        It is never longer than something is in force: what comes after that would be no fault's; after faults
        that all failed it is no time. In a drill it is until the response is over, whatever was asked for.
        """
        with self._state:
            ends, bounds = [*self._ends.values()], [self._end_of(one) for one in self.in_force]
        if seconds is None and not ends:
            raise ActionFailed("there is nothing to hold", why="no fault was put in")
        now, tried = self._clock.monotonic(), [one.outcome for one in self.injections.values()]
        if tried and Injected.EFFECTIVE not in tried and not bounds:
            return {"held_seconds": 0.0}
        left = max(ends) - now if seconds is None or (self._drilled and ends) else seconds
        held = max(0.0, min(left, max(bounds) - now) if bounds else left)
        self._pause(held)
        return {"held_seconds": round(self._clock.monotonic() - now, 3)}

    def _pause(self, seconds: float) -> None:
        """Raises Interrupted; over with the response, in a drill."""
        if self._drilled is None:
            self._stop.pause(seconds)
            return
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0 and not self._drilled.response.is_set:
            self._stop.pause(min(left, POLL_SECONDS))

    def undo(self, name: str, by: str) -> Mapping[str, Any]:
        """Take a fault back, or all ("") of them, remedies last; raises UndoFailed."""
        wanted = [one for one in self.in_force if name in ("", one.order.name)]
        if name and name not in self._chosen:
            raise UsageError(f"no fault {name!r} is declared")
        for are_remedies in (False, True):
            self._undo_at_once([one for one in wanted if is_remedy(one) is are_remedies], by)
        failed = [one.order.name for one in wanted if one.order.name in self.failures]
        if failed:
            raise UndoFailed("; ".join(f"{name}: {self.failures[name]}" for name in failed))
        return {"undone": [one.order.name for one in wanted]}

    def recovered(self, name: str) -> Mapping[str, Any]:
        """Wait until things are as before a fault, or all ("") that were taken back; raises ActionFailed."""
        with self._state:
            wanted = [one for key, one in self._put_in.items() if key in self._since and name in ("", key)]
        found = [self._recovery(one) for one in wanted]
        bad = [one for one in found if not one.recovered]
        if bad:
            raise ActionFailed(f"{bad[0].name} is not over: {bad[0].why}")
        return {"recovered": {one.name: one.seconds for one in found}}

    def residue(self) -> tuple[str, ...]:
        """What is left of everything that was put in; what cannot be told counts."""
        with self._state:
            put_in = tuple(self._put_in.values())
        return residue_of(self._platform, self._clock, put_in)

    def _wanted(self, name: str) -> Chosen:
        if name not in self._chosen:
            raise UsageError(f"no fault {name!r} is declared")
        return self._chosen[name]

    def _intend(self, chosen: Chosen) -> InForce:
        """Have it on disk; after this it is taken back, whatever happens."""
        order = chosen.order
        fault = InForce(
            order,
            chosen.targets,
            tuple(plan.id for plan in chosen.plans),
            self._seconds,
            len(chosen.candidates),
        )
        undo = [
            f"{plan.id}: {plan.undo.summary if plan.undo else 'nothing to take back'}"
            for plan in chosen.plans
        ]
        with self._state:
            if order.name in self._put_in:
                raise ActionFailed(f"{order.name} was put in already")
            self._stop.raise_if_set()  # whoever stopped took back what there was, and looks no more
            self._ledger.intended(fault, self._clock.now() + timedelta(seconds=self._seconds), undo)
            self._put_in[order.name] = fault
            self._undoing[order.name], self._proving[order.name] = threading.Lock(), threading.Lock()
            self._ends[order.name] = self._clock.monotonic() + self._seconds
        return fault

    def _execute(self, plan: Plan) -> None:
        with self._calling[plan.id]:
            if plan.id in self._closed:
                raise Interrupted()
            cause = self._cause(f"experiment {self._ledger.run}")
            self._pipeline.execute(plan, self._consent, cause=cause, cancellation=self._stop)

    def _cause(self, usual: str) -> str:
        return self._drilled.cause if self._drilled is not None else usual

    @contextmanager
    def _closing(self, change: str) -> Iterator[None]:
        """While its call is not under way; it is never sent after this."""
        with self._calling[change]:
            self._closed.add(change)
            yield

    def _over_by_itself(self, fault: InForce, began: float) -> None:
        """Nothing has to be taken back: how long the recovery takes counts from the first call."""
        self._undo(fault, "nobody: nothing has to be taken back", since=began)

    def _failed(self, name: str, outcome: Injected, why: str) -> None:
        self._record(Injection(name, outcome, why, tuple(str(one.ref) for one in self._chosen[name].targets)))
        self._undo(self._put_in[name], "the failed injection")

    def _record(self, injection: Injection) -> None:
        self.injections[injection.name] = injection
        self._ledger.injected(injection)

    def _undo_at_once(self, faults: Sequence[InForce], by: str) -> None:
        if not faults:
            return
        with DaemonPool(AT_ONCE, "undo") as pool:
            begun = [pool.submit(partial(self._undo, fault, by)) for fault in reversed(faults)]
            broken = [error for one in begun if (error := one.exception()) is not None]
        if broken:
            raise broken[0]

    def _undo(self, fault: InForce, by: str, *, since: float | None = None) -> None:
        """Once; whether it is over is looked at from then on, whoever asks for it and when."""
        name = fault.order.name
        with self._undoing[name]:
            if name in self._since:
                return
            cause = self._cause(end_of(self._ledger.run))
            error = undo_changes(
                self._pipeline, self._clock, fault, cause, self._closing,
                recovery_seconds=self._recovery_seconds, is_hurried=lambda: self._hurry.is_set,
            )  # fmt: skip
            self._ledger.undone(name, by, error)
            with self._state:
                if error:
                    self.failures[name] = error
                    return
                self.failures.pop(name, None)
                self._since[name] = self._clock.monotonic() if since is None else since
        threading.Thread(target=self._look_at, args=(fault,), daemon=True, name="recovery").start()

    def _look_at(self, fault: InForce) -> None:
        with suppress(MaestroError):  # a record that cannot be written: the run's end tells it
            self._recovery(fault)

    def _recovery(self, fault: InForce) -> Recovery:
        """Proved once, whoever asks first; the others wait for it."""
        name = fault.order.name
        with self._proving[name]:
            if name not in self.recoveries:
                self.recoveries[name] = self._proved(fault)
                self._ledger.recovered(self.recoveries[name])
            return self.recoveries[name]

    def _proved(self, fault: InForce) -> Recovery:
        """Three good looks in a row at the fault's own end, and at the steady state while that is looked at.

        It took from the end of the injection to the first of them, of whichever came last.
        """
        name, limit = fault.order.name, self._recovery_seconds
        since, good, began = self._since[name], 0, 0.0
        while True:
            looked = self._clock.monotonic()
            proof = _looked(lambda: FAULTS[fault.order.fault].recovery(self._platform, fault))
            began = began if good else looked
            good = good + 1 if proof.holds is Holds.YES else 0
            seen = Seen() if self.in_force else self._looks.since(since)  # else it may be another's doing
            first, spent = max(began, seen.first or since) - since, self._clock.monotonic() - since
            if good >= GOOD_IN_A_ROW and _is_steady(seen):
                return Recovery(name, True, _seen_words(proof, seen), round(max(0.0, first), 3))
            is_near = bool(good and seen.met) and first <= limit  # the first was in time: await the others
            is_vain = good >= GOOD_IN_A_ROW and not seen.is_awaited  # nobody looks any more
            if (spent > limit and not is_near) or is_vain or self._hurry.wait(POLL_SECONDS):
                break
        is_untold = good >= GOOD_IN_A_ROW and seen.last is not Steady.MISSED
        untold = "its proof was not waited for; " if spent <= limit else ""
        why = f"{untold}after {spent:.0f} s: {_seen_words(proof, seen)}"
        return Recovery(name, False, why, is_cut_short=spent <= limit or is_untold)

    def _effect_seconds(self, fault: InForce) -> float:
        """How long an effect is waited for: no longer than the fault may be in force."""
        return max(0.0, min(EFFECT_SECONDS, self._end_of(fault) - self._clock.monotonic()))

    def _end_of(self, fault: InForce) -> float:
        return self._ends[fault.order.name]

    def _await(self, look: Callable[[], Proof], seconds: float) -> Proof:
        """The first proof that is no NOT_YET, or the last one; raises Interrupted."""
        until = self._clock.monotonic() + seconds
        while True:
            proof = _looked(look)
            if proof.holds is not Holds.NOT_YET or self._clock.monotonic() >= until:
                return proof
            self._stop.pause(POLL_SECONDS)


def _looked(look: Callable[[], Proof]) -> Proof:
    """What cannot be seen now is looked at again."""
    try:
        return look()
    except MaestroError as error:
        return Proof(Holds.NOT_YET, error.what)


def _is_steady(seen: Seen) -> bool:
    """Enough looks were met; where no more come, those that there were speak against nothing."""
    return seen.met >= GOOD_IN_A_ROW or (not seen.is_awaited and seen.last in (None, Steady.MET))


def _seen_words(proof: Proof, seen: Seen) -> str:
    """What proves it, or does not, with what the looks at the steady state say."""
    if seen.met:
        return f"{proof.text}; in a steady state, {counted(seen.met, 'look')} in a row"
    said = {Steady.MISSED: "; not in a steady state", Steady.NO_DATA: "; the steady state is not known"}
    return proof.text + said.get(seen.last or Steady.MET, "")

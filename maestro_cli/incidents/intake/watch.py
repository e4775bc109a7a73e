"""The detector's loop: it polls, it listens, and it says when it cannot see.

Invariant: a source that does not answer never stops the loop, nor the polls of another one. A webhook
message is durable before its delivery returns. At rest nothing is appended: the heartbeat is a lease.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import Busy, MaestroError, defect
from maestro_cli.core.facts.alerts import WebhookMessage
from maestro_cli.core.progress import Progress, Quiet
from maestro_cli.core.quantities import counted
from maestro_cli.incidents.clock import Budgets, record_breaches
from maestro_cli.incidents.intake.blindness import (
    API_SOURCE,
    MAX_WATCHERS,
    WEBHOOK_SOURCE,
    begin_blindness,
    end_blindness,
    slot_of,
)
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.model import IngestReport
from maestro_cli.incidents.ports import Alerts, DutyPort, WebhookPort
from maestro_cli.journal.model import Lease

_SHORTEST_LEASE_SECONDS = 5.0
_ENDING_SECONDS = 1.0  # for a source that is being read; what it answers after that is not taken


@dataclass(frozen=True, slots=True)
class Eye:
    """A source of signals that is read again and again under its name; what its answer lacks has resolved.

    `waits` reads it only once its first interval is over, not when the watch begins.
    """

    source: str
    alerts: Alerts
    every_seconds: float
    waits: bool = False


class Watch:
    """Polls `alerts` every `poll_seconds`, further sources beside it, and takes webhook messages, until
    cancelled."""

    def __init__(
        self,
        detector: Detector,
        alerts: Alerts | None,
        *,
        poll_seconds: float,
        webhook: WebhookPort | None,
        clock: Clock,
        cancellation: Cancellation,
        progress: Progress | None = None,
        budgets: Budgets = Budgets(),
        duty: DutyPort | None = None,
        source: str = API_SOURCE,
        others: Sequence[Eye] = (),
        turns: Sequence[Callable[[Callable[[str], None]], None]] = (),
    ) -> None:
        """`duty` is told whenever an incident opens; without one, the watch only detects. `source` is what
        `alerts` is called in the journal; None when signals come by the webhook alone. `others` are read on
        threads of their own. `turns` are called once a turn of the loop, with what tells the user."""
        self._turns = tuple(turns)
        self._detector = detector
        self._eye = None if alerts is None else Eye(source, alerts, poll_seconds)
        self._others = tuple(others)
        self._poll_seconds = poll_seconds
        self._webhook = webhook
        self._clock = clock
        self._cancellation = cancellation
        self._progress: Progress = progress or Quiet()
        self._budgets = budgets
        self._duty = duty
        self._polling: dict[str, threading.Lock] = {
            eye.source: threading.Lock() for eye in (self._eye, *self._others) if eye is not None
        }
        self._lease: Lease | None = None
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{id(self):x}"

    def run(self) -> None:
        """Watch until cancelled, then give the lease back; the receiver and the duty stop with it.

        Raises what `webhook.start` raises; never for a source or a journal that fails for a while.
        """
        if self._webhook is not None:
            self._progress.note(f"listening at {self._webhook.start(self.deliver)}")
        beside = [
            threading.Thread(target=self._keep_polling, args=(eye,), daemon=True, name=f"watch-{eye.source}")
            for eye in self._others
        ]
        try:
            if self._duty is not None:
                self._duty.start()
            for thread in beside:
                thread.start()
            while not self._cancellation.is_set:
                started = self._clock.monotonic()
                self.cycle()
                spent = self._clock.monotonic() - started
                self._cancellation.wait(max(self._poll_seconds - spent, 0.05))
        finally:
            with ExitStack() as ending:  # each of them, whatever another one raises
                ending.callback(self._let_go)
                if self._duty is not None:
                    ending.callback(self._duty.stop)
                if self._webhook is not None:
                    ending.callback(self._webhook.stop)
                for thread in beside:
                    if thread.ident is not None:
                        ending.callback(thread.join, _ENDING_SECONDS)

    def cycle(self) -> None:
        """One turn of the loop: heartbeat, poll, overdue budgets. What one of them raises skips no other, and
        the next turn reads the whole truth again."""
        detector, note = self._detector, self._progress.note
        steps: list[Callable[[], object]] = [self._beat]
        if self._eye is not None:
            steps.append(partial(self._poll_safely, self._eye))
        steps += [partial(turn, note) for turn in self._turns]
        steps.append(partial(record_breaches, detector.journal, self._clock, detector.actor, self._budgets))
        for text in dict.fromkeys(map(_failure_of, steps)):  # each failure once
            if text:
                note(text)

    def poll(self) -> IngestReport | None:
        """Read every alert once; None when the source did not answer, or there is none."""
        return None if self._eye is None else self.poll_eye(self._eye)

    def poll_eye(self, eye: Eye) -> IngestReport | None:
        """Read one source once; None when it did not answer, which is recorded."""
        detector = self._detector
        with self._polling[eye.source]:
            fetched_at = self._clock.now()
            try:
                alerts = eye.alerts.alerts()
            except MaestroError as error:
                self._blind(eye, f"{error.what}: {error.why}" if error.why else error.what)
                return None
            if self._has_ended(eye):
                return None
            report = detector.reconcile(alerts, source=eye.source, fetched_at=fetched_at)
            seconds = end_blindness(detector.journal, self._clock, detector.actor, eye.source)
            if seconds is not None:
                self._progress.note(f"seeing again after {seconds:.0f}s: {eye.source}")
        self._tell(report)
        return report

    def _has_ended(self, eye: Eye) -> bool:
        """Whether nobody waits for this source any more: the watch ends without those that are slow."""
        return eye is not self._eye and self._cancellation.is_set

    def _blind(self, eye: Eye, text: str) -> None:
        if self._has_ended(eye):
            return
        if begin_blindness(self._detector.journal, self._detector.actor, eye.source, text):
            self._progress.note(f"blind: {text}")

    def _poll_safely(self, eye: Eye) -> None:
        """As `poll_eye`; a defect makes this source blind, and ends neither its reading nor the watch."""
        try:
            self.poll_eye(eye)
        except MaestroError:
            raise
        except Exception as error:  # noqa: BLE001 - recorded, and read again
            self._blind(eye, defect(error))

    def _keep_polling(self, eye: Eye) -> None:
        if eye.waits:
            self._cancellation.wait(eye.every_seconds)
        while not self._cancellation.is_set:
            text = _failure_of(partial(self._poll_safely, eye))
            if text and not self._has_ended(eye):
                self._progress.note(text)
            self._cancellation.wait(eye.every_seconds)

    def deliver(self, message: WebhookMessage) -> None:
        """Take one webhook message; it is durable when this returns.

        Called on the receiver's thread. Raises MaestroError when it could not be stored, so that the
        sender tries again. A message that was cut short by its sender is completed from the API.
        """
        self._tell(self._detector.ingest(message.alerts, source=WEBHOOK_SOURCE))
        if message.truncated and self.poll() is None:
            self._lost(message.truncated)

    def _lost(self, count: int) -> None:
        """Record that the sender left alerts out, and that they could not be read now."""
        journal, actor = self._detector.journal, self._detector.actor
        with journal.transaction() as transaction:
            data = {"source": WEBHOOK_SOURCE, "left_out": count}
            transaction.append("watch.truncated", f"watch/{WEBHOOK_SOURCE}", actor, data)
        why = (
            "there is no alertmanager to read them from"
            if self._eye is None
            else f"{self._eye.source} does not answer: they are unknown until it does"
        )
        self._progress.note(f"a webhook message left {counted(count, 'alert')} out, and {why}")

    def _tell(self, report: IngestReport) -> None:
        for word, incidents in (("opened", report.opened), ("reopened", report.reopened)):
            for incident in incidents:
                self._progress.note(f"incident {incident} {word}")
        for incident in report.cleared:
            self._progress.note(f"incident {incident}: no signal fires any more")
        if self._duty is not None and (report.opened or report.reopened):
            self._duty.wake()

    def _beat(self) -> None:
        seconds = max(3 * self._poll_seconds, _SHORTEST_LEASE_SECONDS)
        journal = self._detector.journal
        if self._lease is not None:
            try:
                self._lease = journal.renew_lease(self._lease, seconds)
                return
            except Busy:
                self._lease = None  # it ran out while the machine slept: take a place again
        for number in range(1, MAX_WATCHERS + 1):
            if journal.lease(slot_of(number)) is not None:
                continue
            try:
                self._lease = journal.acquire_lease(slot_of(number), self._holder, seconds)
                return
            except Busy:
                continue

    def _let_go(self) -> None:
        if self._lease is None:
            return
        try:
            self._detector.journal.release_lease(self._lease)
        except MaestroError as error:
            self._progress.note(f"the watch lease could not be given back: {error.what}")
        self._lease = None


def _failure_of(step: Callable[[], object]) -> str:
    """Do it; what it raised in words, "" when nothing."""
    try:
        step()
    except MaestroError as error:
        return f"the journal could not be written: {error.what}"
    except Exception as error:  # noqa: BLE001 - told, and tried again
        return defect(error)
    return ""

"""The detector's loop: it polls, it listens, and it says when it cannot see.

Invariant: a source that does not answer never stops the loop; blindness is journaled once when it
begins and once when it ends, by whichever watcher notices first. A webhook message is durable before
its delivery returns. At rest nothing is appended: the heartbeat is a lease.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import ExitStack
from dataclasses import dataclass

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock, from_rfc3339, seconds_between
from maestro_cli.core.errors import Busy, MaestroError
from maestro_cli.core.facts.alerts import WebhookMessage
from maestro_cli.core.progress import Progress, Quiet
from maestro_cli.incidents.clock import Budgets, record_breaches
from maestro_cli.incidents.intake.correlation import capped
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.model import IngestReport
from maestro_cli.incidents.ports import Alerts, DutyPort, WebhookPort
from maestro_cli.journal.model import Lease
from maestro_cli.journal.store import Journal

API_SOURCE = "alertmanager-api"
WEBHOOK_SOURCE = "alertmanager-webhook"
MAX_WATCHERS = 16
_SHORTEST_LEASE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One running watcher: who, and until when it counts as alive without another sign (RFC 3339)."""

    holder: str
    until: str


@dataclass(frozen=True, slots=True)
class Sight:
    """Whether anybody watches, and since when the alert source could not be read (None: it can)."""

    watchers: tuple[Heartbeat, ...]
    blind_since: str | None
    error: str


def read_sight(journal: Journal, *, source: str = API_SOURCE) -> Sight:
    """What `maestro status` says of detection."""
    leases = [journal.lease(_slot(number)) for number in range(1, MAX_WATCHERS + 1)]
    rows = journal.query("SELECT blind_since, error FROM watched WHERE source = ?", (source,))
    return Sight(
        tuple(Heartbeat(lease.holder, lease.until) for lease in leases if lease is not None),
        rows[0]["blind_since"] if rows else None,
        rows[0]["error"] if rows else "",
    )


def _slot(number: int) -> str:
    return f"watch/{number}"


class Watch:
    """Polls `alerts` every `poll_seconds` and takes webhook messages, until cancelled."""

    def __init__(
        self,
        detector: Detector,
        alerts: Alerts,
        *,
        poll_seconds: float,
        webhook: WebhookPort | None,
        clock: Clock,
        cancellation: Cancellation,
        progress: Progress | None = None,
        budgets: Budgets = Budgets(),
        duty: DutyPort | None = None,
    ) -> None:
        """`duty` is told whenever an incident opens; without one, the watch only detects."""
        self._detector = detector
        self._alerts = alerts
        self._poll_seconds = poll_seconds
        self._webhook = webhook
        self._clock = clock
        self._cancellation = cancellation
        self._progress: Progress = progress or Quiet()
        self._budgets = budgets
        self._duty = duty
        self._polling = threading.Lock()
        self._lease: Lease | None = None
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{id(self):x}"

    def run(self) -> None:
        """Watch until cancelled, then give the lease back; the receiver and the duty stop with it.

        Raises what `webhook.start` raises; never for a source or a journal that fails for a while.
        """
        if self._webhook is not None:
            self._progress.note(f"listening at {self._webhook.start(self.deliver)}")
        try:
            if self._duty is not None:
                self._duty.start()
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

    def cycle(self) -> None:
        """One turn of the loop: heartbeat, poll, overdue budgets."""
        try:
            self._beat()
            self.poll()
            record_breaches(self._detector.journal, self._clock, self._detector.actor, self._budgets)
        except MaestroError as error:  # the journal: the next turn reads the whole truth again
            self._progress.note(f"the journal could not be written: {error.what}")

    def poll(self) -> IngestReport | None:
        """Read every alert once; None when the source did not answer."""
        with self._polling:
            fetched_at = self._clock.now()
            try:
                alerts = self._alerts.alerts()
            except MaestroError as error:
                self._blind(f"{error.what}: {error.why}" if error.why else error.what)
                return None
            report = self._detector.reconcile(alerts, source=API_SOURCE, fetched_at=fetched_at)
            self._seeing()
        self._tell(report)
        return report

    def deliver(self, message: WebhookMessage) -> None:
        """Take one webhook message; it is durable when this returns.

        Called on the receiver's thread. Raises MaestroError when it could not be stored, so that the
        sender tries again. A message that was cut short by its sender is completed from the API.
        """
        self._tell(self._detector.ingest(message.alerts, source=WEBHOOK_SOURCE))
        if message.truncated:
            self.poll()

    def _tell(self, report: IngestReport) -> None:
        for word, incidents in (("opened", report.opened), ("reopened", report.reopened)):
            for incident in incidents:
                self._progress.note(f"incident {incident} {word}")
        for incident in report.cleared:
            self._progress.note(f"incident {incident}: no signal fires any more")
        if self._duty is not None and (report.opened or report.reopened):
            self._duty.wake()

    def _blind(self, error: str) -> None:
        journal = self._detector.journal
        if self._blind_since() is not None:
            return
        with journal.transaction() as transaction:
            rows = transaction.query("SELECT blind_since FROM watched WHERE source = ?", (API_SOURCE,))
            if rows and rows[0][0] is not None:
                return
            data = {"source": API_SOURCE, "error": capped(error, 500)}
            transaction.append("watch.blind", f"watch/{API_SOURCE}", self._detector.actor, data)
        self._progress.note(f"blind: {error}")

    def _blind_since(self) -> str | None:
        rows = self._detector.journal.query("SELECT blind_since FROM watched WHERE source = ?", (API_SOURCE,))
        return rows[0][0] if rows else None

    def _seeing(self) -> None:
        if self._blind_since() is None:
            return
        journal = self._detector.journal
        with journal.transaction() as transaction:
            rows = transaction.query("SELECT blind_since FROM watched WHERE source = ?", (API_SOURCE,))
            if not rows or rows[0][0] is None:
                return
            seconds = seconds_between(from_rfc3339(rows[0][0]), self._clock.now())
            data = {"source": API_SOURCE, "blind_seconds": round(seconds, 3)}
            transaction.append("watch.seeing", f"watch/{API_SOURCE}", self._detector.actor, data)
        self._progress.note(f"seeing again after {seconds:.0f}s")

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
            if journal.lease(_slot(number)) is not None:
                continue
            try:
                self._lease = journal.acquire_lease(_slot(number), self._holder, seconds)
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

"""Responds to incidents by itself, where a playbook says so.

Invariant: an incident is begun only under its lease, when nobody owns it, no drill caused it, its playbook's
mode is `auto` and a source was read that holds its signal; the journal says who took it before anything is
done. One that was begun is gone on with by any watcher, one that could not be finished is left to people,
once and with the reason. Nothing here waits in the detector's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock, seconds_between
from maestro_cli.core.crashpoints import crash_point
from maestro_cli.core.errors import ExitCode, Interrupted, MaestroError, Unreachable
from maestro_cli.core.progress import Among, Progress
from maestro_cli.incidents.model import Incident, Signal
from maestro_cli.incidents.register import Unattended, unattended
from maestro_cli.incidents.response.hold import hold, is_responded_to
from maestro_cli.incidents.response.lookout import Lookout
from maestro_cli.incidents.response.response import Responded
from maestro_cli.journal.model import Lease
from maestro_cli.journal.store import Journal, Transaction
from maestro_cli.runbooks.model import Confirm, nobody
from maestro_cli.runbooks.playbooks import Playbook

MAX_RESPONSES = 4
FIRST_RETRY_SECONDS = 5.0
LONGEST_RETRY_SECONDS = 60.0
CONFIRM_SECONDS = 60.0  # how long a source may take to hold what a webhook told
GIVE_UP_SECONDS = 600.0  # what failed for so long is left to people; what others are at is not


class Answers(Protocol):
    """A Response, as far as it is needed here."""

    def match(self, incident: Incident) -> tuple[Playbook, Signal] | None: ...

    def go_on(
        self, ref: str, *, confirm: Confirm, progress: Progress, cancellation: Cancellation
    ) -> Responded: ...

    def suggest(
        self, transaction: Transaction, incident: Incident, playbook: Playbook, signal: Signal
    ) -> Callable[[Progress], None]:
        """Record that the playbook was not run by itself; what is answered tells those it names."""


@dataclass(frozen=True, slots=True)
class _Left:
    """An incident that is left to people, why, and what they may do."""

    incident: Incident
    reason: str
    fix: str
    playbook: str = ""
    bound: tuple[Playbook, Signal] | None = None  # what is suggested


class Duty(Lookout):
    """Looks for incidents to respond to, and responds to a few at a time, until stopped."""

    def __init__(
        self,
        journal: Journal,
        answers: Answers,
        actor: str,
        *,
        clock: Clock,
        cancellation: Cancellation,
        progress: Progress,
        drilling: Callable[[], bool] = lambda: False,
        workers: int = MAX_RESPONSES,
    ) -> None:
        """`actor` is the one `answers` acts as; while `drilling`, nothing is begun: the drill responds."""
        self._journal, self._answers, self._actor = journal, answers, actor
        complaint = "nothing could be responded to"  # the journal, a playbook
        super().__init__("duty", complaint, workers, cancellation=cancellation, progress=progress)
        self._clock, self._drilling = clock, drilling
        self._failures: dict[str, int] = {}
        self._failing_since: dict[str, float] = {}
        self._not_before: dict[str, float] = {}  # monotonic, by incident

    def look(self) -> None:
        """Begin what may be begun, and leave to people what may not."""
        left: list[_Left] = []
        drilling: bool | None = None
        for found in unattended(self._journal):
            if not self._is_due(found.incident) or self._allowed(found, left) is None:
                continue
            if is_responded_to(self._journal, found.incident):
                continue
            if not found.begun:
                drilling = self._drilling() if drilling is None else drilling
                if drilling:
                    continue
            incident = found.incident
            told = Among(self._progress, f"incident #{incident.number}")
            self.begin(
                incident.id,
                f"response-{incident.number}",
                partial(self._respond, incident, told),
                partial(self._later, incident, told),
            )
        self._leave(left)

    def _is_due(self, incident: Incident) -> bool:
        with self._lock:
            later = self._not_before.get(incident.id, 0.0) > self._clock.monotonic()
        return not later and not self.is_at_work(incident.id)

    def _allowed(self, found: Unattended, left: list[_Left]) -> str | None:
        """The id of the playbook that allows to respond, or None; one that does not adds to `left`."""
        incident = found.incident
        if found.begun:
            return found.playbook
        if incident.firing == 0:
            return None  # nothing fires, so nothing may be started
        bound = self._answers.match(incident)
        if bound is None:
            fix = f"maestro incident triage {incident.number}, then maestro runbook list"
            left.append(_Left(incident, "no playbook binds it", fix))
            return None
        playbook = bound[0]
        if playbook.why_not_auto:
            fix = f"{playbook.started_by_hand} --incident {incident.number}"
            left.append(_Left(incident, playbook.why_not_auto, fix, playbook.id, bound))
            return None
        if bound[1].is_hearsay:
            self._wait_for_a_source(incident, bound, left)
            return None
        return playbook.id

    def _wait_for_a_source(
        self, incident: Incident, bound: tuple[Playbook, Signal], left: list[_Left]
    ) -> None:
        """A webhook may propose, never run: leave to people what no source that is read holds in time."""
        playbook, signal = bound
        if seconds_between(signal.changed_at, self._clock.now()) >= CONFIRM_SECONDS:
            reason = "a webhook alone tells of it, and no source that is read holds it"
            fix = f"{playbook.started_by_hand} --incident {incident.number}"
            left.append(_Left(incident, reason, fix, playbook.id, bound))

    # One response, on a thread of its own

    def _respond(self, incident: Incident, told: Progress) -> None:
        try:
            with hold(self._journal, incident, self._cancellation) as held:
                if self._begin(held.lease, incident):
                    crash_point("response.begun")
                    self._go_on(incident, told, held.cancellation)
        except Interrupted:
            told.note(f"stopped; go on with: maestro incident respond {incident.number}")

    def _begin(self, lease: Lease, incident: Incident) -> bool:
        """Record that it is taken; False when that is not so any more: somebody was faster."""
        with self._journal.transaction() as transaction:
            transaction.require_lease(lease)
            now = next(iter(unattended(transaction, incident.id)), None)
            playbook = None if now is None else self._allowed(now, [])
            if now is None or playbook is None:
                return False
            if not now.begun or now.responder != self._actor:
                self._append(transaction, "incident.response_begun", incident, {"playbook": playbook})
            if now.incident.owner != self._actor:
                self._append(transaction, "incident.owner_set", incident, {"owner": self._actor})
            return True

    def _go_on(self, incident: Incident, told: Progress, cancellation: Cancellation) -> None:
        try:
            done = self._answers.go_on(incident.id, confirm=nobody, progress=told, cancellation=cancellation)
        except (Interrupted, Unreachable):
            raise
        except MaestroError as error:
            if error.exit_code is ExitCode.BUSY:  # its run is held by another process, or was interrupted
                raise
            reason = f"{error.what}: {error.why}" if error.why else error.what
            self._leave([_Left(incident, reason, error.fix)])
        else:
            self._forget(incident)
            told.note(f"{done.incident.state.value}; post-mortem {done.postmortem}")

    def _later(self, incident: Incident, told: Progress, error: MaestroError) -> None:
        """Try again, ever more rarely; what went on failing is handed over, once."""
        now = self._clock.monotonic()
        with self._lock:
            failing_seconds = now - self._failing_since.setdefault(incident.id, now)
        if failing_seconds >= GIVE_UP_SECONDS and error.exit_code is not ExitCode.BUSY:
            self._forget(incident)
            reason = f"{error.what}, for {failing_seconds / 60:.0f} minutes"
            self._leave([_Left(incident, reason, f"maestro incident respond {incident.number}")])
            return
        with self._lock:
            failures = self._failures.get(incident.id, 0)
            seconds = min(FIRST_RETRY_SECONDS * 2**failures, LONGEST_RETRY_SECONDS)
            self._failures[incident.id] = min(failures + 1, 10)
            self._not_before[incident.id] = now + seconds
        told.note(f"{error.what}; again in {seconds:g}s")

    def _forget(self, incident: Incident) -> None:
        with self._lock:
            for known in (self._failures, self._failing_since, self._not_before):
                known.pop(incident.id, None)

    def _leave(self, left: Sequence[_Left]) -> None:
        """Record once, whoever of several watchers is first, what is left to people; and tell it."""
        if not left:
            return
        recorded: list[tuple[_Left, Callable[[Progress], None] | None]] = []
        with self._journal.transaction() as transaction:
            for item in left:
                for now in unattended(transaction, item.incident.id):
                    if now.begun and now.responder != self._actor:
                        continue  # another watcher has taken it since: it knows a playbook for it
                    playbook = item.playbook or now.playbook
                    data = {"playbook": playbook, "reason": item.reason, "fix": item.fix}
                    self._append(transaction, "incident.handed_over", item.incident, data)
                    suggest = partial(self._answers.suggest, transaction, item.incident)
                    recorded.append((item, suggest(*item.bound) if item.bound is not None else None))
        crash_point("response.left")
        for item, tell in recorded:
            told = Among(self._progress, f"incident #{item.incident.number}")
            told.note(f"left to people, tell whoever is on call: {item.reason}")
            if item.fix:
                told.note(item.fix)
            if tell is not None:
                tell(told)

    def _append(self, transaction: Transaction, kind: str, incident: Incident, data: dict[str, str]) -> None:
        transaction.append(kind, incident.subject, self._actor, {"incident": incident.id, **data})

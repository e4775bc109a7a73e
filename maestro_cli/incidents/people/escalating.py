"""Tells the next person in time, and says what is late; beside the detector, in every watcher.

Invariant: nothing is told before it is in the journal, and it is kept together with its messages; a step that
another watcher raised, or that an acknowledgement overtook, is not raised. Nothing here alters the world.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock, to_rfc3339
from maestro_cli.core.crashpoints import crash_point
from maestro_cli.core.errors import MaestroError, NotFound
from maestro_cli.core.progress import Among, Progress
from maestro_cli.incidents.people.escalation import (
    Raise,
    Running,
    Told,
    due,
    message_of,
    running,
    to_begin,
)
from maestro_cli.incidents.people.model import Turn
from maestro_cli.incidents.people.oncall import OnCall, Person, Target
from maestro_cli.incidents.people.reminders import record_late
from maestro_cli.incidents.people.role_calls import PREFIX, hand_to, roles_to_call
from maestro_cli.incidents.people.roster import PagerPort, Roster
from maestro_cli.incidents.response.lookout import Lookout
from maestro_cli.journal.outbox import Outbox
from maestro_cli.journal.store import Journal

MAX_RAISED = 4  # incidents at a time
RETRY_SECONDS = 15.0


class Escalations(Lookout):
    """Begins escalations and raises their steps until stopped.

    `read` gives the on-call file as it is now, None where there is none; `outbox` is put to, and delivers by
    itself elsewhere. An on-call file that cannot be read leaves the last one that could in force.
    """

    def __init__(
        self,
        journal: Journal,
        outbox: Outbox,
        read: Callable[[], OnCall | None],
        pager: Callable[[], PagerPort],
        actor: str,
        *,
        clock: Clock,
        cancellation: Cancellation,
        progress: Progress,
    ) -> None:
        complaint = "nobody could be told of what is not acknowledged"  # the journal
        super().__init__("escalations", complaint, MAX_RAISED, cancellation=cancellation, progress=progress)
        self._journal, self._outbox, self._actor, self._clock = journal, outbox, actor, clock
        self._read, self._pager = read, pager
        self._last: OnCall | None = None
        self._said = ""
        self._not_before: dict[str, float] = {}  # monotonic, by incident or role
        self._put_off_because: dict[str, str] = {}  # what was said of it last

    def look(self) -> None:
        """Say what is late, begin escalations, raise what is due, and give roles to who is on call."""
        for late in record_late(self._journal, self._clock, self._actor):
            self._progress.note(late.words)
        self._begin()
        told = Among(self._progress, "escalation")
        for incident in due(self._journal, self._clock.now()):
            self._do(incident, partial(self._raise_due, incident, told), told)
        told = Among(self._progress, "role")
        for turn in roles_to_call(self._journal):
            self._do(f"{turn.incident}/{turn.role.value}", partial(self._call, turn, told), told)

    def _do(self, what: str, work: Callable[[], None], told: Progress) -> None:
        """On a thread of its own, for it may ask a pager; what fails is put off for a while."""
        if self._not_before.get(what, 0.0) <= self._clock.monotonic():
            self.begin(what, f"people-{what}", work, partial(self._put_off, what, told))

    # Beginning

    def _begin(self) -> None:
        oncall = self._oncall()
        if oncall is None or not oncall.policies:
            return
        waiting = to_begin(self._journal, self._clock.now())
        if not any(oncall.policy_for(one.severity.value) for one in waiting):
            return
        with self._journal.transaction() as transaction:
            for incident in to_begin(transaction, self._clock.now()):
                policy = oncall.policy_for(incident.severity.value)
                if policy is None:
                    continue
                data = {
                    "incident": incident.id,
                    "policy": policy.name,
                    "file": oncall.file,
                    "oncall": oncall.snapshot(policy),
                }
                transaction.append("incident.escalation_begun", incident.subject, self._actor, data)
        crash_point("escalation.begun")

    def _oncall(self) -> OnCall | None:
        try:
            self._last, self._said = self._read(), ""
        except MaestroError as error:
            if error.what != self._said:
                self._progress.note(
                    f"{error.what}; {'the file as it was' if self._last else 'nobody'} is told"
                )
            self._said = error.what
        return self._last

    # Raising

    def _raise_due(self, incident: str, told: Progress) -> None:
        """Raise each step that is due, in order."""
        while not self._cancellation.is_set:
            found = running(self._journal, incident)
            step = found.next() if found is not None else None
            if found is None or (step is not None and not step.is_due(self._clock.now())):
                return
            if step is None:
                self._exhaust(found)
                return
            self._raise(found, step, told)

    def _raise(self, found: Running, step: Raise, progress: Progress) -> None:
        told, untold = self._whom(found.oncall, step)
        crash_point("escalation.before:raised")
        now = self._clock.now()
        with self._journal.transaction() as transaction:
            current = running(transaction, found.incident.id)
            if current is None or current.next() != step:
                return  # it was acknowledged, or another watcher was faster
            data = {
                "incident": found.incident.id,
                "policy": found.policy.name,
                "round": step.round,
                "step": step.number,
                "since": to_rfc3339(found.since),
                "due_at": to_rfc3339(step.due_at),
                "told": [{"who": one.who, "channel": one.channel, "via": one.via} for one in told],
                "untold": untold,
            }
            transaction.append("incident.escalated", found.incident.subject, self._actor, data)
            for number, one in enumerate(told, start=1):
                self._outbox.put(transaction, message_of(found, step, one, number, now))
        crash_point("escalation.after:raised")
        whom = ", ".join(dict.fromkeys(one.who for one in told)) or "nobody"
        number = found.incident.number
        progress.note("; ".join([f"incident #{number} is not acknowledged: {whom} told", *untold]))

    def _exhaust(self, found: Running) -> None:
        with self._journal.transaction() as transaction:
            current = running(transaction, found.incident.id)
            if current is None or current.next() is not None:
                return
            data = {"incident": found.incident.id, "policy": found.policy.name}
            transaction.append("incident.escalation_exhausted", found.incident.subject, self._actor, data)
        number = found.incident.number
        self._progress.note(f"incident #{number} is not acknowledged, and everybody of its policy was told")

    def _whom(self, oncall: OnCall, step: Raise) -> tuple[list[Told], list[str]]:
        """The channels of a step, each once, and why somebody cannot be told."""
        told: dict[str, Told] = {}
        untold: list[str] = []
        for target in step.step.tell:
            if target.kind == "channel":
                told.setdefault(target.name, Told(str(target), target.name))
                continue
            person, via = self._person(oncall, target, untold)
            if person is None:
                continue
            if not person.channels:
                untold.append(f"{person.id} has no channel")
            for channel in person.channels:
                told.setdefault(channel, Told(person.id, channel, via))
        return list(told.values()), untold

    def _person(self, oncall: OnCall, target: Target, untold: list[str]) -> tuple[Person | None, str]:
        if target.kind == "person":
            return oncall.people.get(target.name), ""
        try:
            person, why = Roster(oncall, self._pager).at(target.name, self._clock.now())
        except MaestroError as error:
            untold.append(f"schedule {target.name}: {error.what}")
            return None, ""
        if person is None:
            untold.append(f"schedule {target.name}: {why}")
        return person, target.name

    # Roles

    def _call(self, turn: Turn, told: Progress) -> None:
        """Give a role that a schedule has to whoever is on call by it."""
        oncall = self._oncall()
        name = turn.person.removeprefix(PREFIX)
        if oncall is None:
            raise NotFound(f"nobody is {turn.role.value}: there is no on-call file with a schedule {name}")
        person, why = Roster(oncall, self._pager).at(name, self._clock.now())
        if person is None:
            raise NotFound(f"nobody is {turn.role.value} by schedule {name}: {why}")
        if hand_to(self._journal, self._actor, turn, person.id):
            told.note(f"{turn.role.value} of {turn.incident} is {person.id}")

    def _put_off(self, what: str, told: Progress, error: MaestroError) -> None:
        if self._put_off_because.get(what) != error.what:
            told.note(error.what)
        self._put_off_because[what] = error.what
        self._not_before[what] = self._clock.monotonic() + RETRY_SECONDS

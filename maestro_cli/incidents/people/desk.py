"""What people do about an incident besides moving it: roles, tasks, status updates.

Invariant: a command reads, checks and appends in one transaction. What was merged is given nothing, but the
tasks that it had can be ended. A change of roles counts as one of the incident, for `expected_seq`; tasks and
updates do not, or those of several people would refuse one another.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.errors import GateNotMet, UsageError
from maestro_cli.incidents.desk.writing import MAX_TEXT_CHARACTERS, Writing
from maestro_cli.incidents.intake.correlation import capped
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.people.model import Audience, Role, Said, StatusUpdate, Task, TaskKind, TaskState
from maestro_cli.incidents.people.reading import find_task, last_update, roles_of
from maestro_cli.incidents.register import find_incident

MAX_NAME_CHARACTERS = 200


class PeopleDesk(Writing):
    """Commands in the name of one actor; they raise NotFound, UsageError or GateNotMet, with nothing done."""

    def set_role(
        self, ref: str, role: Role, person: str, *, held_by: str = "", expected_seq: int | None = None
    ) -> Incident:
        """Give a role to a person, whoever had it; with `held_by` only if that is who has it now."""
        name = _name(person, f"the {role.value} needs a name")
        return self._change_role(ref, role, name, held_by, expected_seq)

    def clear_role(
        self, ref: str, role: Role, *, held_by: str = "", expected_seq: int | None = None
    ) -> Incident:
        """Take a role from whoever has it; raises GateNotMet when nobody has."""
        return self._change_role(ref, role, "", held_by, expected_seq)

    def change_role(
        self,
        ref: str,
        role: Role | None,
        person: str,
        *,
        clear: bool = False,
        held_by: str = "",
        expected_seq: int | None = None,
    ) -> None:
        """Give, hand over or take a role as a person asks for it; nothing where nothing was asked for.

        Raises UsageError where it is not said which role is meant, or who has it from now on.
        """
        if role is None:
            if person or clear or held_by:
                raise UsageError("which role is meant is not said", fix="commander, ops, scribe or liaison")
        elif bool(person) == clear:
            fix = f"maestro incident role {ref} {role.value} NAME"
            raise UsageError(f"say who is {role.value}, or --clear", fix=fix)
        elif clear:
            self.clear_role(ref, role, held_by=held_by, expected_seq=expected_seq)
        else:
            self.set_role(ref, role, person, held_by=held_by, expected_seq=expected_seq)

    def _change_role(
        self, ref: str, role: Role, person: str, held_by: str, expected_seq: int | None
    ) -> Incident:
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            held = roles_of(transaction, incident.id).get(role)
            was = held.person if held is not None else ""
            if (held_by and was != held_by) or (not person and not was):
                who = f"{was} is {role.value}" if was else f"nobody is {role.value}"
                raise GateNotMet(
                    f"incident #{incident.number}: {who}", fix=f"maestro incident role {incident.number}"
                )
            data = {"roles": {role.value: person}, "was": {role.value: was} if was else {}}
            self._append(transaction, "incident.roles_set", incident.id, data)
            return find_incident(transaction, incident.id)

    def add_task(
        self,
        ref: str,
        text: str,
        *,
        kind: TaskKind = TaskKind.TASK,
        owner: str | None = None,
        due_at: datetime | None = None,
        expected_seq: int | None = None,
    ) -> Task:
        """Add a task, or an action item, also when the incident is over; it is open until done or dropped."""
        if not text.strip():
            raise UsageError("a task needs a text")
        if due_at is not None and due_at <= self._clock.now():
            raise UsageError(f"a task cannot be due at {to_rfc3339(due_at)}, which is over", fix="--due 3d")
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            rows = transaction.query("SELECT coalesce(max(number), 0) + 1 FROM people_tasks")
            number = int(rows[0][0])
            data = {
                "task": number,
                "task_kind": kind.value,
                "text": capped(text.strip(), MAX_TEXT_CHARACTERS),
                "owner": _name(owner, "an owner needs a name") if owner is not None else None,
                "due_at": to_rfc3339(due_at) if due_at is not None else None,
            }
            self._append(transaction, "incident.task_added", incident.id, data)
            return find_task(transaction, str(number))

    def end_task(
        self, number: str, state: TaskState, *, reason: str = "", expected_seq: int | None = None
    ) -> Task:
        """Say that an open task is done, or dropped; raises GateNotMet for one that has ended."""
        with self._journal.transaction() as transaction:
            task = find_task(transaction, number)
            self._seen_or_merged(transaction, task.incident, expected_seq)
            if task.state is not TaskState.OPEN:
                raise GateNotMet(
                    f"task {task.number} is {task.state.value}", why=f"{task.ended_by} said so", fix=""
                )
            data = {
                "task": task.number,
                "task_kind": task.kind.value,
                "text": task.text,
                "reason": capped(reason.strip(), MAX_TEXT_CHARACTERS),
            }
            kind = "incident.task_done" if state is TaskState.DONE else "incident.task_dropped"
            self._append(transaction, kind, task.incident, data)
            return find_task(transaction, str(task.number))

    def update(
        self,
        ref: str,
        conditions: str,
        *,
        actions: str = "",
        needs: str = "",
        audience: Audience = Audience.INTERNAL,
        snooze_until: datetime | None = None,
        expected_seq: int | None = None,
    ) -> StatusUpdate:
        """Tell how it stands: the conditions, the actions under way and what is needed.

        `snooze_until` puts the reminder of the next one off, as `snooze_update` does.
        """
        if not conditions.strip():
            raise UsageError("a status update needs a text")
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            snooze = self._snooze(incident, snooze_until) if snooze_until is not None else None
            texts = {"conditions": conditions, "actions": actions, "needs": needs}
            data = {name: capped(text.strip(), MAX_TEXT_CHARACTERS) for name, text in texts.items()}
            self._append(transaction, "incident.updated", incident.id, {**data, "audience": audience.value})
            if snooze is not None:
                self._append(transaction, "incident.update_snoozed", incident.id, snooze)
            told = last_update(transaction, incident.id)
            assert told is not None  # it was appended just now
            return told

    def tell(
        self, ref: str, said: Said, *, snooze_until: datetime | None = None, expected_seq: int | None = None
    ) -> None:
        """A status update as a person asks for it, or its reminder put off; nothing where neither was."""
        if said.conditions:
            self.update(ref, **asdict(said), snooze_until=snooze_until, expected_seq=expected_seq)
        elif said.actions or said.needs:
            raise UsageError("a status update needs a text", fix="say how it stands before --actions")
        elif snooze_until is not None:
            self.snooze_update(ref, snooze_until, expected_seq=expected_seq)

    def snooze_update(self, ref: str, until: datetime, *, expected_seq: int | None = None) -> Incident:
        """Put the reminder of the next status update off until an instant ahead, for an open incident."""
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            data = self._snooze(incident, until)
            self._append(transaction, "incident.update_snoozed", incident.id, data)
            return find_incident(transaction, incident.id)

    def _snooze(self, incident: Incident, until: datetime) -> dict[str, str]:
        if until <= self._clock.now():
            raise UsageError("a reminder is put off until later", fix="--snooze 30m")
        if not incident.state.is_open:
            raise GateNotMet(
                f"incident #{incident.number} is {incident.state.value}, so that no update is due"
            )
        return {"until": to_rfc3339(until)}


def _name(text: str, complaint: str) -> str:
    if not text.strip():
        raise UsageError(complaint)
    return capped(text.strip(), MAX_NAME_CHARACTERS)

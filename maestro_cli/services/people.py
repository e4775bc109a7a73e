"""Runs become what people do about incidents: roles, tasks, status updates.

Invariant: the journal alone is needed, so that an incident can be run by hand while no endpoint answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.core.errors import InvalidFile, NotFound, UsageError
from maestro_cli.services.built_once import built_once
from maestro_cli.services.running import RunServices

if TYPE_CHECKING:
    from maestro_cli.incidents.model import Incident
    from maestro_cli.incidents.people.desk import PeopleDesk
    from maestro_cli.incidents.people.handover import Handover
    from maestro_cli.incidents.people.model import Standing, StatusUpdate, Task, Turn
    from maestro_cli.incidents.people.oncall import OnCall
    from maestro_cli.incidents.people.roster import OnCallNow, Roster
    from maestro_cli.incidents.people.schedule import Shift
    from maestro_cli.runbooks.lint import Finding
    from maestro_cli.sources.pagerduty import PagerDuty


class PeopleServices(RunServices):
    """Who does what about the incidents of the context's journal."""

    @built_once
    def people(self) -> PeopleDesk:
        from maestro_cli.incidents.people.desk import PeopleDesk

        return PeopleDesk(self.journal, self.clock, self.actor)

    @built_once
    def pagerduty(self) -> PagerDuty:
        return self._pagerduty_of(self._needed(self.context.pagerduty, "pagerduty"))

    @built_once
    def oncall(self) -> OnCall | None:
        """The on-call file of the context, None where it has none. Raises InvalidFile."""
        return self.read_oncall()

    def read_oncall(self) -> OnCall | None:
        """The same as the file is now. Raises InvalidFile."""
        from maestro_cli.incidents.people.oncall_file import read_oncall

        context = self.settings.contexts.get(self.context_name)
        return read_oncall(Path(context.oncall)) if context is not None and context.oncall else None

    def roster(self) -> Roster:
        """Raises NotFound when the context has no on-call file."""
        from maestro_cli.incidents.people.roster import Roster

        if self.oncall is None:
            fix = f"write one (maestro schema oncall), and set oncall: PATH of context {self.context_name}"
            raise NotFound(f"context {self.context_name} has no on-call file", fix=fix)
        return Roster(self.oncall, lambda: self.pagerduty)

    def on_call_now(self, at: str) -> tuple[OnCallNow, ...]:
        """Each schedule and whose turn it is, now or at another instant."""
        return self.roster().everyone(self.due(at) if at else self.clock.now())

    def on_call_shifts(self, schedule: str, at: str, days: int) -> tuple[Shift, ...]:
        """The shifts of a schedule, of the only one where none is named; raises NotFound, UsageError."""
        begin = self.due(at) if at else self.clock.now()
        roster = self.roster()
        return roster.shifts(roster.named(schedule), begin, begin + timedelta(days=days))

    def lint_oncall(self, file: str | None, days: int) -> tuple[Finding, ...]:
        """What is wrong with an on-call file, by default the context's; raises NotFound without one."""
        from maestro_cli.incidents.people.oncall_file import read_oncall
        from maestro_cli.incidents.people.oncall_lint import lint_oncall
        from maestro_cli.runbooks.lint import lint_file

        try:
            oncall = read_oncall(Path(file)) if file else self.roster().oncall
        except InvalidFile as error:
            return (lint_file(error),)
        return lint_oncall(oncall, self.clock.now(), days)

    def due(self, text: str) -> datetime:
        """An instant as people write it; raises UsageError."""
        from maestro_cli.incidents.people.due import parse_due

        try:
            return parse_due(text, self.clock.now())
        except ValueError as error:
            raise UsageError(str(error), fix="write 3d, 2026-12-01 or 2026-12-01T17:00Z") from error

    def role_holder(self, person: str) -> str:
        """The same name; raises NotFound for a `schedule:NAME` that the on-call file does not have."""
        from maestro_cli.incidents.people.role_calls import PREFIX

        if person.strip().startswith(PREFIX):
            self.roster().schedule(person.strip().removeprefix(PREFIX))
        return person

    def role_turns(self, ref: str) -> tuple[Turn, ...]:
        from maestro_cli.incidents.people.reading import turns_of

        return turns_of(self.journal, self.desk.get(ref).id)

    def tasks(self, ref: str, *, ended: bool) -> tuple[Task, ...]:
        """The tasks of an incident, or of all of them for `all`."""
        from maestro_cli.incidents.people.reading import list_tasks

        incident = None if ref == "all" else self.desk.get(ref).id
        return list_tasks(self.journal, incident, ended=ended)

    def updates(self, ref: str) -> tuple[StatusUpdate, ...]:
        from maestro_cli.incidents.people.reading import updates_of

        return updates_of(self.journal, self.desk.get(ref).id)

    def standings(self, incidents: Sequence[Incident]) -> Mapping[str, Standing]:
        """The people of each incident, by its id."""
        from maestro_cli.incidents.people.reading import standings

        return standings(self.journal, incidents, self.clock.now())

    def hand_over(self, ref: str) -> Handover:
        """What the next shift has to know of one incident, or of all that are open for `all`."""
        from maestro_cli.incidents.people.handover import hand_over

        now = self.clock.now()
        return hand_over(self.journal, ref, now, self._on_call_if_known(now))

    def _on_call_if_known(self, now: datetime) -> tuple[OnCallNow, ...]:
        """Without an on-call file, or with a broken one, nobody: what else there is to say is not held up."""
        from maestro_cli.output.diagnostics import warn

        try:
            return self.roster().everyone(now) if self.oncall is not None else ()
        except InvalidFile as error:
            warn(error.what)
            return ()

    def remind_of_tasks(self, shown: Sequence[Incident]) -> None:
        """Say on stderr what is still to be done because of incidents that are not shown."""
        from maestro_cli.core.quantities import counted
        from maestro_cli.output.diagnostics import note

        ids, now = {one.id for one in shown}, self.clock.now()
        others = [task for task in self.tasks("all", ended=False) if task.incident not in ids]
        if others:
            overdue = sum(task.is_overdue(now) for task in others)
            late = f", {overdue} overdue" if overdue else ""
            what = f"{counted(len(others), 'task')} of other incidents open{late}"
            note(f"{what}; see: maestro incident task list all")

    def people_seen(self) -> tuple[str, ...]:
        """Names that were given before, for completion."""
        from maestro_cli.incidents.people.reading import people_seen

        return people_seen(self.journal)

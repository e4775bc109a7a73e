"""The post-mortem: what the journal says, and where people have to write.

Invariant: rendered from the journal alone, so the same journal gives the same text but for the time it
was made; a file is replaced whole or not at all. What people wrote in their parts is carried into the new
text; a file that somebody has edited anywhere else is left alone: the digest of each text, and of what
maestro wrote of it, is in the journal before the text is in its file.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from maestro_cli.config.settings import Responders
from maestro_cli.core.clock import Clock, seconds_between
from maestro_cli.core.errors import ActionFailed, GateNotMet
from maestro_cli.core.files import open_file, unusable, write_atomically
from maestro_cli.cost.spans.incident import IncidentCost, incident_cost
from maestro_cli.incidents.clock import Budgets, read_clock
from maestro_cli.incidents.intake.correlation import capped
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.people.reading import list_tasks, turns_of
from maestro_cli.incidents.register import find_incident, signals_of
from maestro_cli.incidents.report.human import parts, sections_to_fill, skeleton
from maestro_cli.incidents.report.postmortem_text import document
from maestro_cli.incidents.report.story import Story, latest_impact
from maestro_cli.incidents.timeline import Entry, timeline
from maestro_cli.journal.store import Journal

_MAX_FILE_BYTES = 32 << 20
_PEOPLE = frozenset(
    f"incident.{verb}"
    for verb in ("acked", "note", "triaged", "mitigated", "resolved", "severity_set", "dismissed", "closed")
)


@dataclass(frozen=True, slots=True)
class PostMortemFile:
    """What was written; `to_fill` counts the places that wait for a person."""

    path: Path
    sha256: str
    to_fill: int


class PostMortem:
    """Renders and writes post-mortems from one journal."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        actor: str,
        *,
        costs: Responders = Responders(),
        budgets: Budgets = Budgets(),
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._actor = actor
        self._costs = costs
        self._budgets = budgets

    def story(self, incident_ref: str, *, now: datetime | None = None) -> Story:
        """Read the incident's story, as it stands now or at an instant; raises NotFound."""
        incident = find_incident(self._journal, incident_ref)
        now = now or self._clock.now()
        entries = timeline(self._journal, incident.id)
        impact = latest_impact(entries)
        return Story(
            incident=incident,
            signals=signals_of(self._journal, incident.id),
            entries=entries,
            clock=read_clock(incident, now, self._budgets),
            cost=self._cost(incident, entries, impact, now),
            impact=impact,
            head=self._journal.head(),
            made_at=now,
            tasks=list_tasks(self._journal, incident.id, ended=True) if self._knows_people else (),
            turns=turns_of(self._journal, incident.id) if self._knows_people else (),
        )

    @property
    def _knows_people(self) -> bool:
        """A journal may be read with the tables of incidents alone."""
        return bool(self._journal.query("SELECT 1 FROM sqlite_master WHERE name = 'people_tasks'"))

    def _cost(
        self, incident: Incident, entries: Sequence[Entry], impact: Mapping[str, Any] | None, now: datetime
    ) -> IncidentCost:
        times = incident.times
        end = times.resolved_at or now
        watchers = {entry.actor for entry in entries if entry.kind == "incident.response_begun"}
        people = {entry.actor for entry in entries if entry.kind in _PEOPLE} - watchers
        return incident_cost(
            self._costs if _rates(self._costs) else _recorded_costs(entries),
            responders=len(people) if people or watchers else None,
            response_seconds=seconds_between(times.acked_at or times.opened_at, end),
            errors_served=impact.get("errors") if impact is not None else None,
            replicas=_replicas(entries),
            incident_seconds=seconds_between(times.started_at, end),
        )

    def render(
        self,
        incident_ref: str,
        written: Mapping[str, str] | None = None,
        *,
        now: datetime | None = None,
    ) -> str:
        """The post-mortem as Markdown, with what people wrote in their parts.

        Raises NotFound, GateNotMet when it has no such part any more.
        """
        text = document(self.story(incident_ref, now=now), written)
        lost = set(written or ()) - set(parts(text) or ())
        if lost:
            raise GateNotMet(
                f"the post-mortem has no part {', '.join(sorted(lost))} any more; nothing was written",
                fix="--to FILE writes another file",
            )
        return text

    def place(self, incident_ref: str, path: Path, *, force: bool = False, beside: bool = False) -> Path:
        """Where to write so that nobody's words are lost: `path`, or with `beside` the next free name.

        Raises GateNotMet when the file there is not what maestro wrote, unless `force` says to replace it;
        NotFound, ActionFailed.
        """
        incident = find_incident(self._journal, incident_ref)
        if force or not self._is_foreign(incident, path):
            return path
        if not beside:
            raise GateNotMet(
                f"{path} is not as maestro wrote it; it was left alone",
                why="somebody has edited it outside the parts for people, or it is another document",
                fix="--to FILE writes another file, --force replaces this one",
            )
        names = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
        return next(name for name in names if not self._is_foreign(incident, name))

    def _is_foreign(self, incident: Incident, path: Path) -> bool:
        """Whether the file holds another text than maestro ever wrote for this incident."""
        data = _content(path)
        if data is None or hashlib.sha256(data).hexdigest() in self._known(incident, "sha256"):
            return False
        return not self._is_ours(incident, data)

    def _is_ours(self, incident: Incident, data: bytes) -> bool:
        """Whether only the parts for people differ from what maestro wrote."""
        own = skeleton(data.decode("utf-8", "replace"))
        return own is not None and own in self._known(incident, "skeleton")

    def _known(self, incident: Incident, name: str) -> set[str]:
        events = self._journal.events(subject=incident.subject, kinds=("incident.postmortem_written",))
        return {event.data[name] for event in events if event.data.get(name)}

    def last_markdown(self, incident_ref: str) -> Path | None:
        """Where the Markdown was written last; None when it never was. Raises NotFound."""
        incident = find_incident(self._journal, incident_ref)
        events = self._journal.events(subject=incident.subject, kinds=("incident.postmortem_written",))
        paths = [event.data["path"] for event in events if event.data.get("skeleton")]
        return Path(str(paths[-1])) if paths else None

    def written_by_people(self, incident_ref: str, path: Path) -> Mapping[str, str] | None:
        """What stands in the parts for people of the file at `path`; None when it is not maestro's file.

        Raises NotFound for an unknown incident, ActionFailed for a file that cannot be read.
        """
        data = _content(path)
        if data is None or not self._is_ours(find_incident(self._journal, incident_ref), data):
            return None
        return parts(data.decode("utf-8", "replace"))

    def write(self, incident_ref: str, path: Path, *, afresh: bool = False) -> PostMortemFile:
        """Render to a file, whole or not at all, with what people wrote in it before unless `afresh`.

        Raises NotFound, ActionFailed.
        """
        written = None if afresh else self.written_by_people(incident_ref, path)
        text = self.render(incident_ref, written)
        return self.keep(incident_ref, path, text, to_fill=sections_to_fill(text))

    def keep(self, incident_ref: str, path: Path, text: str, *, to_fill: int) -> PostMortemFile:
        """Record a text and put it into its file; raises NotFound, ActionFailed."""
        incident = find_incident(self._journal, incident_ref)
        data = text.encode("utf-8", "replace")
        sha256 = hashlib.sha256(data).hexdigest()
        self._journal.append(
            "incident.postmortem_written",
            incident.subject,
            self._actor,
            {
                "incident": incident.id,
                "path": capped(str(path.absolute())),
                "sha256": sha256,
                "skeleton": skeleton(data.decode("utf-8", "replace")),
                "costs": _rates(self._costs),
            },
        )
        try:
            write_atomically(path, data, durable=True)
        except OSError as error:
            raise _unwritable(path, error) from error
        return PostMortemFile(path, sha256, to_fill)

    def keep_picture(self, path: Path, picture: str) -> None:
        """Put a picture of the document into its file; raises ActionFailed."""
        try:
            write_atomically(path, picture)
        except OSError as error:
            raise _unwritable(path, error) from error


def _rates(costs: Responders) -> dict[str, object]:
    """The figures that were given, with their currency; empty when none was."""
    given = {
        "hourly_rate": costs.hourly_rate,
        "value_per_request": costs.value_per_request,
        "replica_hourly_rate": costs.replica_hourly_rate,
    }
    known: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    return known | {"currency": costs.currency} if known else {}


def _recorded_costs(entries: Sequence[Entry]) -> Responders:
    """The figures that the post-mortem was last written with, for where the context gives none any more."""
    for entry in reversed(entries):
        if entry.kind == "incident.postmortem_written" and entry.data.get("costs"):
            return Responders(**entry.data["costs"])
    return Responders()


def _content(path: Path) -> bytes | None:
    """What is in the file, None where there is none; never waits. Raises ActionFailed."""
    try:
        with open_file(path) as stream:
            data = stream.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unwritable(path, error) from error
    if len(data) > _MAX_FILE_BYTES:
        raise _unwritable(path, OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path)))
    return data


def _unwritable(path: Path, error: OSError) -> ActionFailed:
    return ActionFailed(
        f"the post-mortem could not be written to {path}",
        why=unusable(path, error),
        fix="choose another place: --to FILE",
    )


def _replicas(entries: Sequence[Entry]) -> int | None:
    for entry in reversed(entries):
        if entry.kind == "incident.evidence" and entry.data["kind"] == "pods" and entry.data["ok"]:
            total = entry.data["facts"].get("total")
            return total if isinstance(total, int) else None
    return None

"""Maintenance that was declared and approved by people, in the journal; beside that of files.

Events have the subject `exclusion/ID`: `exclusion.added` (the exclusion, and as whom the cluster knows who
added it), `exclusion.approved` (by its actor) and `exclusion.withdrawn` (why). Invariant: what is recorded
when it was declared is when it was; whoever approves is neither its owner nor who added it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import GateNotMet, NotFound, PolicyRefused
from maestro_cli.core.people import Who, is_same_person, why_no_second
from maestro_cli.journal.model import Event
from maestro_cli.journal.store import Journal
from maestro_cli.slo.files.exclusions import ExclusionSpec, Maintenance, maintenance_of, new_maintenance

_SUBJECT = "exclusion/"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One exclusion of the journal as it stands; `withdrawn` says why it counts no more, "" while it does."""

    maintenance: Maintenance
    added_by: Who
    withdrawn: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """An exclusion, and in words whether it counts from its first time on."""

    maintenance: Maintenance
    standing: str


def recorded(journal: Journal) -> tuple[Recorded, ...]:
    """Every one that was ever added, in that order."""
    return tuple(_folded(journal.events(subject=_SUBJECT)).values())


def in_force(journal: Journal) -> tuple[Maintenance, ...]:
    """Those that were not withdrawn."""
    return tuple(one.maintenance for one in recorded(journal) if not one.withdrawn)


def add(journal: Journal, spec: ExclusionSpec, who: Who, taken: Collection[str] = ()) -> Recorded:
    """Declare one now; `taken` are ids of files. Raises InvalidFile, GateNotMet for an id that is taken."""
    own = undeclared(spec)
    new_maintenance(own, "the exclusion")
    with journal.transaction() as transaction:
        known = transaction.query("SELECT 1 FROM events WHERE subject = ?", (_SUBJECT + spec.id,))
        if known or spec.id in taken:
            raise GateNotMet(f"there is an exclusion {spec.id!r} already", fix="give it another id")
        data = {"exclusion": plain(msgspec.structs.asdict(own)), "identity": who.identity}
        transaction.append("exclusion.added", _SUBJECT + spec.id, who.name, data)
    return named(journal, spec.id)


def approve(journal: Journal, id_: str, who: Who) -> Recorded:
    """Approve one as somebody else. Raises NotFound, GateNotMet, PolicyRefused."""
    one = _open(journal, id_)
    owner = one.maintenance.owner
    why = f"you are {who.name}, its owner" if is_same_person(owner, who.name) else ""
    why = why or why_no_second(one.added_by, who)
    if why:
        raise PolicyRefused(
            f"exclusion {id_} has to be approved by somebody else", why=why,
            fix="ask a second person, with a name and credentials of their own",
        )  # fmt: skip
    if one.maintenance.approved_by:
        raise GateNotMet(f"exclusion {id_} is approved already", why=f"by {one.maintenance.approved_by}")
    journal.append("exclusion.approved", _SUBJECT + id_, who.name, {"identity": who.identity})
    return named(journal, id_)


def withdraw(journal: Journal, id_: str, who: Who, why: str) -> Recorded:
    """Take one back: it counts no more, not even for what is past. Raises NotFound and GateNotMet."""
    _open(journal, id_)
    journal.append("exclusion.withdrawn", _SUBJECT + id_, who.name, {"why": why})
    return named(journal, id_)


def named(journal: Journal, id_: str) -> Recorded:
    """Raises NotFound."""
    found = _folded(journal.events(subject=_SUBJECT + id_)).get(id_)
    if found is None:
        raise NotFound(f"the journal has no exclusion {id_!r}", fix="maestro slo exclude list")
    return found


def undeclared(spec: ExclusionSpec) -> ExclusionSpec:
    """Without what the journal says itself: when it was declared, and who approved it."""
    return msgspec.structs.replace(spec, declared="", approved_by="")


def _open(journal: Journal, id_: str) -> Recorded:
    found = named(journal, id_)
    if found.withdrawn:
        raise GateNotMet(f"exclusion {id_} was withdrawn", why=found.withdrawn, fix="add another one")
    return found


def _folded(events: Iterable[Event]) -> dict[str, Recorded]:
    found: dict[str, Recorded] = {}
    for event in events:
        id_, place = event.subject.removeprefix(_SUBJECT), f"{event.seq}:{event.hash}"
        if event.kind == "exclusion.added":
            found[id_] = _added(event, place)
            continue
        one = found[id_]
        if event.kind == "exclusion.approved":
            approved = replace(one.maintenance, approved_by=event.actor, journal=place)
            found[id_] = replace(one, maintenance=approved)
        elif event.kind == "exclusion.withdrawn":
            found[id_] = replace(one, withdrawn=f"{event.actor}: {event.data['why']}")
    return found


def _added(event: Event, place: str) -> Recorded:
    data: Any = event.data
    spec = msgspec.convert(data["exclusion"], ExclusionSpec)
    where = f"journal, event {event.seq}"
    maintenance = replace(
        maintenance_of(spec, where), declared_at=from_rfc3339(event.time), origin=where, journal=place
    )
    return Recorded(maintenance, Who(event.actor, data["identity"]))

"""Maintenance that was declared and approved by people, in the journal; beside that of files.

Events have the subject `exclusion/ID`: `exclusion.added` (the exclusion, and as whom the cluster knows who
added it), `exclusion.approved` (by its actor) and `exclusion.withdrawn` (why). Invariant: what is recorded
when it was declared is when it was; whoever approves is neither its owner nor who added it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass, replace

import msgspec

from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import GateNotMet, NotFound, PolicyRefused
from maestro_cli.core.people import Who, is_same_person, why_no_second
from maestro_cli.journal.store import Journal, Transaction
from maestro_cli.slo.exclusion_rows import SUBJECT
from maestro_cli.slo.files.exclusions import ExclusionSpec, Maintenance, maintenance_of, new_maintenance

_NAMED = "SELECT * FROM exclusions WHERE id = ?"


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
    return tuple(map(_recorded, journal.query("SELECT * FROM exclusions ORDER BY seq")))


def in_force(journal: Journal) -> tuple[Maintenance, ...]:
    """Those that were not withdrawn."""
    return tuple(one.maintenance for one in recorded(journal) if not one.withdrawn)


def add(journal: Journal, spec: ExclusionSpec, who: Who, taken: Collection[str] = ()) -> Recorded:
    """Declare one now; `taken` are ids of files. Raises InvalidFile, GateNotMet for an id that is taken."""
    own = undeclared(spec)
    new_maintenance(own, "the exclusion")
    with journal.transaction() as transaction:
        known = transaction.query(_NAMED, (spec.id,))
        if known or spec.id in taken:
            raise GateNotMet(f"there is an exclusion {spec.id!r} already", fix="give it another id")
        data = {"exclusion": plain(msgspec.structs.asdict(own)), "identity": who.identity}
        transaction.append("exclusion.added", SUBJECT + spec.id, who.name, data)
    return named(journal, spec.id)


def approve(journal: Journal, id_: str, who: Who) -> Recorded:
    """Approve one as somebody else. Raises NotFound, GateNotMet, PolicyRefused."""
    with journal.transaction() as transaction:
        one = _open(transaction, id_)
        owner = one.maintenance.owner
        why = f"you are {who.name}, its owner" if is_same_person(owner, who.name) else ""
        why = why or why_no_second(one.added_by, who)
        if why:
            raise PolicyRefused(
                f"exclusion {id_} has to be approved by somebody else", why=why,
                fix="ask a second person, with a name and credentials of their own",
            )  # fmt: skip
        if one.maintenance.is_approved:
            raise GateNotMet(f"exclusion {id_} is approved already", why=f"by {one.maintenance.approved_by}")
        transaction.append("exclusion.approved", SUBJECT + id_, who.name, {"identity": who.identity})
    return named(journal, id_)


def withdraw(journal: Journal, id_: str, who: Who, why: str) -> Recorded:
    """Take one back: it counts no more, not even for what is past. Raises NotFound and GateNotMet."""
    with journal.transaction() as transaction:
        _open(transaction, id_)
        transaction.append("exclusion.withdrawn", SUBJECT + id_, who.name, {"why": why})
    return named(journal, id_)


def named(journal: Journal | Transaction, id_: str) -> Recorded:
    """Raises NotFound."""
    found = journal.query(_NAMED, (id_,))
    if not found:
        raise NotFound(f"the journal has no exclusion {id_!r}", fix="maestro slo exclude list")
    return _recorded(found[0])


def undeclared(spec: ExclusionSpec) -> ExclusionSpec:
    """Without what the journal says itself: when it was declared, and who approved it."""
    return msgspec.structs.replace(spec, declared="", approved_by="")


def _open(journal: Transaction, id_: str) -> Recorded:
    found = named(journal, id_)
    if found.withdrawn:
        raise GateNotMet(f"exclusion {id_} was withdrawn", why=found.withdrawn, fix="add another one")
    return found


def _recorded(row: sqlite3.Row) -> Recorded:
    spec = msgspec.json.decode(row["spec"], type=ready(ExclusionSpec))
    where = f"journal, event {row['seq']}"
    maintenance = replace(
        maintenance_of(spec, where),
        declared_at=from_rfc3339(row["declared_at"]),
        approved_by=row["approved_by"],
        origin=where,
        journal=row["last"],
    )
    return Recorded(maintenance, Who(row["added_by"], row["identity"]), row["withdrawn"])

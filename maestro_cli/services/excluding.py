"""Maintenance of a context: declared, approved and withdrawn in its journal, and read with that of its files.

Invariant: an id is one exclusion; that of a file goes before one of the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.core.errors import InvalidFile, NotFound, UsageError
from maestro_cli.core.people import Who
from maestro_cli.slo import recorded
from maestro_cli.slo.files.exclusions import ExclusionSpec, Maintenance, read_exclusions, uncontested
from maestro_cli.slo.recorded import Recorded, Shown

if TYPE_CHECKING:
    from maestro_cli.services.changing import ChangeServices


_EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def exclusions_of(services: ChangeServices) -> tuple[Maintenance, ...]:
    """Those of the context's files and of its journal. Raises InvalidFile, and what the journal raises."""
    files = read_exclusions(map(Path, services.context.exclusions))
    taken = {one.id for one in files}
    if not services.journal_path.exists():
        return files
    return (*files, *(one for one in recorded.in_force(services.journal) if one.id not in taken))


def every_exclusion(services: ChangeServices) -> tuple[Shown, ...]:
    """All there are, also those that were withdrawn."""
    files = read_exclusions(map(Path, services.context.exclusions))
    every = exclusions_of(services)
    found = [Shown(one, _standing(one, every)) for one in files]
    if services.journal_path.exists():
        found += [_shown(one, every) for one in recorded.recorded(services.journal)]
    return tuple(found)


def add_exclusion(services: ChangeServices, spec: ExclusionSpec) -> Shown:
    """Raises UsageError for what cannot be, NotFound for an objective that is not there, GateNotMet."""
    known = services.objectives
    for name in spec.objectives:
        if name not in known:
            raise NotFound(f"there is no objective {name!r}", fix="maestro slo list")
    taken = {one.id for one in read_exclusions(map(Path, services.context.exclusions))}
    try:
        one = recorded.add(services.journal, spec, _me(services), taken)
    except InvalidFile as error:
        what = error.what.removeprefix(f"{error.where}: ").removeprefix(f"{error.key}: ")
        raise UsageError(f"{error.key or 'it'} {what}", fix=error.fix) from error
    return _shown(one, exclusions_of(services))


def approve_exclusion(services: ChangeServices, id_: str) -> Shown:
    """Raises NotFound, GateNotMet, PolicyRefused."""
    return _shown(recorded.approve(services.journal, id_, _me(services)), exclusions_of(services))


def withdraw_exclusion(services: ChangeServices, id_: str, why: str) -> Shown:
    """Raises NotFound and GateNotMet."""
    return _shown(recorded.withdraw(services.journal, id_, _me(services), why), ())


def _me(services: ChangeServices) -> Who:
    from maestro_cli.changes.approvals import identity_of

    return Who(services.actor, identity_of(services))


def _shown(one: Recorded, every: Sequence[Maintenance]) -> Shown:
    if one.withdrawn:
        return Shown(one.maintenance, f"withdrawn by {one.withdrawn}")
    return Shown(one.maintenance, _standing(one.maintenance, every))


def _standing(one: Maintenance, every: Sequence[Maintenance]) -> str:
    """By its first time: what is declared before it begins counts, as far as all there is leaves room.

    One for all objectives is looked at for each that some maintenance names, and for one that none does.
    """
    first = next(one.between(*_EVER), None)
    if first is None or one.is_approved:
        return "counts"
    names = one.objectives or ("", *sorted({name for other in every for name in other.objectives}))
    alone = uncontested(every, *first, names)
    without = [name for name in names if (one.id, first[0]) not in alone[name]]
    if not without:
        return "counts"
    if one.is_large:
        return "waits for approval: it takes more than a tenth of a month"
    if one.declared_at is not None and one.declared_at <= first[0]:
        waits = "waits for approval" if len(without) == len(names) else _for_some(without)
        return f"{waits}: with what was declared before, it takes more than a tenth of a month"
    return "waits for approval" + (", for what began before it was declared" if one.rule else "")


def _for_some(names: Sequence[str]) -> str:
    """`""` is any that no maintenance names, and loses no more than each of the others."""
    return f"counts, but not for {', '.join(filter(None, names))} without approval"

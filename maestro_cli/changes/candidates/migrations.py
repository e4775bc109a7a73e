"""Migrations that cannot be gone back on. Invariant: what the goal itself has been through is not crossed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maestro_cli.changes.model import Risk
from maestro_cli.core.facts.cluster import Revision, Workload
from maestro_cli.core.untrusted import visible

IRREVERSIBLE = "maestro.io/irreversible-migration"
ACCEPT = "irreversible-migration"


def crossed_migrations(workload: Workload, revisions: Sequence[Revision], goal: Revision) -> tuple[Risk, ...]:
    """The risk of leaving or skipping a revision that is marked, on its template or on itself.

    The mark's value names the migration: annotations are inherited by the releases after it, and from one of
    them to another nothing is crossed.
    """
    came_later = [one for one in revisions if goal.number < one.number <= workload.revision]
    crossed = {
        name: one.number
        for one in sorted(came_later, key=lambda one: one.number, reverse=True)
        for name in marks_of(one)
    }
    left = {name: number for name, number in crossed.items() if name not in marks_of(goal)}
    if not left:
        return ()
    named = ", ".join(f"revision {number} ({visible(name, 80)})" for name, number in sorted(left.items()))
    return (
        Risk(
            ACCEPT,
            f"going to revision {goal.number} crosses a migration that cannot be undone",
            f"{IRREVERSIBLE} is set on {named}; what ran before may not work with what it migrated",
            two_person=True,
        ),
    )


def marks_of(revision: Revision) -> frozenset[str]:
    """The migrations that a revision names."""
    meta = revision.template.get("metadata")
    own: Any = meta.get("annotations") if isinstance(meta, Mapping) else None
    found = {str((annotations or {}).get(IRREVERSIBLE, "")) for annotations in (own, revision.annotations)}
    return frozenset(found - {"", "false"})

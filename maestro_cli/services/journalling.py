"""The journal of a context: opened for writing, or for reading where that is all one may do.

Invariant: that it can only be read is said once, to whoever reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.output.diagnostics import note

if TYPE_CHECKING:
    from maestro_cli.journal.model import Verification
    from maestro_cli.journal.store import Journal
    from maestro_cli.services.backends import Backends


def open_journal(services: Backends) -> Journal:
    from maestro_cli.journal.store import Journal

    journal = Journal(
        services.journal_path,
        projections=services.projections,
        clock=services.clock,
        redactor=services.redactor,
    )
    _tell(services, journal.why_read_only)
    return journal


def verify_journal(services: Backends, anchor: str | None) -> Verification:
    """Raises NotFound, InvalidFile, and UsageError for an anchor that is none."""
    from maestro_cli.journal.reading import why_unwritable
    from maestro_cli.journal.verification import parse_anchor, verify

    head = parse_anchor(anchor) if anchor is not None else None
    _tell(services, why_unwritable(services.journal_path))
    return verify(services.journal_path, services.projections, anchor=head)


def _tell(services: Backends, why: str) -> None:
    if why:
        note(f"the journal of {services.context_name} is read-only: no change can be made; {why}")

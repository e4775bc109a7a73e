"""The journal as views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maestro_cli.core.canonical import canonical_json
from maestro_cli.output.views import Column, Fields, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.journal.model import Event, Finding, Verification


def events_view(events: Sequence[Event]) -> Listing[Event]:
    """Events in order; JSON has every field, data included."""
    columns: tuple[Column[Event], ...] = (
        Column("seq", lambda event: str(event.seq), right=True),
        Column("time", lambda event: event.time[:23] + "Z", priority=1),
        Column("kind", lambda event: event.kind, priority=1),
        Column("subject", lambda event: event.subject),
        Column("actor", lambda event: event.actor, priority=3),
        Column("data", lambda event: _short(canonical_json(event.data))),
        Column("hash", lambda event: event.hash[:16], wide=True),
    )
    return Listing("journal/v1", columns, events, empty="nothing has been recorded in this context")


def _short(text: str, limit: int = 120) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def verification_view(path: str, verification: Verification) -> Report:
    """Intact or not, and each finding; JSON has `intact`, `events`, `head`, `findings`."""
    word = "intact" if verification.intact else "NOT intact"
    rows: list[tuple[str, object]] = [
        ("journal", word),
        ("file", path),
        ("events", str(verification.events)),
        ("head", f"{verification.head.seq}:{verification.head.hash}"),
    ]
    columns: tuple[Column[Finding], ...] = (
        Column("seq", lambda finding: str(finding.seq), right=True),
        Column("problem", lambda finding: finding.problem, tone=lambda _: "bad", priority=1, folds=True),
        Column("detail", lambda finding: finding.detail, priority=1, folds=True),
    )
    document = {
        "intact": verification.intact,
        "file": path,
        "events": verification.events,
        "head": verification.head,
        "findings": verification.findings,
    }
    findings = Listing("journal-findings/v1", columns, verification.findings)
    blocks = (Fields(rows),) if verification.intact else (Fields(rows), findings)
    return Report("journal-verification/v1", document, blocks)

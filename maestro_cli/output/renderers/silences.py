"""Silences as views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.matchers import matchers_text
from maestro_cli.output.views import Column, Listing

if TYPE_CHECKING:
    from maestro_cli.core.facts.alerts import Silence


def silences_view(silences: Sequence[Silence]) -> Listing[Silence]:
    """By when they end."""
    columns: tuple[Column[Silence], ...] = (
        Column("silence", lambda silence: silence.id),
        Column("state", lambda silence: silence.state, tone=_tone, priority=1),
        Column("alerts", lambda silence: matchers_text(silence.matchers), priority=1),
        Column("until", lambda silence: silence.ends_at),
        Column("by", lambda silence: silence.created_by, priority=3),
        Column("comment", lambda silence: silence.comment, wide=True),
    )
    return Listing("silence-list/v1", columns, silences, document=_document, empty="nothing is silenced")


def _tone(silence: Silence) -> str:
    return "dim" if silence.is_over else "warn"


def _document(silence: Silence) -> dict[str, Any]:
    return {
        "id": silence.id,
        "state": silence.state,
        "matchers": [str(matcher) for matcher in silence.matchers],
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "created_by": silence.created_by,
        "comment": silence.comment,
    }

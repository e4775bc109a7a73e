"""The revisions that a rollback may go to, as a view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.quantities import format_duration
from maestro_cli.output.renderers.changes import standing_tone
from maestro_cli.output.views import Column, Listing

if TYPE_CHECKING:
    from maestro_cli.changes.candidates.model import Candidate

_SHOWN_PATHS = 3


def candidates_view(candidates: Sequence[Candidate]) -> Listing[Candidate]:
    """The present revision first; `wide` adds what changed, models and incidents, JSON has all of it."""
    columns: tuple[Column[Candidate], ...] = (
        Column("revision", lambda one: one.judged.revision, right=True),
        Column(
            "is", lambda one: "present" if one.is_current else "target" if one.is_target else "", priority=3
        ),
        Column(
            "standing",
            lambda one: one.judged.standing.value,
            tone=lambda one: standing_tone(one.judged),
            priority=1,
        ),
        Column("live", _live, priority=3),
        Column("requests", lambda one: _number(one.requests, ".0f"), right=True),
        Column("errors", lambda one: _number(one.error_ratio, ".2%"), right=True),
        Column("p95", lambda one: _number(_milliseconds(one), ".0f", " ms"), right=True),
        Column("burn", lambda one: _number(one.burn, ".1f"), right=True),
        Column("why", lambda one: one.judged.reason, priority=1, folds=True),
        Column("accuracy", lambda one: _number(one.accuracy, ".2%"), wide=True, right=True),
        Column("until", lambda one: one.track.lives[-1][1] if one.track else None, wide=True),
        Column("image", lambda one: ", ".join(one.images), wide=True),
        Column("models", lambda one: ", ".join(one.models), wide=True),
        Column("incidents", lambda one: ", ".join(item.incident for item in one.troubles), wide=True),
        Column("verified by", lambda one: one.verified_by, wide=True),
        Column("cause", lambda one: one.change_cause, wide=True),
        Column("against the present", _differences, wide=True),
    )
    empty = "the workload keeps no revision"
    return Listing("rollback-candidates/v1", columns, candidates, document=candidate_document, empty=empty)


def candidate_document(one: Candidate) -> dict[str, Any]:
    """Counts are events, shares 0 to 1; what was not measured is null."""
    track = one.track
    return {
        "revision": one.judged.revision,
        "standing": one.judged.standing.value,
        "reason": one.judged.reason,
        "is_current": one.is_current,
        "is_target": one.is_target,
        "lives": [] if track is None else [{"from": begin, "to": end} for begin, end in track.lives],
        "answered_seconds": None if track is None else track.answering_seconds,
        "requests": one.requests,
        "error_ratio": one.error_ratio,
        "p95_seconds": one.p95_seconds,
        "burn": one.burn,
        "accuracy": one.accuracy,
        "objectives": [] if track is None else [plain(kept) for kept in track.kept],
        "images": list(one.images),
        "models": list(one.models),
        "change_cause": one.change_cause,
        "verified_by": one.verified_by or None,
        "incidents": [plain(item) for item in one.troubles],
        "changes": [{"path": path, "present": present, "then": then} for path, present, then in one.differs],
    }


def _live(one: Candidate) -> str:
    if one.track is None:
        return ""
    again = f" in {len(one.track.lives)} times" if len(one.track.lives) > 1 else ""
    return format_duration(one.track.live_seconds) + again


def _milliseconds(one: Candidate) -> float | None:
    return None if one.p95_seconds is None else one.p95_seconds * 1000


def _number(value: float | None, how: str, unit: str = "") -> str:
    return "" if value is None else f"{value:{how}}{unit}"


def _differences(one: Candidate) -> str:
    shown = [
        f"{path}: {'nothing' if present is None else present} → {'nothing' if then is None else then}"
        for path, present, then in one.differs[:_SHOWN_PATHS]
    ]
    more = len(one.differs) - len(shown)
    return "; ".join([*shown, *([f"{more} more"] if more else [])])

"""Differences between rules as a view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.output.views import Column, Listing

if TYPE_CHECKING:
    from maestro_cli.slo.rules.difference import Difference


def differences_view(found: Sequence[Difference]) -> Listing[Difference]:
    """What is missing, extra or different; an empty one is what should be."""
    columns: tuple[Column[Difference], ...] = (
        Column("rule", lambda one: one.name, priority=0),
        Column("objective", lambda one: one.objective, priority=1),
        Column("window", lambda one: one.window, priority=3),
        Column("is", lambda one: one.verdict.value, tone=lambda _: "bad", priority=0),
        Column("what", lambda one: one.what, priority=1),
        Column("should be", lambda one: one.wanted, priority=2, folds=True),
        Column("loaded", lambda one: one.loaded, priority=2, folds=True),
        Column("place", lambda one: one.place, wide=True),
    )
    return Listing(
        "slo-rules-diff/v1", columns, found, document=_document, empty="what is loaded is what should be"
    )


def _document(one: Difference) -> dict[str, Any]:
    return {
        "verdict": one.verdict.value, "kind": one.kind, "rule": one.name, "objective": one.objective,
        "window": one.window, "what": one.what, "wanted": one.wanted, "loaded": one.loaded,
        "place": one.place,
    }  # fmt: skip

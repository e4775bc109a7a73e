"""An item and the context that it is from. Invariant: its id is unique over contexts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maestro_cli.output.views import Column


@dataclass(frozen=True, slots=True)
class Sited:
    context: str
    key: str
    item: Any
    is_stale: bool

    @property
    def id(self) -> str:
        return f"{self.context}\n{self.key}"  # no name of a context has a line break


def site_columns(columns: Sequence[Column[Any]], *, with_context: bool) -> tuple[Column[Any], ...]:
    """The columns of items as columns of sited items; the context first where there are several."""
    first = (Column[Any]("context", lambda one: one.context),) if with_context else ()
    return (*first, *(_of_item(one) for one in columns if not one.wide))


def _of_item(column: Column[Any]) -> Column[Any]:
    cell, tone = column.cell, column.tone
    return replace(
        column,
        cell=lambda one: cell(one.item),
        tone=None if tone is None else _tone_of_item(tone),
    )


def _tone_of_item(tone: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda one: tone(one.item)

"""Items of several contexts in one table. Invariant: an id is unique over contexts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from maestro_cli.output.views import Column
from maestro_cli.tui.swatches import swatch_tone


@dataclass(frozen=True, slots=True)
class Sited:
    """An item, and the context that it is from."""

    context: str
    key: str
    item: Any
    is_stale: bool

    @property
    def id(self) -> str:
        return f"{self.context}\n{self.key}"  # no name of a context has a line break


def sited_columns(
    columns: Sequence[Column[Any]],
    colour: Callable[[str], str] | None = None,
    *,
    has_context: bool = True,
) -> tuple[Column[Any], ...]:
    """The columns of items as columns of sited items, with the context first unless there is one alone, on
    its `colour` where that is told."""
    tone = None if colour is None else lambda one: swatch_tone(colour(one.context))
    context = Column[Any]("context", lambda one: one.context, tone=tone)
    return (*((context,) if has_context else ()), *(one.of(_item) for one in columns))


def _item(sited: Sited) -> Any:
    return sited.item

"""What a command shows, before any format is chosen.

Invariant: every view has a schema and a JSON document; cells are text that may come from an attacker
and are made visible by the writer, never before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar, cast

from maestro_cli.core.canonical import plain

T = TypeVar("T")
SCHEMA_PREFIX = "maestro.dev/"


@dataclass(frozen=True)  # no slots: Python 3.11 cannot call a subscripted slotted generic
class Column(Generic[T]):
    """A titled cell; `tone` names a meaning (good, bad, warn, dim) that colour may underline.

    `priority` says what a narrow terminal keeps: 0 names the row and stays whole, 1 matters most and is cut
    last, 2 is cut and left out before it, 3 is extra, whole or left out first; among equals the right one
    first. None is 0 for the first column and 2 for others. `folds`: prose, which goes on in the lines below.
    `keeps_end`: a line over time, of which the newest end is what stays where it is cut.

    `ages`: what it says of a row goes on with the time while the row stays the same, in these characters; ""
    where it does not. `order` is what the row is sorted by then, which stays too.
    """

    title: str
    cell: Callable[[T], object]
    wide: bool = False
    right: bool = False
    tone: Callable[[T], str] | None = None
    priority: int | None = None
    folds: bool = False
    keeps_end: bool = False
    ages: str = ""
    order: Callable[[T], object] | None = None

    def __post_init__(self) -> None:
        if self.ages and self.order is None:
            raise ValueError(f"the column {self.title} ages, and has no order of its own")

    def of(self, inner: Callable[[Any], T]) -> Column[Any]:
        """The same column, of rows that hold such a row."""
        cell, tone, order = self.cell, self.tone, self.order
        return replace(
            cast("Column[Any]", self),
            cell=lambda row: cell(inner(row)),
            tone=None if tone is None else lambda row: tone(inner(row)),
            order=None if order is None else lambda row: order(inner(row)),
        )


@dataclass(frozen=True)  # no slots: Python 3.11 cannot call a subscripted slotted generic
class Listing(Generic[T]):
    """Rows of one kind; JSON is `{"schema": …, "items": […]}`."""

    schema: str
    columns: Sequence[Column[T]]
    items: Sequence[T]
    document: Callable[[T], Any] = plain
    empty: str = "nothing found"
    is_json: bool = False  # documents are JSON already (no instant, enum or dataclass): written in bulk

    def body(self) -> dict[str, Any]:
        return {"schema": SCHEMA_PREFIX + self.schema, "items": [self.document(i) for i in self.items]}


@dataclass(frozen=True, slots=True)
class Fields:
    """Labelled lines."""

    rows: Sequence[tuple[str, object]]


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Text as it is, line by line."""

    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What a table beside it says, drawn; Markdown leaves it out.

    `svg` draws it for a page; `name` is plain letters. `lines` draws it in so many columns, in colours or
    without, every text made visible; without them a terminal does not show it.
    """

    name: str
    title: str
    svg: Callable[[], str]
    lines: Callable[[int, bool], Sequence[str]] | None = None


Block = Fields | Heading | Lines | Picture | Listing[Any]


@dataclass(frozen=True, slots=True)
class Report:
    """A document of blocks for people, one JSON body for programs; CSV is of `rows`, or of the only table.

    `title` is that of a page; without it the page is named by the schema.
    """

    schema: str
    document: Mapping[str, Any]
    blocks: Sequence[Block] = field(default_factory=tuple)
    rows: Listing[Any] | None = None
    title: str = ""

    def body(self) -> dict[str, Any]:
        content: dict[str, Any] = plain(self.document)
        return {"schema": SCHEMA_PREFIX + self.schema, **content}


View = Listing[Any] | Report

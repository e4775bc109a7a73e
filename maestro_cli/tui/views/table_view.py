"""A list of one kind, in every context of the scope.

Invariant: rows are known by context and key; cursor and marks hold on to those while rows come and go. What
could not be read is grey and says how old it is. A list of one context is shown as it was read, with nothing
made for each row. While the past is compared with now, the rows are the differences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from maestro_cli.core.untrusted import visible
from maestro_cli.output.views import Column
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.messages import Remarked
from maestro_cli.tui.rewind.comparison import Difference
from maestro_cli.tui.screens.model import Moment, Place, TableScreen
from maestro_cli.tui.store.model import Fact, FactKey, Scope, Snapshot
from maestro_cli.tui.views.differing import differing
from maestro_cli.tui.views.filtering import RowFilter
from maestro_cli.tui.views.resting import Resting, rest_of, resume
from maestro_cli.tui.views.sited import Sited, sited_columns
from maestro_cli.tui.views.stale_line import StaleLine
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.fact_table import FactTable
from maestro_cli.tui.widgets.words import SomeLines


class TableView(View):
    """Renders a TableScreen."""

    can_compare = True
    DEFAULT_CSS = "TableView #about { height: auto; max-height: 2; padding: 0 1; text-style: bold; }"

    def __init__(self, screen_: TableScreen, place: Place) -> None:
        super().__init__(screen_, place)
        self._screen = screen_
        self._filter = RowFilter(place.filter)
        self._shown: tuple[Snapshot, datetime] | None = None
        self._drawn: Sequence[Any] = ()
        self._rested: Resting | None = None
        self._about = ""

    def compose(self) -> ComposeResult:
        yield StaleLine()
        if self._screen.about is not None:
            yield SomeLines("", id="about", markup=False)
        yield FactTable()

    def keys(self, scope: Scope) -> frozenset[FactKey]:
        return self._screen.keys(self.place, scope) | self._screen.keys_above(self.place, scope)

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        self._shown = (snapshot, now)
        keys = sorted(self._screen.keys(self.place, snapshot.scope))
        facts = [(key.context, self._screen.fact(snapshot, key)) for key in keys]
        is_past = snapshot.replay_at is not None
        needs, above = self._screen.feed.needs, self._screen.said_above(self.place, snapshot, now)
        self.query_one(StaleLine).show(needs, facts, now, is_past=is_past, above=above)
        self._show_about(visible(self._screen.summary(facts, now), 400))
        if snapshot.against is not None:
            keyed = [(key, snapshot.fact(key)) for key in keys]
            self._show_differences(keyed, snapshot.against, Moment(now, snapshot.scope, ""), snapshot.colour)
        elif len(facts) == 1:
            self._show_one(*facts[0], Moment(now, snapshot.scope, facts[0][0]))
        else:
            self._show_several(facts, snapshot, now)

    def _show_about(self, text: str) -> None:
        if text != self._about:
            self._about = text
            self.query_one("#about", Static).update(Text(text))

    def _show_one(self, context: str, fact: Fact, moment: Moment) -> None:
        columns, items, total = self._read(fact, moment)
        self._draw(columns, items, total, self._screen.key, lambda item: fact.is_stale, fact.is_known)

    def _show_several(self, facts: Sequence[tuple[str, Fact]], snapshot: Snapshot, now: datetime) -> None:
        sited: list[Sited] = []
        columns: Sequence[Column[Any]] = ()
        total = 0
        for context, fact in facts:
            columns, items, count = self._read(fact, Moment(now, snapshot.scope, context))
            total += count
            sited += [Sited(context, self._screen.key(item), item, fact.is_stale) for item in items]
        is_known = all(fact.is_known for _, fact in facts)
        placed = sited_columns(columns, snapshot.colour)
        self._draw(placed, sited, total, lambda one: one.id, lambda one: one.is_stale, is_known)

    def _show_differences(
        self,
        facts: Sequence[tuple[FactKey, Fact]],
        against: Mapping[FactKey, Fact],
        at: Moment,
        colour: Callable[[str], str],
    ) -> None:
        found = differing(self._screen, facts, against, at, self._filter)
        self._empty = "nothing differs"
        columns = sited_columns(found.columns, colour, has_context=len(facts) > 1)
        self._draw(
            columns, found.rows, found.total, lambda one: one.id, lambda one: one.is_stale, found.is_known
        )

    def _items(self, fact: Fact) -> Sequence[Any]:
        """All of them; some, which the line above says, while the rest is read for the first time."""
        known = fact.data if fact.is_known else fact.begun
        return () if known is None else self._screen.rows(known)

    def _read(self, fact: Fact, moment: Moment) -> tuple[Sequence[Column[Any]], Sequence[Any], int]:
        """The columns, the rows that match the filter, and how many there are."""
        items = self._items(fact)
        listing = self._screen.listing(items, moment)
        self._empty = listing.empty
        kept = self._filter.kept(listing, moment, self._screen.key, self._screen.labels)
        return listing.columns, kept, len(items)

    def _draw(
        self,
        columns: Sequence[Column[Any]],
        items: Sequence[Any],
        total: int,
        key: Callable[[Any], str],
        stale: Callable[[Any], bool],
        is_known: bool,
    ) -> None:
        if items is not self._drawn:
            for item in items:
                key(item)  # raises here for a row that has none, before the table holds it
            self._drawn = items
        empty = "not known" if not is_known else "nothing matches" if total else self._empty
        table = self.query_one(FactTable)
        table.show(columns, items, key, stale=stale, empty=empty)
        if self._rested is not None and is_known:
            rested, self._rested = self._rested, None
            resume(table, rested)
        self.post_message(self.CountChanged(len(items), total))

    def rest(self) -> object:
        """What is chosen; what was before it, while its rows are not there yet."""
        return self._rested or (None if self._shown is None else rest_of(self.query_one(FactTable)))

    def resume(self, rested: object) -> None:
        if isinstance(rested, Resting):
            self._rested = rested

    def targets(self) -> tuple[Target, ...]:
        if self._shown is None:
            return ()  # its table may not be there yet
        table = self.query_one(FactTable)
        chosen = table.marked or ((table.cursor_key,) if table.cursor_key is not None else ())
        found = (table.item(key) for key in chosen)
        return tuple(self._target(one) for one in found if one is not None)

    def _target(self, row: Any) -> Target:
        if isinstance(row, Sited):
            item = row.item.item if isinstance(row.item, Difference) else row.item
            return self._screen.target(item, replace(self.place, context=row.context))
        context = self.place.context or (self._shown[0].scope.context if self._shown else "")
        return self._screen.target(row, replace(self.place, context=context))

    def unmark(self) -> bool:
        if self._shown is None:
            return False
        table = self.query_one(FactTable)
        has_any = bool(table.marked)
        table.action_unmark()
        return has_any

    def set_filter(self, text: str) -> None:
        self._filter = self._filter.typed_on(text)
        if self._shown is not None:
            self.show(*self._shown)

    @on(FactTable.CursorMoved)
    def cursor_moved(self, event: FactTable.CursorMoved) -> None:
        """Nobody above asks for it, and each who is told of a key makes the next one wait."""
        event.stop()

    @on(FactTable.RowOpened)
    def open_row(self, event: FactTable.RowOpened) -> None:
        row = event.table.item(event.key)
        if row is None:
            return
        target = self._target(row)
        place = None if self._screen.opens is None else self._screen.opens(target)
        if place is not None:
            self.post_message(self.Opened(place))
        else:
            self.post_message(Remarked(self._screen.says(target)))

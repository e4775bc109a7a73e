"""A list of one kind, in every context of the scope.

Invariant: rows are known by context and key; cursor and marks hold on to those while rows come and go. What
could not be read is grey and says how old it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from textual import on
from textual.app import ComposeResult

from maestro_cli.output.views import Column
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.screens.model import Moment, Place, TableScreen
from maestro_cli.tui.store.model import FactKey, Scope, Snapshot
from maestro_cli.tui.views.filtering import parse_filter
from maestro_cli.tui.views.sited import Sited, site_columns
from maestro_cli.tui.views.stale_line import StaleLine
from maestro_cli.tui.views.view import View
from maestro_cli.tui.widgets.fact_table import FactTable


class TableView(View):
    """Renders a TableScreen."""

    def __init__(self, screen_: TableScreen, place: Place) -> None:
        super().__init__(screen_, place)
        self._screen = screen_
        self._filter = parse_filter(place.filter)
        self._rows: dict[str, Sited] = {}
        self._snapshot: Snapshot | None = None

    def compose(self) -> ComposeResult:
        yield StaleLine()
        yield FactTable()

    def keys(self, scope: Scope) -> frozenset[FactKey]:
        argument = self.place.argument or (scope.namespace if self._screen.has_namespace else "")
        contexts = (self.place.context,) if self.place.context else scope.contexts
        return frozenset(self._screen.feed.of(context, argument) for context in contexts)

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        """Draw again what has changed."""
        self._snapshot = snapshot
        keys = sorted(self.keys(snapshot.scope))
        facts = [(key.context, snapshot.fact(key)) for key in keys]
        self.query_one(StaleLine).show(self._screen.feed.needs, facts, now)
        sited: list[Sited] = []
        columns: Sequence[Column[Any]] = ()
        total = 0
        for context, fact in facts:
            items = self._screen.rows(fact.data) if fact.is_known else ()
            listing = self._screen.listing(items, Moment(now, snapshot.scope, context))
            total += len(items)
            kept = self._filter.kept(listing, self._screen.labels)
            columns = columns or listing.columns
            sited += [Sited(context, self._screen.key(item), item, fact.is_stale) for item in kept]
        self._rows = {one.id: one for one in sited}
        self.query_one(FactTable).show(
            site_columns(columns, with_context=len(facts) > 1),
            sited,
            lambda one: one.id,
            stale=lambda one: one.is_stale,
        )
        self.post_message(self.CountChanged(len(sited), total))

    def targets(self) -> tuple[Target, ...]:
        table = self.query_one(FactTable)
        chosen = table.marked or ((table.cursor_key,) if table.cursor_key is not None else ())
        found = (self._rows.get(key) for key in chosen)
        return tuple(self._target(one) for one in found if one is not None)

    def _target(self, row: Sited) -> Target:
        return self._screen.target(row.item, replace(self.place, context=row.context))

    def set_filter(self, text: str) -> None:
        self._filter = parse_filter(text)
        if self._snapshot is not None:
            self.show(self._snapshot, self.app.now())  # type: ignore[attr-defined]

    @on(FactTable.RowOpened)
    def open_row(self, event: FactTable.RowOpened) -> None:
        row = self._rows.get(event.key)
        if row is not None and self._screen.opens is not None:
            self.post_message(self.Opened(self._screen.opens(self._target(row))))

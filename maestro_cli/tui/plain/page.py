"""A place as text: what it is about, what is not fresh, its rows with numbers, or its report.

Invariant: pure. A number stands for the target that was captured when its row was printed, never for what
has taken its place since; drawings are left out, for nobody can read them aloud.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from maestro_cli.core.untrusted import visible
from maestro_cli.output.tables import plain_table
from maestro_cli.output.views import Column, Listing, Report, View
from maestro_cli.output.writer import OutputOptions, emit
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.cells import cell_of
from maestro_cli.tui.plain.forms import form_of
from maestro_cli.tui.rewind.comparison import text_difference
from maestro_cli.tui.screens.model import Moment, OwnScreen, Place, ReportScreen, Screen, TableScreen
from maestro_cli.tui.store.model import UNREAD, Fact, FactKey, Scope, Snapshot
from maestro_cli.tui.views.differing import differing
from maestro_cli.tui.views.filtering import RowFilter
from maestro_cli.tui.views.sited import Sited, sited_columns
from maestro_cli.tui.views.staleness import stale_text

MOST_ROWS = 200  # that are printed at once; a filter finds the others


@dataclass(frozen=True, slots=True)
class Page:
    """`text` is said first, then `report`; `rows` are what the numbers stand for, from 1 on. `about` is what
    actions are about while no row is chosen."""

    text: str
    report: View | None = None
    rows: tuple[Target, ...] = ()
    about: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class _Numbered:
    number: int
    row: Any


def keys_of(screen: Screen, place: Place, scope: Scope) -> frozenset[FactKey]:
    """The facts that a place renders."""
    if isinstance(screen, TableScreen):
        return _row_keys(screen, place, scope) | screen.keys_above(place, scope)
    return _row_keys(screen, place, scope)


def _row_keys(screen: Screen, place: Place, scope: Scope) -> frozenset[FactKey]:
    if isinstance(screen, OwnScreen):
        return form_of(screen).keys(place, scope)
    contexts = (place.context,) if place.context else scope.contexts
    argument = place.argument
    if isinstance(screen, TableScreen) and not argument and screen.has_namespace:
        argument = scope.namespace
    return frozenset(screen.feed.of(context, argument) for context in contexts)


def is_answered(screen: Screen, place: Place, snapshot: Snapshot) -> bool:
    """Whether what is known of a place says something of it, or more is to be waited for."""
    return not isinstance(screen, OwnScreen) or form_of(screen).is_answered(place, snapshot)


def _difference(then: View, now: View | None) -> str:
    """Two reports by their lines, as a command prints them."""
    if now is None:
        return "what it is now is not known"
    return text_difference(*(_lines(one) for one in (then, now))) or "nothing differs"


def _lines(view: View) -> list[str]:
    text = io.StringIO()
    emit(view, OutputOptions(is_plain=True), text)
    return text.getvalue().splitlines()


def page_of(screen: Screen, place: Place, snapshot: Snapshot, now: datetime) -> Page:
    """Raises UsageError for a filter that cannot be read."""
    read = snapshot.fact if isinstance(screen, OwnScreen) else partial(screen.fact, snapshot)
    facts = [(key, read(key)) for key in sorted(_row_keys(screen, place, snapshot.scope))]
    above = screen.said_above(place, snapshot, now) if isinstance(screen, TableScreen) else ()
    head = [head_line(screen, place, snapshot, now), *map(visible, above)]
    for feed in screen.feeds:
        own = [(key.context, fact) for key, fact in facts if key.feed == feed.id]
        head.append(stale_text(feed.needs, own, now, is_past=snapshot.replay_at is not None))
    if isinstance(screen, TableScreen):
        head.append(visible(screen.summary([(key.context, fact) for key, fact in facts], now)))
    text = "\n".join(line for line in head if line)
    if isinstance(screen, TableScreen) and snapshot.against is not None:
        moment = Moment(now, snapshot.scope, "")
        return _differences(screen, place, facts, snapshot.against, moment, text)
    if isinstance(screen, TableScreen):
        return _table(screen, place, facts, Moment(now, snapshot.scope, snapshot.scope.context), text)
    if isinstance(screen, ReportScreen):
        return _report(screen, place, facts[0], snapshot, now, text)
    form = form_of(screen)
    target = form.target(place, snapshot)
    then = form.report(place, snapshot, now)
    if then is not None and snapshot.against is not None:
        today = form.report(place, replace(snapshot, facts=snapshot.against), now)
        return Page(f"{text}\n{_difference(then, today)}")
    return Page(text, then, about=() if target is None else (target,))


def head_line(screen: Screen, place: Place, snapshot: Snapshot, now: datetime) -> str:
    """`Pods. local read-only, prod armed. namespace ml. incident #3.`"""
    scope = snapshot.scope
    contexts = ", ".join(
        f"{one} {'ARMED' if snapshot.is_armed(one, now) else 'read-only'}" for one in scope.contexts
    )
    parts = [f"{screen.title} {place.argument}".strip(), contexts]
    parts.append(f"namespace {scope.namespace}" if scope.namespace else "all namespaces")
    if scope.incident:
        parts.append(f"incident {scope.incident}")
    if place.filter:
        parts.append(f"filter {place.filter}")
    if snapshot.replay_at is not None:
        what = "as it was at" if snapshot.against is None else "what differs now from"
        parts.append(f"{what} {snapshot.replay_at.astimezone():%H:%M:%S %Z}")
    return ". ".join(parts) + "."


def _table(
    screen: TableScreen,
    place: Place,
    facts: Sequence[tuple[FactKey, Fact]],
    moment: Moment,
    head: str,
) -> Page:
    wanted = RowFilter(place.filter)
    columns: Sequence[Column[Any]] = ()
    sited: list[Sited] = []
    total, empty = 0, ""
    for key, fact in facts:
        items = screen.rows(fact.data) if fact.is_known else ()
        there = replace(moment, context=key.context)
        listing = screen.listing(items, there)
        columns, empty, total = listing.columns, listing.empty, total + len(items)
        kept = wanted.kept(listing, there, screen.key, screen.labels)
        sited += [Sited(key.context, screen.key(item), item, fact.is_stale) for item in kept]
    if not all(fact.is_known for _, fact in facts):
        empty = "not known"
    shown = sited[:MOST_ROWS]
    rows = [_Numbered(number, one) for number, one in enumerate(shown, 1)]
    printed = [one for one in columns if not one.wide and one.title not in screen.drawn]
    listing = Listing("rows/v1", _numbered(printed, has_context=len(facts) > 1), rows)
    body = plain_table(listing, wide=False) or ("nothing matches" if total else empty)
    count = f"{len(shown)} of {total} rows." if total else ""
    targets = tuple(screen.target(one.item, replace(place, context=one.context)) for one in shown)
    return Page("\n".join(part for part in (head, body, count) if part), rows=targets)


def _differences(
    screen: TableScreen,
    place: Place,
    facts: Sequence[tuple[FactKey, Fact]],
    against: Mapping[FactKey, Fact],
    moment: Moment,
    head: str,
) -> Page:
    """The rows that are gone, new or changed; nothing is done with them, so that a number opens alone."""
    found = differing(screen, facts, against, moment, RowFilter(place.filter))
    shown = found.rows[:MOST_ROWS]
    rows = [_Numbered(number, one) for number, one in enumerate(shown, 1)]
    printed = [one for one in found.columns if not one.wide]
    listing = Listing("rows/v1", _numbered(printed, has_context=len(facts) > 1), rows)
    empty = "nothing differs" if found.is_known else "not known"
    body = plain_table(listing, wide=False) or ("nothing matches" if found.total else empty)
    count = f"{len(shown)} of {found.total} differ." if found.total else ""
    targets = tuple(screen.target(one.item.item, replace(place, context=one.context)) for one in shown)
    return Page("\n".join(part for part in (head, body, count) if part), rows=targets)


def _numbered(columns: Sequence[Column[Any]], *, has_context: bool) -> list[Column[Any]]:
    """The columns of items as columns of numbered rows, the number first."""
    placed = sited_columns(columns) if has_context else [_of(one, lambda row: row.item) for one in columns]
    number: Column[Any] = Column("row", lambda one: one.number, right=True)
    return [number, *(_of(one, lambda row: row.row) for one in placed)]


def _of(column: Column[Any], inner: Callable[[Any], Any]) -> Column[Any]:
    return replace(column.of(inner), cell=lambda one: cell_of(column, inner(one)), tone=None)


def _report(
    screen: ReportScreen,
    place: Place,
    read: tuple[FactKey, Fact],
    snapshot: Snapshot,
    now: datetime,
    head: str,
) -> Page:
    key, fact = read
    if not fact.is_known:
        return Page(head)
    moment = Moment(now, snapshot.scope, key.context)
    report: Report = screen.report(fact.data, moment)
    if snapshot.against is not None:
        other = snapshot.against.get(key, UNREAD)
        today = screen.report(other.data, moment) if other.is_known else None
        return Page(f"{head}\n{_difference(report, today)}")
    target = screen.target(replace(place, context=key.context), fact.data)
    return Page(head, report, about=() if target is None else (target,))

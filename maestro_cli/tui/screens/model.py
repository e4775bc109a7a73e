"""What a screen is made of.

Invariant: data. A screen names the feeds it renders, how a fact becomes a `Listing` or a `Report` (the same
that commands print), and what can be done with what is chosen; it calls no source and draws nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from maestro_cli.core.clock import seconds_between
from maestro_cli.core.quantities import format_duration
from maestro_cli.tui.acting.model import Action, Target
from maestro_cli.tui.feeds.model import AnyFeed
from maestro_cli.tui.store.model import UNREAD, Fact, FactKey, Scope, Snapshot

if TYPE_CHECKING:
    from maestro_cli.output.views import Listing, Report
    from maestro_cli.tui.views.view import View


@dataclass(frozen=True, slots=True)
class Place:
    """Where the console is: a screen, about something. Places make the breadcrumbs.

    `argument` is what it is about (`#12`, `ml/pod/fraud-1`), `context` where that is; "" for what is about
    the whole scope. `filter` is what was typed after `/`.
    """

    screen: str
    argument: str = ""
    context: str = ""
    filter: str = ""

    @property
    def crumb(self) -> str:
        return f"{self.screen} {self.argument}".strip()


@dataclass(frozen=True, slots=True)
class Moment:
    """What renderers need besides the data; `live` is what this console works on there."""

    now: datetime
    scope: Scope
    context: str
    live: Any = None


def nothing_to_filter(item: Any) -> Mapping[str, str]:
    return {}


def read_ago(then: datetime, now: datetime) -> str:
    """In whole minutes: nothing is drawn again for seconds."""
    minutes = max(seconds_between(then, now), 0.0) // 60
    return f"read {format_duration(minutes * 60)} ago" if minutes else "just read"


def _together(
    snapshot: Snapshot, key: FactKey, beside: AnyFeed | None, joined: Callable[[Any, Any], Any]
) -> Fact:
    fact = snapshot.fact(key)
    other = UNREAD if beside is None else snapshot.fact(beside.of(key.context))
    if not (fact.is_known and other.is_known) or fact.is_stale or other.is_stale:
        return fact
    return replace(fact, data=joined(fact.data, other.data))


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture of rows is made of: how much a row is, in which unit, its name and words."""

    amount: Callable[[Any], float]
    unit: Callable[[Any], str]
    name: Callable[[Any], str]
    words: Callable[[Any], tuple[str, ...]]
    tone: Callable[[Any], str] = lambda row: ""


@dataclass(frozen=True)
class TableScreen:
    """A list: rows of one feed, in every context of the scope.

    `listing` makes the view of what the feed read; `key` names a row for good (never its number), `target` is
    what actions on it are about (the place has the row's context), `opens` where Enter leads, `says` what is
    said where it leads nowhere. `labels` are what `-l` asks for. `about` tells in a line what all that was
    read comes to; `turned` is the place that shows the same in the next other way.
    `has_namespace`: its feed takes a namespace, where the place has no argument.
    `beside` is another feed of the context, whose data `joined` puts into those of the first while both are
    known and none is old.
    `above` is a feed of each context of which `lines_above` are said before the rows, of now alone.
    `drawn` are titles of columns that are drawings: they are not read aloud. `picture` is drawn above it.
    """

    id: str
    title: str
    help: str
    feed: AnyFeed
    rows: Callable[[Any], Sequence[Any]]
    listing: Callable[[Sequence[Any], Moment], Listing[Any]]
    key: Callable[[Any], str]
    target: Callable[[Any, Place], Target]
    opens: Callable[[Target], Place | None] | None = None
    says: Callable[[Target], str] = lambda target: (
        f"{target.name} is shown whole; Actions has what can be done"
    )
    labels: Callable[[Any], Mapping[str, str]] = nothing_to_filter
    has_namespace: bool = True
    beside: AnyFeed | None = None
    joined: Callable[[Any, Any], Any] = lambda data, other: data
    above: AnyFeed | None = None
    lines_above: Callable[[Any, datetime], Sequence[str]] = lambda data, now: ()
    about: Callable[[Any], str] | None = None
    turned: Callable[[Place], Place] | None = None
    drawn: tuple[str, ...] = ()
    picture: Picture | None = None
    actions: tuple[Action, ...] = ()
    aliases: tuple[str, ...] = ()
    digit: str = ""

    @property
    def feeds(self) -> tuple[AnyFeed, ...]:
        return (self.feed,) if self.above is None else (self.feed, self.above)

    def keys(self, place: Place, scope: Scope) -> frozenset[FactKey]:
        """The facts of its rows at a place: its feed, in each context."""
        argument = place.argument or (scope.namespace if self.has_namespace else "")
        contexts = (place.context,) if place.context else scope.contexts
        return frozenset(self.feed.of(context, argument) for context in contexts)

    def keys_above(self, place: Place, scope: Scope) -> frozenset[FactKey]:
        """The facts of what is said before the rows."""
        contexts = (place.context,) if place.context else scope.contexts
        return frozenset() if self.above is None else frozenset(map(self.above.of, contexts))

    def said_above(self, place: Place, snapshot: Snapshot, now: datetime) -> tuple[str, ...]:
        """A line for each thing that is to be known before the rows, with its context."""
        if snapshot.replay_at is not None:
            return ()
        facts = [(key.context, snapshot.fact(key)) for key in sorted(self.keys_above(place, snapshot.scope))]
        return tuple(
            f"! {context}: {line}"
            for context, fact in facts
            if fact.is_known
            for line in self.lines_above(fact.data, now)
        )

    def summary(self, facts: Sequence[tuple[str, Fact]], now: datetime) -> str:
        """What it says `about` all that was read, of each context where there are several, and how old that
        is; "" where it says nothing."""
        told = []
        for context, fact in facts if self.about is not None else ():
            if self.about is not None and fact.is_known and fact.read_at is not None:
                before = f"{context}: " if len(facts) > 1 else ""
                told.append(f"{before}{self.about(fact.data)}, {read_ago(fact.read_at, now)}")
        return "; ".join(told)

    def fact(self, snapshot: Snapshot, key: FactKey) -> Fact:
        """What it shows of a place, with what another feed tells of the same."""
        return _together(snapshot, key, self.beside, self.joined)

    def view(self, place: Place) -> View:
        from maestro_cli.tui.views.table_view import TableView
        from maestro_cli.tui.views.view import bound

        if self.picture is not None:
            from maestro_cli.tui.views.map_view import MapView

            return bound(MapView, self.actions)(self, place)
        return bound(TableView, self.actions)(self, place)


@dataclass(frozen=True)
class ReportScreen:
    """One thing whole: a report of one feed with the place's argument.

    `live` names what this console tells of it while it works on it; no feed reads that. `beside` and `joined`
    are as those of a table.
    """

    id: str
    title: str
    help: str
    feed: AnyFeed
    report: Callable[[Any, Moment], Report]
    target: Callable[[Place, Any], Target | None] = field(default=lambda place, data: None)
    live: Callable[[str, str], FactKey] | None = None
    beside: AnyFeed | None = None
    joined: Callable[[Any, Any], Any] = lambda data, other: data
    actions: tuple[Action, ...] = ()
    aliases: tuple[str, ...] = ()
    digit: str = ""

    @property
    def feeds(self) -> tuple[AnyFeed, ...]:
        return (self.feed,)

    def fact(self, snapshot: Snapshot, key: FactKey) -> Fact:
        """What it shows, with what another feed tells of the same."""
        return _together(snapshot, key, self.beside, self.joined)

    def view(self, place: Place) -> View:
        from maestro_cli.tui.views.report_view import ReportPane
        from maestro_cli.tui.views.view import bound

        return bound(ReportPane, self.actions)(self, place)


@dataclass(frozen=True)
class OwnScreen:
    """A screen with a view of its own; `view` imports its module when it is opened. `panes` are what it is
    made of, as help names them: their keys work there too."""

    id: str
    title: str
    help: str
    feeds: tuple[AnyFeed, ...]
    view: Callable[[Place], View]
    actions: tuple[Action, ...] = ()
    aliases: tuple[str, ...] = ()
    digit: str = ""
    panes: tuple[str, ...] = ()


Screen = TableScreen | ReportScreen | OwnScreen


def sited(place: Place, screen: Screen, scope: Scope) -> Place:
    """The place as a view gets it: what shows one thing is in one context, which it reads and acts in."""
    if isinstance(screen, TableScreen):
        return place
    return replace(place, context=place.context or scope.context)

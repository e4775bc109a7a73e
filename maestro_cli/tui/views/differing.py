"""What differs of a list between then and now, in each context of it. Invariant: pure; of a context of which
either side is not known, nothing is said to differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maestro_cli.output.views import Column, Listing
from maestro_cli.tui.rewind.comparison import Difference, difference_columns, differences
from maestro_cli.tui.screens.model import Moment, TableScreen
from maestro_cli.tui.store.model import UNREAD, Fact, FactKey
from maestro_cli.tui.views.filtering import RowFilter
from maestro_cli.tui.views.sited import Sited


@dataclass(frozen=True, slots=True)
class Differing:
    """`rows` are sited differences that match the filter, of `total`; `columns` are those of a difference."""

    columns: Sequence[Column[Any]]
    rows: list[Sited]
    total: int
    is_known: bool


def differing(
    screen: TableScreen,
    then: Sequence[tuple[FactKey, Fact]],
    now: Mapping[FactKey, Fact],
    at: Moment,
    wanted: RowFilter,
) -> Differing:
    """Compare the facts of then with those of now, both as of one instant."""
    every, columns = list[Difference](), list[Column[Any]]()
    rows: list[Sited] = []
    is_known = True
    for key, old in then:
        new, moment = now.get(key, UNREAD), replace(at, context=key.context)
        before, after = (
            screen.listing(screen.rows(one.data) if one.is_known else (), moment) for one in (old, new)
        )
        are_both = old.is_known and new.is_known
        found = differences(before, after, screen.key, screen.drawn) if are_both else []
        every += found
        columns = difference_columns(after.columns, every, screen.drawn)
        listing = Listing("differences/v1", columns, found)
        kept = wanted.kept(listing, moment, lambda one: one.key, lambda one: screen.labels(one.item))
        rows += [Sited(key.context, one.key, one, new.is_stale) for one in kept]
        is_known = is_known and are_both
    return Differing(columns, rows, len(every), is_known)

"""What goes on with the time: shown, sorted and filtered as of now, while the rows stay the same objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from maestro_cli.core.quantities import DURATION_CHARACTERS
from maestro_cli.output.tables import cell_text
from maestro_cli.output.views import Column
from maestro_cli.runbooks.linear_regex import linear_regex
from maestro_cli.tui.cells import cell_of
from maestro_cli.tui.screens.model import Moment, TableScreen
from maestro_cli.tui.screens.pods import pods_listing
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.store.model import Scope
from maestro_cli.tui.views.filtering import RowFilter, parse_filter
from maestro_cli.tui.views.sited import Sited, sited_columns
from maestro_cli.tui.views.wanted import AGE
from maestro_cli.tui.widgets.rows import Rows
from tests.tui.cases import NOW, pod
from tests.tui.facts import FACTS, SITE

TABLES = {name: one for name, one in every_screen().items() if isinstance(one, TableScreen) and name in FACTS}
SCOPE = Scope((SITE,))


def at(minutes: float) -> Moment:
    return Moment(NOW + timedelta(minutes=minutes), SCOPE, SITE)


@pytest.mark.parametrize("screen", TABLES.values(), ids=TABLES)
def test_a_column_whose_cells_go_on_with_the_time_says_so(screen: Any) -> None:
    (facts,) = FACTS[screen.id]().values()
    items = screen.rows(facts)
    early, late = (screen.listing(items, at(minutes)).columns for minutes in (0, 5000))
    for was, now in zip(early, late, strict=True):
        differ = [one for one in items if cell_of(was, one) != cell_of(now, one)]
        assert now.ages or not differ, now.title
        orders = [was.order(one) == now.order(one) for one in items] if was.order and now.order else []
        assert all(orders), now.title


def ages(rows: Rows) -> list[str]:
    return [item.name for item in rows.items]


def test_rows_are_sorted_by_their_age_of_now_whenever_each_was_read() -> None:
    rows = Rows()
    old, young = (
        replace(pod(name), created_at=NOW - timedelta(minutes=minutes))
        for name, minutes in (("old", 30), ("young", 1))
    )
    first = pods_listing((old, young), at(0))
    rows.replace(first.columns, first.items, lambda one: one.uid)
    rows.sort([one.title for one in first.columns].index("age"))
    assert ages(rows) == ["young", "old"]
    read_again = replace(young, status="Pending")
    later = pods_listing((old, read_again), at(50))  # by its text of then the old one were the younger one
    rows.replace(later.columns, later.items, lambda one: one.uid)
    assert ages(rows) == ["young", "old"]


def test_restarts_are_sorted_by_their_number() -> None:
    rows = Rows()
    found = tuple(
        replace(pod(f"{count}"), restarts=count, restarted_at=NOW if count % 2 else None)
        for count in (9, 0, 10, 1)
    )
    listing = pods_listing(found, at(1))
    rows.replace(listing.columns, listing.items, lambda one: one.uid)
    rows.sort([one.title for one in listing.columns].index("restarts"))
    assert ages(rows) == ["0", "1", "9", "10"]


def kept(filter_: RowFilter, items: tuple[Any, ...], minutes: float) -> list[str]:
    listing = pods_listing(items, at(minutes))
    return [one.name for one in filter_.kept(listing, at(minutes), lambda one: one.uid, no_labels)]


def no_labels(_: Any) -> Mapping[str, str]:
    return {}


def test_a_filter_sees_the_age_of_now_where_it_is_shown() -> None:
    filter_ = RowFilter("Running 0 5m")
    items = (replace(pod("a"), created_at=NOW),)
    assert [kept(filter_, items, minutes) for minutes in (0, 5, 60)] == [[], ["a"], []]


@pytest.mark.parametrize("screen", TABLES.values(), ids=TABLES)
def test_a_column_says_what_its_ages_are_made_of(screen: Any) -> None:
    (facts,) = FACTS[screen.id]().values()
    items = screen.rows(facts)
    for minutes in (-5000, 0, 0.02, 5, 70, 5000):
        for column in screen.listing(items, at(minutes)).columns:
            said = {cell_text(cell_of(column, one)) for one in items} if column.ages else set[str]()
            assert set("".join(said)) <= set(column.ages), column.title


@pytest.mark.parametrize(
    ("typed", "made"),
    [("fraud", 0), ("!FRAUD-7c9d", 0), ("Running", 0), ("ml/deploy", 0),
     ("ago", 1), ("5m", 1), ("!3S", 1), ("12", 1), ("10", 0), ("fraud.*5m", 1), ("^fraud", 1),
     ("ml fraud", 0), ("ml.*fraud", 0), ("^ml", 0), ("!^ml", 0), ("fraud.*run", 0), ("!fraud.*run", 0),
     ("none.*5m", 0), ("!none.*5m", 0), ("running .* a", 1), ("1/1 running$", 1), ("fr[a]ud", 0),
     ("(fraud|none).*run", 0), ("none|m", 0), ("none|s", 1), ("-f fd", 0), ("-f fraud 5", 1),
     ("-f xm", 0), ("\u017f", 1)],
)  # fmt: skip
def test_a_filter_makes_the_ages_of_all_rows_only_where_they_can_make_a_difference(
    typed: str, made: int
) -> None:
    asked: list[Any] = []

    def noted(column: Column[Any]) -> Column[Any]:
        def cell(item: Any) -> object:
            asked.append(item)
            return column.cell(item)

        return replace(column, cell=cell)

    item = pod("fraud-7c9d8b6f54")
    listing = pods_listing((item,), at(5))
    columns = tuple(noted(one) if one.title == "age" else one for one in listing.columns)
    RowFilter(typed).kept(replace(listing, columns=columns), at(5), lambda one: one.uid, no_labels)
    assert len(asked) == made


def test_while_one_types_the_text_of_a_row_is_made_once_and_its_age_once_an_instant() -> None:
    asked: list[str] = []

    def noted(column: Column[Any]) -> Column[Any]:
        def cell(item: Any) -> object:
            asked.append(column.title)
            return column.cell(item)

        return replace(column, cell=cell)

    item, filter_ = pod("fraud-7c9d8b6f54"), RowFilter("")
    for minutes, typed in ((5, "f"), (5, "fr"), (5, "!fr.*9s"), (5, "fr.*5m"), (6, "fr.*5m"), (6, "fr.*6m")):
        listing = pods_listing((item,), at(minutes))
        listing = replace(listing, columns=tuple(map(noted, listing.columns)))
        filter_ = filter_.typed_on(typed)
        found = filter_.kept(listing, at(minutes), lambda one: one.uid, no_labels)
        assert bool(found) is (typed != "fr.*5m" or minutes == 5)
    assert {title: asked.count(title) for title in ("name", "age")} == {"name": 1, "age": 2}


_ATOMS = st.sampled_from(
    ["a", "b", "m", "5", "ab", "5m", " ", "-", ".", ".*", ".+", "^", "$", r"\b", r"\B", r"\.", r"\d", "[^a]",
     "(a|5)", "a?", "(?:)", "|", "\u017f", "K"]
)  # fmt: skip
_CELLS = st.text("ab5mMk.- \u212a\u017f", max_size=4)


@settings(max_examples=600, deadline=None)
@given(
    typed=st.lists(_ATOMS, min_size=1, max_size=5).map("".join),
    sign=st.sampled_from(["", "!", "-f "]),
    cells=st.lists(_CELLS, min_size=1, max_size=4),
    ages=st.lists(st.sampled_from(["5m", "-", "0s", "15d3h"]), min_size=4, max_size=4),
    where=st.lists(st.booleans(), min_size=4, max_size=4),
)
@example(typed=" a", sign="!", cells=["a"], ages=["-"] * 4, where=[False] * 4)
def test_what_is_told_of_a_row_whatever_its_age_holds_for_each_age(
    typed: str, sign: str, cells: list[str], ages: list[str], where: list[bool]
) -> None:
    wanted = parse_filter(f"{sign}{typed}").wanted
    assume(wanted is not None)
    assert wanted is not None
    parts = list(zip(cells, ages, where, strict=False))
    still = " ".join(AGE if is_age else cell for cell, _, is_age in parts)
    row = " ".join(age if is_age else cell for cell, age, is_age in parts)
    assert wanted.holds_whenever(still, frozenset(DURATION_CHARACTERS)) in (None, wanted.holds(row))
    if sign != "-f ":
        said = linear_regex(f"(?i){typed.strip()}").find(row) is not None
        assert wanted.holds(row) is (said is not (sign == "!"))


@pytest.mark.parametrize(
    "typed", ["fraud-7", "!fraud-7", "RUNNING", "ml/pod", "task", "Straße", "a=b", "-", "_"]
)
def test_a_plain_text_holds_where_the_expression_that_it_is_holds(typed: str) -> None:
    wanted = linear_regex(f"(?i){typed.removeprefix('!')}")
    asked = parse_filter(typed).wanted
    assert asked is not None
    for text in (
        "fraud-7",
        "FRAUD-7 Running",
        "ml/pod/x a=b",
        "ta\u017fk",
        "tas\u212a",
        "straSSe STRAßE",
        "",
    ):
        assert asked.holds(text) is ((wanted.find(text) is not None) is not typed.startswith("!")), text


def test_items_of_several_contexts_keep_what_they_are_sorted_by() -> None:
    listing = pods_listing((pod("a"),), at(3))
    age = next(one for one in sited_columns(listing.columns) if one.title == "age")
    sited = Sited(SITE, "a", listing.items[0], False)
    assert age.ages
    assert age.order is not None
    assert (cell_text(cell_of(age, sited)), age.order(sited)) == ("3m00s", -NOW.timestamp())


def test_a_column_that_ages_needs_an_order_of_its_own() -> None:
    with pytest.raises(ValueError, match="has no order"):
        Column[Any]("age", str, ages="s")

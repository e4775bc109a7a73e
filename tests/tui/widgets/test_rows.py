"""Rows in order: whatever comes and goes, the order is the one that sorting all of them anew would give."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.output.views import Column
from maestro_cli.tui.widgets.columns import sort_key
from maestro_cli.tui.widgets.rows import Rows


@dataclass(frozen=True)
class Item:
    key: int
    value: int | str | None


COLUMNS = (Column[Item]("key", lambda item: item.key), Column[Item]("value", lambda item: item.value))
ITEMS = st.lists(
    st.builds(Item, st.integers(0, 6), st.none() | st.integers(0, 3) | st.sampled_from("ab")),
    unique_by=lambda item: item.key,
    max_size=7,
)


def ordered(items: list[Item], reverse: bool) -> list[Item]:
    known = [item for item in items if item.value is not None]
    return sorted(known, key=lambda item: sort_key(item.value), reverse=reverse) + [
        item for item in items if item.value is None
    ]


@given(st.lists(st.tuples(ITEMS, st.sampled_from(["", "turn", "key", "unsorted"])), max_size=6))
def test_sorted_rows_are_those_that_sorting_anew_would_give(steps: list[tuple[list[Item], str]]) -> None:
    rows = Rows()
    rows.replace(COLUMNS, [], lambda item: str(item.key))
    rows.sort(1)
    for items, then in steps:
        rows.replace(COLUMNS, items, lambda item: str(item.key))
        known = [item for item in rows.items if item.value is not None]
        assert known == [one for one in ordered(items, rows.is_reversed) if one.value is not None]
        assert {item.key for item in rows.items[len(known) :]} == {i.key for i in items if i.value is None}
        assert [rows.find(str(item.key)) for item in rows.items] == list(range(len(items)))
        if then == "turn":
            rows.sort(1, reverse=not rows.is_reversed)
        elif then:
            rows.sort(0 if then == "key" else None)
            rows.sort(1)


def test_only_changed_items_are_ranked_again() -> None:
    asked: list[int] = []

    def cell(item: Item) -> object:
        asked.append(item.key)
        return item.value

    columns = (Column[Item]("value", cell),)
    items = [Item(key, key) for key in range(50)]
    rows = Rows()
    rows.replace(columns, items, lambda item: str(item.key))
    rows.sort(0)
    asked.clear()
    items[7] = Item(7, 100)
    rows.replace(columns, items, lambda item: str(item.key))
    assert asked == [7]
    assert rows.items[-1] == Item(7, 100)
    rows.replace(columns, [Item(99, -1), *items], lambda item: str(item.key))
    assert asked == [7, 99]
    assert rows.items[0] == Item(99, -1)

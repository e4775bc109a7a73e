"""What reaches the screen is made visible, and takes the cells that were counted."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from maestro_cli.tui.text import (
    LONGEST,
    breaks,
    cell_strip,
    cells,
    cut,
    fit,
    overlaid,
    plain_text,
    shown,
    shown_line,
    sliced,
)

ANY = st.text(
    st.characters(exclude_categories=()) | st.sampled_from("\x1b\x9b\u202e\u200b\u0301日👍\U0001f3fb")
)


def plain(tone: str) -> Style:
    return Style(bold=bool(tone))


def test_control_characters_and_unseen_ones_become_glyphs() -> None:
    assert shown("\x1b[2J\x9b\u202e\u200b") == "␛[2J<U+009B><U+202E><U+200B>"


def test_nothing_is_a_dash_and_truth_a_word() -> None:
    assert [shown(None), shown(""), shown(True)] == ["-", "-", "yes"]
    assert shown_line("") == ""


def test_a_skin_tone_or_half_a_flag_that_terminals_count_differently_is_spelled() -> None:
    assert shown("👍\U0001f3fb\U0001f1e9") == "👍<U+1F3FB><U+1F1E9>"


def test_a_heap_of_marks_is_cut_and_a_mark_alone_has_something_to_stand_on() -> None:
    assert shown("e" + "\u0301" * 5000 + "x") == "e" + "\u0301" * 4 + "…x"
    assert shown("\u0301x") == "◌\u0301x"


def test_a_long_line_says_how_much_is_missing() -> None:
    line = shown_line("a" * 100_000)
    assert line.endswith(f" … {100_000 - LONGEST + 40:,} characters not shown")
    assert len(line) < LONGEST


def test_tabs_of_a_line_are_blanks() -> None:
    assert shown_line("a\tb") == "a   b"


@given(ANY)
def test_to_show_again_what_is_shown_changes_nothing(text: str) -> None:
    once = shown(text)
    assert shown(once) == once
    assert cell_strip(((once, ""),), plain).text == once


@given(ANY, st.integers(1, 40), st.booleans())
def test_a_fitted_text_takes_exactly_its_cells(text: str, width: int, right: bool) -> None:
    fitted = fit(shown(text), width, right=right)
    assert cell_len(fitted) == width
    assert cell_strip(((fitted, "x"),), plain).cell_length == width


@given(ANY, st.integers(2, 30))
def test_wrapped_rows_fit_and_together_are_the_text(text: str, width: int) -> None:
    line = shown(text)
    starts = [*breaks(line, width), len(line)]
    rows = [line[low:high] for low, high in pairwise(starts)]
    assert "".join(rows) == line
    assert all(cells(row.rstrip(" ")) <= width for row in rows)
    assert all(rows)


def test_lines_break_at_blanks_where_one_is_near() -> None:
    assert breaks("hello brave world", 12) == [0, 12]
    assert breaks("x" * 30, 12) == [0, 12, 24]


def test_what_is_too_long_is_cut_with_a_sign() -> None:
    assert cut("日本語", 4) == "日…"
    assert cut("abc", 3) == "abc"
    assert cut("abc", 0) == ""


@given(st.lists(st.text("ab日", max_size=5), max_size=5), st.integers(0, 20), st.integers(0, 20))
def test_a_highlight_and_a_slice_keep_the_text(texts: list[str], start: int, size: int) -> None:
    spans = tuple((text, "") for text in texts)
    whole = "".join(texts)
    marked = overlaid(spans, [(start, start + size)], "match")
    assert plain_text(marked) == whole
    assert "".join(text for text, tone in marked if tone == "match") == whole[start : start + size]
    assert plain_text(sliced(spans, start, start + size)) == whole[start : start + size]
    assert plain_text(sliced(spans, start, None)) == whole[start:]


@pytest.mark.parametrize("after", [(), (("tail", "x"),)], ids=["at the end", "in the middle"])
def test_a_mark_whose_letter_is_in_another_span_stays_with_it(after: tuple[tuple[str, str], ...]) -> None:
    strip = cell_strip((("e", ""), ("\u0301", "x"), *after), plain)
    assert [segment.text for segment in strip] == ["e\u0301", *(text for text, _ in after)]


def test_the_door_holds_for_spans_that_nobody_made_visible() -> None:
    strip = cell_strip((("\x1b[31m[@click=app.quit]x[/]", "@click=app.quit"),), plain)
    assert strip.text == "␛[31m[@click=app.quit]x[/]"
    assert all(segment.style == Style(bold=True) and not segment.style.meta for segment in strip)

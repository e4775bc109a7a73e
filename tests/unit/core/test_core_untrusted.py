"""Hostile text shows what it is, on one line, and stays text in Markdown."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from maestro_cli.core.untrusted import (
    UNSAFE,
    Untrusted,
    markdown_code,
    markdown_text,
    visible,
    visible_block,
)

# all code points, surrogates too, with a good share of those that attack
ATTACKS = (
    "\x00\x1b\x07\b\r\n\t\x7f\x85\x9b\u00ad\u200b\u200e\u202e\u2028\u2066\u2069\ufeff\ufe0f\U000e0041\ud800"
)
HOSTILE = st.text(st.characters(exclude_categories=()) | st.sampled_from(ATTACKS))
INVISIBLE_LETTERS = "\u034f\u115f\u1160\u17b4\u180b\u2800\u3164\uffa0\U000e0100\U0001d159"
MARKDOWN = MarkdownIt("gfm-like")


def is_unsafe(character: str) -> bool:
    """By Python's own tables, not by those of the code under test."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(HOSTILE)
def test_nothing_that_controls_or_hides_is_shown(text: str) -> None:
    shown = visible(text)
    assert not any(is_unsafe(character) for character in shown)
    assert not UNSAFE.search(shown)


@pytest.mark.parametrize("character", INVISIBLE_LETTERS + ATTACKS)
def test_each_attack_becomes_a_glyph(character: str) -> None:
    shown = visible(f"a{character}b")
    assert character not in shown
    assert len(shown) >= 3


def test_of_all_characters_none_that_controls_or_hides_is_shown() -> None:
    shown = set(visible("".join(map(chr, range(0x110000)))))
    assert [hex(ord(character)) for character in shown if is_unsafe(character)] == []


@given(HOSTILE)
def test_text_that_is_shown_already_stays(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(st.text(st.characters(categories=("L", "N", "P", "Sm", "Sc"))).filter(lambda t: not UNSAFE.search(t)))
def test_ordinary_text_stays(text: str) -> None:
    assert visible(text) == text


@given(HOSTILE, st.integers(min_value=1, max_value=60))
def test_a_limit_is_never_passed(text: str, limit: int) -> None:
    shown = visible(text, limit)
    assert len(shown) <= limit
    assert shown == visible(text) or shown.endswith("…")


def test_a_limit_counts_what_is_shown() -> None:
    assert visible("abc", 3) == "abc"
    assert visible("abcd", 3) == "ab…"
    assert visible("a\u202eb", 3) == "a<…"


@given(HOSTILE)
def test_a_block_keeps_lines_and_nothing_else(text: str) -> None:
    shown = visible_block(text)
    assert not any(is_unsafe(character) for character in shown.replace("\n", ""))
    assert shown.count("\n") == text.replace("\r\n", "\n").count("\n")


def test_a_block_says_how_much_it_left_out() -> None:
    assert visible_block("a\nb\nc\nd", 2) == "a\nb\n… 2 lines not shown"


def rendered_text(html: str) -> str:
    return (
        re.sub("<[^>]*>", "", html)
        .replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    )  # fmt: skip


MARKUP = st.text(st.sampled_from("ab 1\\`*_{}[]<>()#+-.!|~&$@:/=\"'hwtp") | st.characters(codec="utf-8"))


@given(MARKUP)
def test_markdown_shows_the_text_and_makes_nothing_of_it(text: str) -> None:
    html = MARKDOWN.render(f"x{markdown_text(text)}x")
    assert set(re.findall("<(/?[a-z0-9]+)", html)) == {"p", "/p"}
    assert rendered_text(html).strip() == f"x{visible(text)}x"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "[a](http://evil)", "![a](b)", "https://evil.example/x", "a|b|c",
        "www.evil.example", "**bold**", "`code`", "&lt;b&gt;", "<http://evil>", "mailto:me@evil.example",
    ],
)  # fmt: skip
def test_no_attack_leaves_its_table_cell(text: str) -> None:
    html = MARKDOWN.render(f"| h | i |\n| --- | --- |\n| {markdown_text(text)} | end |")
    assert set(re.findall("<([a-z0-9]+)", html)) == {"table", "thead", "tbody", "tr", "th", "td"}
    assert html.count("<td>") == 2


@example("```\nescaped\n```")
@example("````")
@given(st.text(st.sampled_from("``~ \na") | st.characters(codec="utf-8")))
def test_a_code_block_cannot_be_closed_from_inside(text: str) -> None:
    tokens = MARKDOWN.parse(markdown_code(text) + "\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content == visible_block(text) + "\n"


def test_untrusted_travels_unchanged() -> None:
    assert Untrusted("\x1b[31m") == "\x1b[31m"

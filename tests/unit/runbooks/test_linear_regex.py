"""Expressions over labels: what Python's own engine says, in time in proportion to the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_cli.runbooks.linear_regex import MAX_LENGTH, line_regex, linear_regex

_atoms = st.sampled_from(
    [
        "a",
        "b",
        "-",
        r"\.",
        r"\d",
        r"\w",
        r"\S",
        ".",
        "[ab]",
        "[^a]",
        "[a-c0-2]",
        r"[\d-]",
        "(?:a|b)",
        "(ab|)",
        r"\x61",
    ]
)
_pieces = st.tuples(_atoms, st.sampled_from(["", "", "*", "+", "?", "{2}", "{0,2}", "{1,}", "*?"])).map(
    "".join
)
_expressions = st.lists(st.lists(_pieces, max_size=4).map("".join), min_size=1, max_size=3).map("|".join)


@settings(max_examples=400, deadline=None)
@given(expression=_expressions, text=st.text("ab-.0c9\n", max_size=8))
def test_it_takes_what_python_takes(expression: str, text: str) -> None:
    wanted = re.fullmatch(expression, text, re.DOTALL | re.ASCII) is not None
    assert linear_regex(expression).matches(text) is wanted


@pytest.mark.parametrize(
    ("expression", "text", "found"),
    [
        ("ready", "is ready", "ready"),
        ('"version": *"([^"]+)"', '{"version": "v1.2"}', "v1.2"),
        ("(a)|b", "xb", ""),
        ("(?:a|b)+(c)(d)?", "xabcd", "c"),
        ("a|ab", "xab", "a"),
        ("absent", "is ready", None),
        ("(?s)a.c", "a\nc", "a\nc"),
        ("a.c", "a\nc", None),
        ("é(.)", "ü é\ud800 x", "\ufffd"),
    ],
)
def test_it_finds_the_first_group_of_the_first_place(expression: str, text: str, found: str | None) -> None:
    assert line_regex(expression).find(text) == found


@settings(max_examples=300, deadline=None)
@given(expression=_expressions, text=st.text("ab-.0c9", max_size=8))
def test_it_finds_where_python_finds(expression: str, text: str) -> None:
    wanted = re.search(expression, text, re.ASCII)
    found = line_regex(expression).find(text)
    groups = wanted is not None and wanted.re.groups
    assert found == (None if wanted is None else (wanted[1] or "") if groups else wanted[0])


@pytest.mark.parametrize(
    ("expression", "text"),
    [(r"\d", "٣"), (r"\w", "é"), (r"\s", "\xa0"), (r"\s", "\x0b"), (r"aé\b", "aé"), ("a$", "a\n")],
)
def test_it_does_not_hold_where_pythons_alone_does(expression: str, text: str) -> None:
    assert re.search(expression, text) is not None
    assert line_regex(expression).find(text) is None


@pytest.mark.parametrize("expression", ["(?x)a", "a{1001}", r"a\Z", "(?=a)", r"(a)\1"])
def test_it_does_not_read_what_python_alone_does(expression: str) -> None:
    re.compile(expression)
    with pytest.raises(ValueError, match=r"."):
        line_regex(expression)


@pytest.mark.parametrize(
    ("expression", "takes", "refuses"),
    [
        ("^(page|critical)$", ["page", "critical"], ["pages", ""]),
        ("(?i)fraud-[a-z]+", ["FRAUD-X", "fraud-x"], ["fraud-"]),
        ("(?P<name>a)b", ["ab"], ["a"]),
        ("[]a]", ["]", "a"], ["["]),
        ("[^\\n]", ["x"], ["\n"]),
        (r"\Dx{2}", ["axx"], ["1xx", "ax"]),
        ("a{x", ["a{x"], ["a"]),
        ("ü|é", ["ü"], ["u"]),
        (".*", ["", "a\nb", "\U0010ffff"], []),
    ],
)
def test_the_grammar(expression: str, takes: list[str], refuses: list[str]) -> None:
    read = linear_regex(expression)
    assert [text for text in takes if not read.matches(text)] == []
    assert [text for text in refuses if read.matches(text)] == []


@pytest.mark.parametrize(
    "expression",
    [
        "a(", "a)", "[a", "*a", "a{3,2}", "a{2000}", r"\1", "(?=a)", "(?<!a)b", "a\\", "[z-a]",
        "a" * (MAX_LENGTH + 1), "(((a{100}){100}){100}){100}", r"\x{110000}", "(?x)a", "[a-", "\ud800",
    ],
)  # fmt: skip
def test_what_cannot_be_taken_in_one_walk_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        linear_regex(expression)


def test_it_tells_where_it_first_holds_in_bytes() -> None:
    assert line_regex("b+").place("é abba bb".encode()) == (4, 6)
    assert line_regex("c").place(b"abba") is None


@settings(max_examples=300, deadline=None)
@given(text=st.text("()[]{}|*+?\\^$.-ab1,:<>=!P\n", max_size=30))
def test_anything_is_read_or_refused(text: str) -> None:
    try:
        linear_regex(text).matches(text)
        linear_regex(text).find(text)
    except ValueError:
        return


@pytest.mark.parametrize(
    "expression", ["(a+)+", "(a|a)*", "(a|aa)+", "(.*)*x", ".*.*.*.*.*.*x", "(a?){50}a{50}"]
)
def test_no_expression_looks_twice_at_a_character(expression: str) -> None:
    """Each of these takes a backtracking engine longer than the age of the earth, or hours at least."""
    read = linear_regex(expression)
    assert not read.matches("a" * 65_536 + "!")
    assert read.find("b" * 65_536) in (None, "")

"""Expressions over labels: what Python's own engine says, in time in proportion to the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_cli.core.linear_regex import MAX_LENGTH, MAX_STATES, linear_regex

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


@settings(max_examples=200, deadline=None)
@given(one=_expressions, other=_expressions, text=st.text("ab-0", max_size=5))
def test_two_that_take_one_text_overlap(one: str, other: str, text: str) -> None:
    left, right = linear_regex(one), linear_regex(other)
    if left.matches(text) and right.matches(text):
        assert left.overlaps(right)


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (".*-availability", ".*-latency", False),
        ("page|critical", "critical|ticket", True),
        ("page|critical", "ticket", False),
        ("a+", "a*", True),
        ("[a-m]x", "[n-z]x", False),
        ("(?i)PAGE", "page", True),
        ("", "a*", True),
    ],
)
def test_whether_two_can_take_one_text(one: str, other: str, overlap: bool) -> None:
    assert linear_regex(one).overlaps(linear_regex(other)) is overlap
    assert linear_regex(other).overlaps(linear_regex(one)) is overlap


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
        "a(", "a)", "[a", "*a", "a**", "a{3,2}", "a{2000}", r"\1", r"\bx", "(?=a)", "(?<!a)b", "[[:alpha:]]",
        "a\\", "[z-a]", "a$b", "a^b", "(" * 40 + ")" * 40, "a" * (MAX_LENGTH + 1), "(a{100}){100}",
        r"\x{110000}", "(?x)a", "[a-", "(?P<1>a)",
    ],
)  # fmt: skip
def test_what_cannot_be_taken_in_one_walk_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        linear_regex(expression)


@settings(max_examples=300, deadline=None)
@given(text=st.text("()[]{}|*+?\\^$.-ab1,:<>=!P\n", max_size=30))
def test_anything_is_read_or_refused(text: str) -> None:
    try:
        linear_regex(text).matches(text)
    except ValueError:
        return


@pytest.mark.parametrize(
    "expression", ["(a+)+", "(a|a)*", "(a|aa)+", "(.*)*x", ".*.*.*.*.*.*x", "(a?){50}a{50}"]
)
def test_no_expression_looks_twice_at_a_character(expression: str) -> None:
    """Each of these takes a backtracking engine longer than the age of the earth, or hours at least."""
    read = linear_regex(expression)
    assert not read.matches("a" * 5000 + "!")
    assert len(read._edges) <= MAX_STATES

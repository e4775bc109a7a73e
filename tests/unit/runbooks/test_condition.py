"""What a condition may say, and that it never guesses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.runbooks.condition import Facts, parse_condition

FACTS = Facts(
    {"KEEP": "yes", "RATIO": "0.25", "N": "10", "EMPTY": "", "SCI": "1e-3"},
    {"a": "ok", "b-2": "failed", "c": "skipped"},
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("a.ok", True),
        ("b-2.ok", False),
        ("b-2.failed and c.skipped", True),
        ("never.ok or never.failed or never.skipped", False),
        ("not b-2.ok", True),
        ("$KEEP == 'yes'", True),
        ('$KEEP != "yes"', False),
        ("'yes' == $KEEP", True),
        ("$EMPTY == ''", True),
        ("$N > 9", True),
        ("$N == 10.0", True),
        ("$N == '10.0'", False),
        ("$N != 10.0", False),
        ("$RATIO < 0.5 and $RATIO >= 0.25", True),
        ("$SCI <= 0.001", True),
        ("$N < -1", False),
        ("$KEEP =~ 'y|yes'", True),
        ("$KEEP =~ 'ye'", False),
        ("a.ok or b-2.ok and c.ok", True),
        ("(a.ok or b-2.ok) and c.ok", False),
        ("a.ok or $MISSING == 'x'", True),
        ("b-2.ok and $MISSING == 'x'", False),
    ],
)
def test_a_condition_holds_or_not(text: str, holds: bool) -> None:
    assert parse_condition(text).holds(FACTS) is holds


@pytest.mark.parametrize(
    "text", ["$MISSING == 'x'", "$KEEP > 1", "$KEEP == 1", "$EMPTY < 1", "not $MISSING == ''"]
)
def test_what_cannot_be_decided_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"has no value|is not a number"):
        parse_condition(text).holds(FACTS)


@pytest.mark.parametrize(
    "text",
    [
        *("", "$KEEP", "a", "a.done", "a.ok.failed", "a.ok == 'x'", "$KEEP == a.ok", "and", "(a.ok"),
        *("a.ok)", "not", "a.ok b.ok", "$KEEP = 'x'", "$keep == 'x'", "$KEEP == 'x", "1 + 1 == 2", "import"),
        *("$KEEP =~ $N", "$KEEP =~ '('", "$KEEP == 1x", "a.ok; b.ok", "f($KEEP)", "$KEEP[0] == ''", "a.ok\0"),
        *("(" * 30 + "a.ok" + ")" * 30, "not " * 30 + "a.ok", "a.ok or " * 200 + "a.ok"),
    ],
)  # fmt: skip
def test_nothing_else_can_be_written(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # many different texts
        parse_condition(text)


def test_a_condition_says_what_it_refers_to() -> None:
    condition = parse_condition("a.ok and ($X == $Y or not b.failed)")
    assert (set(condition.names), set(condition.steps)) == ({"X", "Y"}, {"a", "b"})


_words = st.sampled_from(
    [
        "$KEEP",
        "$N",
        "'x'",
        "a.ok",
        "and",
        "or",
        "not",
        "(",
        ")",
        "==",
        "<",
        "=~",
        "1",
        "-",
        " ",
        "\n",
        "é",
        "$",
        '"',
    ]
)


@given(st.lists(_words, max_size=14).map(" ".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        condition = parse_condition(text)
    except ValueError:
        return
    try:
        assert condition.holds(FACTS) in (True, False)
    except ValueError:
        return

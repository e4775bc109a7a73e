"""A query and what Prometheus prints of it become one text; queries of another meaning do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.slo.rules.normal import normal_query


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("sum by () (rate(a[5m]))", "sum(rate(a[5m]))"),
        ("sum(rate(a[90m])) by (x)", "sum by (x) (rate(a[1h30m]))"),
        ("rate(a[7d]) > 14.40 * 0.00050", "rate(a[1w])>14.4*0.0005"),
        ("a{x='1', b=~`5..`,}", 'a{b=~"5..",x="1"}'),
        ('a{x="\\u00e9\\n"}', "a{x='é\\x0a'}"),
        ("a{} # all\n+ b", "a + b"),
        ("a AND ON () b", "a and on() b"),
        ("max(sum(a) without (x)) by (y)", "max by(y) (sum without(x) (a))"),
        ("0x10 + 1e-3", "16 + 0.001"),
    ],
    ids=[
        "no labels",
        "labels after",
        "numbers",
        "matchers",
        "escapes",
        "comment",
        "words",
        "nested",
        "bases",
    ],
)
def test_spelling_makes_no_difference(written: str, printed: str) -> None:
    assert normal_query(written) == normal_query(printed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a > 1", "a >= 1"),
        ("rate(a[5m])", "rate(a[5h])"),
        ("a and b", "a or b"),
        ('a{x="1"}', 'a{x="2"}'),
        ('a{x="1"}', 'a{x=~"1"}'),
        ('a{x="b c"}', 'a{x="bc"}'),
        ("sum by (x) (a)", "sum without (x) (a)"),
        ("sum without () (a)", "sum(a)"),
        ("a - (b - c)", "a - b - c"),
        ("(1 - a) / b", "1 - a / b"),
        ("max(a)", "min(a)"),
        ("a * on () b", "a * b"),
        ('a{x="\\""}', 'a{x="\\\\"}'),
    ],
)
def test_meaning_does(one: str, other: str) -> None:
    assert normal_query(one) != normal_query(other)


@pytest.mark.parametrize(
    "text", ["{" * 9000, "sum(" * 9000, "sum by (" * 5000, '"', "a{", "'\\", "[" * 100_000, "\x00\u202e{,,,}"]
)
def test_what_is_no_query_comes_to_an_end(text: str) -> None:
    assert isinstance(normal_query(text), str)


@given(st.text(alphabet="ab{}()[],\"'`=~!<> \\1.5mhsumby-", max_size=60))
def test_one_text_has_one_spelling(text: str) -> None:
    once = normal_query(text)
    assert normal_query(f"  {text}\n") == once
    assert isinstance(normal_query(once), str)

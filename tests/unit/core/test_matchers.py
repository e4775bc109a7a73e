"""Matchers of alerts: one text for one set, and what narrows."""

from __future__ import annotations

import pytest

from maestro_cli.core.errors import UsageError
from maestro_cli.core.matchers import Matcher, matchers_text, parse_matchers
from maestro_cli.core.refs import parse_object_ref


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("alertname=Slow", "alertname=Slow"),
        ('b="x", a=y', "a=y,b=x"),
        ('a=~"x|y"', "a=~x|y"),
        ('a="x, y",b!=z', 'a="x, y",b!=z'),
        ('a!~"\\"q\\""', 'a!~"\\"q\\""'),
        ('a=""', 'a=""'),
        ('"k8s.pod.name"=x, b=y', 'b=y,"k8s.pod.name"=x'),
        ('"a" = x', "a=x"),
        ('"\\"é\\",x"!~"y z|"', '"\\"é\\",x"!~"y z|"'),
    ],
)
def test_one_set_has_one_text(text: str, same: str) -> None:
    assert matchers_text(parse_matchers(text)) == same
    assert parse_matchers(same) == parse_matchers(text)
    assert parse_object_ref(f"silence/{text}").name == same


@pytest.mark.parametrize("text", ["Slow", "a", "=x", "a=b c", "1a=b", 'a="b', "a=b,a=b", "a=b;c=d e", '""=a'])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_matchers(text)


@pytest.mark.parametrize(
    ("matcher", "narrows"),
    [
        (Matcher("a", "x"), True),
        (Matcher("a", ""), False),
        (Matcher("a", "x", is_equal=False), False),
        (Matcher("a", "x|y", is_regex=True), True),
        (Matcher("a", ".*", is_regex=True), False),
        (Matcher("a", ".+", is_regex=True), False),
        (Matcher("a", "(?s).{1,999}", is_regex=True), False),
        (Matcher("a", "x|", is_regex=True), False),
        (Matcher("a", "x", is_regex=True, is_equal=False), False),
    ],
)
def test_what_takes_everything_in_narrows_nothing(matcher: Matcher, narrows: bool) -> None:
    assert matcher.narrows is narrows


def test_an_expression_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        _ = Matcher("a", "(", is_regex=True).narrows

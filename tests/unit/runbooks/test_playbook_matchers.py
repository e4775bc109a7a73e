"""Which matchers of two playbooks no alert can satisfy together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.runbooks.playbooks.matchers import parse_matcher


@pytest.mark.parametrize(
    ("one", "other", "excludes"),
    [
        ("a=x", "a=y", True),
        ("a=x", "b=y", False),
        ("a=x", "a!=x", True),
        ('a=~"page|critical"', "a=ticket", True),
        ('a=~"page|critical"', 'a=~"critical|ticket"', False),
        ('a=~"page|critical"', 'a=~"ticket|info"', True),
        ('a=~".*-availability"', 'a=~".*-latency"', True),
        ('a=~".*-latency"', 'a=~".*-model-latency"', False),
        ('a=~"fraud.*"', 'a=~"risk.*"', True),
        ('a=~"fraud.*"', 'a=~"fraud-v2.*"', False),
        ('a=~"fraud.*"', 'a=~".*-latency"', False),
        ('a=~"fraud.*"', 'a=~"fraudster|risk"', False),
        ('a=~"fraud.*"', 'a=~"fraux|risk"', True),
        ('a=~".*mid.*"', 'a=~"x.*"', False),
        ('a=~".*mid.*"', 'a=~"low|high"', True),
        ('a=~".*"', 'a=~"x.*"', False),
        ('a=~"(page)"', "a=ticket", True),
        ('a=~"(page)"', 'a=~"ticket"', False),  # not so plain: nobody tells
    ],
)
def test_what_two_matchers_exclude(one: str, other: str, excludes: bool) -> None:
    left, right = parse_matcher(one), parse_matcher(other)
    assert (left.excludes(right), right.excludes(left)) == (excludes, excludes)


_WORDS = st.text("ab", max_size=3)
_SHAPES = st.tuples(st.sampled_from(["", ".*"]), _WORDS, st.sampled_from(["", ".*"])).map("".join)
_EXPRESSIONS = st.lists(_SHAPES, min_size=1, max_size=2).map("|".join)


@given(one=_EXPRESSIONS, other=_EXPRESSIONS, text=st.text("ab", max_size=5))
def test_what_satisfies_both_is_excluded_by_neither(one: str, other: str, text: str) -> None:
    left, right = parse_matcher(f'a=~"{one}"'), parse_matcher(f'a=~"{other}"')
    if left.holds({"a": text}) and right.holds({"a": text}):
        assert not left.excludes(right)


@pytest.mark.parametrize("text", ['"k8s.pod.name"="p-1"', '"k8s.pod.name"=~"p-.*"', '"é x" != y'])
def test_a_label_of_any_name_is_compared_where_it_is_in_quotes(text: str) -> None:
    matcher = parse_matcher(text)
    assert matcher.holds({"k8s.pod.name": "p-1", "é x": "z"})
    assert not matcher.holds({"k8s.pod.name": "q", "é x": "y"})
    assert parse_matcher(str(matcher)) == matcher


@pytest.mark.parametrize("text", ["k8s.pod.name=p-1", '""=x', '"a=x', "é=x"])
def test_a_label_of_another_name_is_refused_without_them(text: str) -> None:
    with pytest.raises(ValueError, match="is not a matcher"):
        parse_matcher(text)

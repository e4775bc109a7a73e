"""One selector for two counters takes the series of both, and each series is told as PromQL would."""

from __future__ import annotations

import pytest

from maestro_cli.slo.measuring.latency import quantile
from maestro_cli.slo.measuring.selectors import joined, parse_selector


@pytest.mark.parametrize(
    ("text", "labels", "is_taken"),
    [
        ("up", {"__name__": "up"}, True),
        ("up", {"__name__": "upp"}, False),
        ('up{job="a"}', {"__name__": "up", "job": "a"}, True),
        ('up{job=~"a|b",}', {"__name__": "up", "job": "ab"}, False),
        ('up{job!="a"}', {"__name__": "up"}, True),
        ('up{job=""}', {"__name__": "up"}, True),
        ('up{job!~"a.*"}', {"__name__": "up", "job": "abc"}, False),
        ("up{job='it\\'s'}", {"__name__": "up", "job": "it's"}, True),
        ('up{job="\\x41\\n"}', {"__name__": "up", "job": "A\n"}, True),
        ("up{job=`a\\d`}", {"__name__": "up", "job": "a\\d"}, True),
        ('{__name__=~"u.", job="}"}', {"__name__": "up", "job": "}"}, True),
    ],
)
def test_a_selector_takes_what_prometheus_would(text: str, labels: dict[str, str], is_taken: bool) -> None:
    selector = parse_selector(text)
    assert selector.takes(labels) is is_taken
    assert parse_selector(str(selector)) == selector


@pytest.mark.parametrize("text", ["", "{}", "rate(up[5m])", "up{job}", 'up{job=~"("}', "up[5m]", "a b"])
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_selector(text)


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        ('r{a="1"}', 'r{a="1",code=~"5.."}', '{__name__="r",a="1"}'),
        ('r{a="1"}', 'r{a="2"}', None),
        ('q{a="1"}', 'r{a="1"}', '{__name__=~"q|r",a="1"}'),
        ('h_count{a="1"}', 'h_bucket{a="1",le="0.5"}', '{__name__=~"h_bucket|h_count",a="1",le=~"0\\\\.5|"}'),
        ('q{a="1"}', 'r{a="1",code="500"}', None),
    ],
)
def test_two_selectors_are_one_where_it_takes_few_others(first: str, second: str, one: str | None) -> None:
    found = joined(parse_selector(first), parse_selector(second))
    assert (None if found is None else str(found)) == one


def test_a_quantile_lies_in_its_bucket_and_has_no_end_in_the_last() -> None:
    buckets = {0.1: 50.0, 0.5: 90.0, float("inf"): 100.0}
    assert quantile(buckets, 0.5) == (0.1, False)
    assert quantile(buckets, 0.7) == pytest.approx((0.3, False))
    assert quantile(buckets, 0.95) == (0.5, True)
    assert quantile({0.1: 0.0, float("inf"): 0.0}, 0.5) is None
    assert quantile({0.1: 5.0}, 0.5) is None

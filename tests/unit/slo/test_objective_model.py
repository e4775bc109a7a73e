"""An objective answers for itself: what it counts, what it asks Prometheus, and for which workload it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from maestro_cli.core.refs import WorkloadRef
from maestro_cli.slo.files.promql import indicator_of
from maestro_cli.slo.objectives import (
    Calendar,
    Counters,
    ErrorRatio,
    Indicator,
    Latency,
    Objective,
    Queries,
    Recovery,
    Threshold,
)
from maestro_cli.slo.rules.alerts import rule_file
from maestro_cli.slo.windows import PROFILES

MONTH = 30 * 86400.0
PROMISE = Objective("a", "a", "fraud", 0.99, MONTH, Counters("all_total", "bad_total"), {})
HISTOGRAM = 'seconds{namespace="ml"}'


def of(indicator: Indicator) -> Objective:
    return replace(PROMISE, indicator=indicator)


@pytest.mark.parametrize(
    ("indicator", "asks"),
    [
        (
            Counters("all_total", "bad_total"),
            "(sum by (pod) (rate(bad_total[5m])) or 0 * sum by (pod) (rate(all_total[5m])))"
            " / sum by (pod) (rate(all_total[5m]))",
        ),
        (
            Latency(HISTOGRAM, 0.1),
            '1 - sum by (pod) (rate(seconds_bucket{namespace="ml", le="0.1"}[5m]))'
            ' / sum by (pod) (rate(seconds_count{namespace="ml"}[5m]))',
        ),
        (
            Latency("seconds", 0.1, native=True),
            "1 - histogram_fraction(0, 0.1, sum by (pod) (rate(seconds[5m])))",
        ),
        (
            Latency("seconds", 0.1, native=True, total="all_total"),
            "1 - histogram_fraction(0, 0.1, sum by (pod) (rate(seconds[5m])))"
            " * histogram_count(sum by (pod) (rate(seconds[5m]))) / sum by (pod) (rate(all_total[5m]))",
        ),
        (Queries("sum(a[$window])", bad="sum(b[$window])"), "(sum(b[5m])) / (sum(a[5m]))"),
        (Queries("sum(a[$window])", good="sum(g[$window])"), "1 - (sum(g[5m])) / (sum(a[5m]))"),
        (ErrorRatio("1 - avg_over_time(up[$window])"), "(1 - avg_over_time(up[5m]))"),
        (
            Threshold("up", "gte", 1.0),
            "1 - sum by (pod) (sum_over_time((((up) >= -Inf) >= bool 1)[5m:]))"
            " / sum by (pod) (count_over_time((((up) >= -Inf) >= bool 1)[5m:]))",
        ),
    ],
    ids=["counters", "latency", "native", "native-of-all", "bad-query", "good-query", "ratio", "threshold"],
)
def test_the_share_of_bad_events_is_asked_for_as_the_indicator_has_it(
    indicator: Indicator, asks: str
) -> None:
    assert of(indicator).error_ratio("5m", "pod") == asks


def test_queries_whose_labels_do_not_matter_become_one_number() -> None:
    asked = of(Queries("sum by (a) (x[$window])", bad="y[$window]")).error_ratio("30d", "")
    assert asked == "(sum(y[30d]) or 0 * sum(sum by (a) (x[30d]))) / sum(sum by (a) (x[30d]))"


def test_a_histogram_counts_by_the_bucket_at_its_threshold() -> None:
    good = Counters('seconds_count{namespace="ml"}', good='seconds_bucket{namespace="ml", le="0.1"}')
    assert of(Latency(HISTOGRAM, 0.1)).counters == good
    assert of(Latency(HISTOGRAM, 0.1, total="all_total")).counters == Counters("all_total", good=good.good)
    assert of(Latency(HISTOGRAM, 0.1, native=True)).counters is None


def test_a_whole_number_of_seconds_is_a_bucket_of_prometheus_2_and_of_3() -> None:
    counters = of(Latency("seconds", 1.0)).counters
    assert counters is not None
    assert counters.good == 'seconds_bucket{le=~"1([.]0)?"}'


@pytest.mark.parametrize(
    "indicator",
    [Queries("a", "b"), ErrorRatio("x"), Threshold("x", "lt", 1.0), Recovery("rto", 900.0)],
    ids=lambda one: type(one).__name__,
)
def test_what_has_no_counters_says_so(indicator: Indicator) -> None:
    assert of(indicator).counters is None
    assert not of(indicator).counts_errors


def test_only_bad_events_are_errors() -> None:
    assert PROMISE.counts_errors
    assert not of(Counters("all_total", good="good_total")).counts_errors
    assert not of(Latency(HISTOGRAM, 0.1)).counts_errors


@pytest.mark.parametrize(
    ("good", "total", "found"),
    [
        ('s_bucket{le="0.2"}', "s_count", Latency("s", 0.2)),
        (
            's_bucket{a="b", le="0.2", c=~"d,}"}',
            's_count{c=~"d,}", a="b"}',
            Latency('s{a="b", c=~"d,}"}', 0.2),
        ),
        ('s_bucket{a="b", le="0.2"}', "s_count", Latency('s{a="b"}', 0.2, total="s_count")),
        ('s_bucket{le="0.2"}', "other_count", Latency("s", 0.2, total="other_count")),
        ('s_bucket{le="+Inf"}', "s_count", None),
        ('s_bucket{le=~"0.1|0.2"}', "s_count", None),
        ("good_total", "all_total", None),
    ],
    ids=["bare", "matchers", "other-matchers", "other-metric", "infinite", "regex", "counters"],
)
def test_a_bucket_is_a_latency_and_says_of_what_where_it_is_of_others(
    good: str, total: str, found: Latency | None
) -> None:
    expected = Counters(total, None, good) if found is None else found
    assert indicator_of(total=total, bad=None, good=good) == expected


def test_what_drills_measure_has_no_rules_and_no_budget_of_metrics() -> None:
    recovery = of(Recovery("rto", 900.0))
    assert recovery.echo == "RTO of at most 15m00s"
    assert rule_file([recovery], PROFILES["production"]) == {"groups": []}
    with pytest.raises(ValueError, match="not told by metrics"):
        recovery.error_ratio("5m")


@pytest.mark.parametrize(
    ("unit", "says"),
    [
        ("week", "1h40m of a calendar week"),
        ("month", "6h43m to 7h26m of a calendar month"),
        ("quarter", "21h36m to 22h04m of a calendar quarter"),
        ("year", "3d15h of a calendar year"),
    ],
)
def test_what_a_calendar_allows_is_said_from_its_shortest_to_its_longest(unit: str, says: str) -> None:
    calendar = Calendar(unit, "Europe/Zurich", date(2026, 1, 1))  # type: ignore[arg-type]
    assert replace(PROMISE, calendar=calendar).echo == f"99 % = {says}"


@pytest.mark.parametrize(
    ("query", "is_ours"),
    [
        ('up{namespace="ml", deployment="fraud"} == 1', True),
        ('up{namespace="ml", deployment="ranking"} == 1', False),
        ('a{namespace="ml", deployment="fraud"} / b{namespace="ml", deployment="ranking"}', True),
    ],
    ids=["one", "another", "several-name-none"],
)
def test_a_query_names_a_workload_where_it_names_one_only(query: str, is_ours: bool) -> None:
    """Where it names several, the service decides."""
    assert of(ErrorRatio(query)).is_for(WorkloadRef("Deployment", "ml", "fraud")) is is_ours


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (30.0, "7h12m of 30 days"),
        (31.0, "7h26m of 31 days"),
        (31 + 1 / 24, "7h27m of 31d01h"),
        (28.0, "6h43m of 28 days"),
        (1.0, "14m24s of 1 day"),
        (0.25, "3m36s of 6h00m"),
    ],
)
def test_what_is_promised_is_said_in_time_of_the_window_that_is_measured(days: float, says: str) -> None:
    promise = replace(PROMISE, target=0.99, window_seconds=30 * 86400.0)
    assert promise.echo_of(days * 86400) == f"99 % = {says}"


def test_a_promise_of_calendar_months_is_said_as_of_any_of_them_and_of_no_week() -> None:
    calendar = Calendar("month", "Europe/Zurich", date(2026, 1, 1))
    promise = replace(PROMISE, target=0.99, calendar=calendar)
    assert promise.echo_of(28 * 86400.0 - 3600) == promise.echo
    assert promise.echo_of(7 * 86400.0) == "99 % = 1h40m of 7 days"
    recovery = replace(PROMISE, indicator=Recovery("rto", 900.0))
    assert recovery.echo_of(86400.0) == "RTO of at most 15m00s"

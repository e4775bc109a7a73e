"""Queries of files keep what they count: both sides of a ratio in one unit, and matchers that are some."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_cli.config.strict import dump_yaml
from maestro_cli.slo.files.promql import as_written, indicator_of, mixes_units
from maestro_cli.slo.files.reading import find_in_text
from maestro_cli.slo.measuring.steps import query_of
from maestro_cli.slo.objectives import Counters, Queries
from tests.contract.slo.sloth.cases import Case, cases, spec_of
from tests.unit.slo.test_openslo_files import ratio
from tests.unit.slo.test_slo_objectives import metric

TWO_RATES = "sum(rate(a[$window])) + sum(rate(b[$window]))"
TWO_COUNTS = TWO_RATES.replace("rate", "increase")
QUOTED = 'x{"http.code"="500"}'


def sloth(error: str, total: str) -> str:
    slo: dict[str, Any] = {"name": "a", "objective": 99.9}
    slo["sli"] = {"events": {"error_query": error, "total_query": total}}
    return dump_yaml({"version": "prometheus/v1", "service": "shop", "slos": [slo]})


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_file_that_the_real_sloth_reads_is_read_as_the_same_objective(case: Case) -> None:
    (found,) = find_in_text(dump_yaml(spec_of(case)), "slo.yaml").objectives
    assert (found.name, found.target) == (case.objective.name, case.objective.target)
    assert found.indicator == case.objective.indicator


@pytest.mark.parametrize(
    ("bad", "total", "wanted"),
    [
        (TWO_RATES, "sum(rate(t[$window]))", "sum(rate(t[$window]))"),
        (TWO_COUNTS, "sum(increase(t[$window]))", "sum(increase(t[$window]))"),
        (TWO_RATES, "sum(rate(t[1m]))", "sum(rate(t[$window]))"),
        (TWO_RATES, "t", "sum(rate(t[$window]))"),
        (TWO_RATES, "sum(t)", "sum(rate(t[$window]))"),
        (TWO_COUNTS, "t", "sum(increase(t[$window]))"),
    ],
    ids=["rates", "counts", "another-range", "bare-of-rates", "bare-sum-of-rates", "bare-of-counts"],
)
def test_both_sides_of_a_ratio_are_of_one_unit(bad: str, total: str, wanted: str) -> None:
    assert indicator_of(total=total, bad=bad, good=None) == Queries(wanted, bad=bad)
    assert indicator_of(total=bad, bad=None, good=total) == Queries(bad, good=wanted)


def test_rates_are_measured_as_counts_on_both_sides_or_on_neither() -> None:
    rates = query_of(Queries("sum(rate(t[$window]))", bad=TWO_RATES))
    assert [rates.count(f"label_replace({seconds} * sum(") for seconds in (300, 600)] == [2, 2]
    assert rates.count("label_replace(") == 4
    for total, bad in (("increase(t[$window])", TWO_COUNTS), ("increase(t[$window])", TWO_RATES)):
        assert "300 *" not in query_of(Queries(total, bad=bad))


@pytest.mark.parametrize(
    ("bad", "total"),
    [
        (TWO_RATES, TWO_COUNTS),
        (TWO_COUNTS, TWO_RATES),
        (TWO_RATES, "sum(increase(t[$window]))"),
        (TWO_COUNTS, "sum(irate(t[$window]))"),
    ],
    ids=["two", "two of all", "one", "irate"],
)
def test_a_rate_and_a_count_are_no_ratio_and_are_named_when_the_file_is_read(bad: str, total: str) -> None:
    texts = {
        "slos[0].sli.events": sloth(*(one.replace("$window", "{{.window}}") for one in (bad, total))),
        ".total.metricSource.spec.query": dump_yaml(ratio(bad=metric(bad), total=metric(total))),
    }
    for key, text in texts.items():
        found = find_in_text(text, "slo.yaml")
        (broken,) = found.broken
        assert broken.key.endswith(key)
        assert broken.line is not None
        assert "by the second" in broken.what
        assert found.objectives == ()


def test_what_counts_by_a_label_called_rate_is_a_count() -> None:
    bad = """sum(increase(a{b="rate("}[$window])) + sum(increase(b[$window]))"""
    assert not mixes_units(indicator_of(total=TWO_COUNTS, bad=bad, good=None))
    assert not mixes_units(
        indicator_of(total="sum(increase(t[$window]))", bad="sum(rate(b[$window]))", good=None)
    )


@pytest.mark.parametrize(
    "selector",
    ['x{code~"5.."}', 'x{code=~"5(?=x)"}', 'x{code=~"5[.."}', "x{code}"],
    ids=["sign", "lookahead", "open", "no-value"],
)
def test_matchers_that_prometheus_would_refuse_are_named_when_the_file_is_read(selector: str) -> None:
    good = "sum(rate(t[{{.window}}]))"
    for error in (f"sum(rate({selector}[{{{{.window}}}}]))", f"2 * sum(rate({selector}[{{{{.window}}}}]))"):
        found = find_in_text(sloth(error, good), "slo.yaml")
        (broken,) = found.broken
        assert (broken.key, found.objectives) == ("slos[0].sli.events.error_query", ())
        assert broken.line is not None
        assert "selects nothing" in broken.what
    (broken,) = find_in_text(dump_yaml(ratio(bad=metric(selector), total=metric("t"))), "slo.yaml").broken
    assert broken.key.endswith("bad.metricSource.spec.query")


def test_braces_in_a_text_are_no_matchers() -> None:
    query = """label_replace(x{a="b"}, "c", "{d~}", 'e', `f{`)"""
    assert as_written(query) == query


def test_names_in_quotes_are_counted_by_queries() -> None:
    (found,) = find_in_text(
        sloth(f"sum(rate({QUOTED}[{{{{.window}}}}]))", "sum(rate(x[{{.window}}]))"), "slo.yaml"
    ).objectives
    assert found.indicator == Queries("sum(rate(x[$window]))", bad=f"sum(rate({QUOTED}[$window]))")
    assert indicator_of(total="x", bad=QUOTED, good=None) == Queries(
        "sum(increase(x[$window]))", bad=f"sum(increase({QUOTED}[$window]))"
    )
    assert isinstance(indicator_of(total="x", bad='x{code="500"}', good=None), Counters)

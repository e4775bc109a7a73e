"""A month of October on a real Prometheus, scraped every two minutes: what gaps leave open, and what not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.cross_check import cross_check
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.window import month_span
from maestro_cli.slo.objectives import Counters, Objective
from maestro_cli.sources.prometheus_raw import RawPrometheus
from tests.contract.recorded_prometheus import recorded_prometheus

pytestmark = pytest.mark.contract
MONTH = month_span("2026-10", "Europe/Berlin")  # the clocks change in it
NOW = MONTH.end + timedelta(days=2)
SCRAPE = 120
EVENTS, BAD = 1000, 0.5  # a scrape: 99.95 % are good
# a service and the share of the month in which nobody scraped it, in so many gaps
GAPS = {
    "whole": (0.0, 1),
    "hundredth": (0.01, 1),
    "fifth": (0.2, 1),
    "fifths": (0.2, 30),
    "hundredths": (0.01, 30),
}


def _is_seen(name: str, at: float) -> bool:
    share, many = GAPS[name]
    period = MONTH.seconds / many
    return not period * 0.4 <= at % period < period * (0.4 + share)


def _samples() -> Iterator[str]:
    for name in GAPS:
        for code in ("200", "500"):
            for number in range(-3, round(MONTH.seconds) // SCRAPE + 1):
                at, bad = number * SCRAPE, int(BAD * (number + 10))
                if at < 0 or _is_seen(name, at):
                    value = bad if code == "500" else EVENTS * (number + 10) - bad
                    told = f'm_total{{service="{name}",job="api",instance="{name}:1",code="{code}"}}'
                    yield f"{told} {value} {MONTH.start.timestamp() + at:.0f}"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawPrometheus]:
    text = "\n".join(("# TYPE m counter", *_samples(), "# EOF", ""))
    with recorded_prometheus(tmp_path_factory.mktemp("month"), text, block_hours=2048) as url:
        source = RawPrometheus(Endpoint(url=url))
        yield source
        source.close()


@pytest.mark.parametrize(
    ("name", "verdict", "coverage"),
    [
        ("whole", Verdict.PASS, 1.0),
        ("hundredth", Verdict.PASS, 0.99),
        ("hundredths", Verdict.PASS, 0.99),
        ("fifth", Verdict.INDETERMINATE, 0.8),
        ("fifths", Verdict.INDETERMINATE, 0.8),
    ],
)
def test_a_month_of_which_a_fifth_was_not_seen_is_open_and_one_of_a_hundredth_is_not(
    name: str, verdict: Verdict, coverage: float, prometheus: RawPrometheus
) -> None:
    total = f'm_total{{service="{name}"}}'
    counters = Counters(total=total, bad=f'm_total{{service="{name}",code=~"5.."}}')
    objective = Objective(name, name, name, 0.999, MONTH.seconds, counters, {})
    found = measure(objective, MONTH, Outside(prometheus, NOW))
    assert found.judgement.verdict is verdict
    assert found.coverage == pytest.approx(coverage, abs=0.003)
    assert found.ratio == pytest.approx(0.9995, abs=1e-6)
    assert found.total == EVENTS * (MONTH.seconds // SCRAPE)
    assert MONTH.seconds == 31 * 86400 + 3600
    strict = measure(replace(objective, target=0.9996), MONTH, Outside(prometheus, NOW))
    assert strict.judgement.verdict is (Verdict.FAIL if verdict is Verdict.PASS else Verdict.INDETERMINATE)


def test_what_promql_counts_of_a_month_is_compared_and_what_gaps_explain_is_no_difference(
    prometheus: RawPrometheus,
) -> None:
    for name in GAPS:
        total = f'm_total{{service="{name}"}}'
        counters = Counters(total=total, bad=f'm_total{{service="{name}",code=~"5.."}}')
        objective = Objective(name, name, name, 0.999, MONTH.seconds, counters, {})
        found = measure(objective, MONTH, Outside(prometheus, NOW))
        assert cross_check(found, prometheus).startswith("PromQL agrees: increase() gives ")
        minutes = found.minutes
        assert minutes is not None
        twice = replace(found, minutes=replace(minutes, total=tuple(2 * n for n in minutes.total)))
        assert cross_check(twice, prometheus).startswith("PROMQL DIFFERS")

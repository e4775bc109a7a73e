"""A latency of native histograms is measured within its own bounds, on a Prometheus that has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.burning import burn_query, read_rates, unanswered
from maestro_cli.slo.measuring.measure import Outside, measure
from maestro_cli.slo.measuring.window import rolling
from maestro_cli.slo.objectives import Latency, Objective
from maestro_cli.sources.prometheus_raw import RawPrometheus
from tests.contract.recorded_prometheus import running_prometheus
from tests.contract.slo.native_histograms import Histogram, write

pytestmark = pytest.mark.contract
START = datetime(2026, 10, 1, tzinfo=UTC)
MINUTES, LEAD = 6 * 60, 30
SPAN = rolling(START + timedelta(minutes=MINUTES), MINUTES * 60.0)
FAST, SLOW = 97, 3  # of each minute: within an eighth of a second, and in half of one
RESTART = 200  # a process began again in that minute, and counts from nothing
FEATURES = ("--enable-feature=native-histograms", "--web.enable-remote-write-receiver")


def _counted(*, restarts: bool) -> Iterator[Histogram]:
    """Buckets that end at 1/8, 1/4 and 1/2 s; a minute has one sample, half a minute in."""
    for minute in range(-LEAD, MINUTES):
        many = minute - RESTART if restarts and minute >= RESTART else minute + LEAD
        at = START + timedelta(minutes=minute, seconds=30)
        yield Histogram(round(at.timestamp() * 1000), -3, (FAST * (many + 1), 0, SLOW * (many + 1)))


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawPrometheus]:
    with running_prometheus(tmp_path_factory.mktemp("native"), *FEATURES) as url:
        names = {"steady": False, "restarted": True}
        write(
            url,
            [
                (
                    {"__name__": "wait_seconds", "job": name, "instance": "a"},
                    list(_counted(restarts=restarts)),
                )
                for name, restarts in names.items()
            ],
        )
        source = RawPrometheus(Endpoint(url=url))
        yield source
        source.close()


def objective(service: str, threshold_seconds: float, target: float = 0.95) -> Objective:
    kind = Latency(f'wait_seconds{{job="{service}"}}', threshold_seconds, native=True)
    return Objective(service, service, service, target, MINUTES * 60.0, kind, {})


@pytest.mark.parametrize("service", ["steady", "restarted"])
@pytest.mark.parametrize(
    ("threshold", "truth"), [(0.125, 0.97), (0.25, 0.97), (0.5, 1.0), (0.0625, 0.0)], ids=str
)
def test_the_share_that_was_fast_is_within_what_is_stated(
    prometheus: RawPrometheus, service: str, threshold: float, truth: float
) -> None:
    found = measure(objective(service, threshold), SPAN, Outside(prometheus, SPAN.end))
    assert found.bounds is not None
    assert found.ratio == pytest.approx(truth, abs=1e-6)
    assert found.bounds.low - 1e-9 <= truth <= found.bounds.high + 1e-9
    assert found.total == pytest.approx(MINUTES * (FAST + SLOW), rel=0.02)
    assert (found.coverage > 0.97, found.exact) == (True, False)


@pytest.mark.parametrize(("target", "verdict"), [(0.9, Verdict.PASS), (0.99, Verdict.FAIL)])
def test_a_promise_of_it_is_judged(prometheus: RawPrometheus, target: float, verdict: Verdict) -> None:
    found = measure(objective("steady", 0.125, target), SPAN, Outside(prometheus, SPAN.end))
    assert found.judgement.verdict is verdict


def test_its_burn_is_known(prometheus: RawPrometheus) -> None:
    one = objective("steady", 0.125)
    answer = prometheus.query(burn_query(one), at=SPAN.end).samples
    assert unanswered(answer, one) == ""
    rates = [rate for rate in read_rates(answer, one).values() if rate is not None]
    assert rates == pytest.approx([0.03 / 0.05] * len(rates), rel=1e-6)

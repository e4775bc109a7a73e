"""What versions did, by a real Prometheus over a recorded hour of two replicas."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.cost.unit.usage import Scope
from maestro_cli.cost.unit.version_usage import measure_versions
from maestro_cli.cost.unit.versions import Spend, extras, version_costs
from maestro_cli.sources.prometheus import Prometheus
from tests.contract.recorded_prometheus import recorded_prometheus

pytestmark = pytest.mark.contract

T0 = datetime(2026, 1, 1, tzinfo=UTC)
HOUR_SECONDS = 3600
FRAUD = {"namespace": "ml", "deployment": "fraud"}
V1, V2 = {"model": "fraud", "version": "1"}, {"model": "fraud", "version": "2"}
REQUESTS = "maestro_inference_requests_total"
# series of one replica → how much it grows each second
RATES: tuple[tuple[str, dict[str, str], float], ...] = (
    (REQUESTS, {**V1, "code": "200", "route": "direct"}, 8.0),
    (REQUESTS, {**V1, "code": "500", "route": "direct"}, 1.0),
    (REQUESTS, {**V1, "code": "200", "route": "canary-probe"}, 1.0),
    (REQUESTS, {**V2, "code": "200", "route": "direct"}, 2.0),
    (REQUESTS, {"model": "_unknown", "version": "_unknown", "code": "404", "route": "direct"}, 0.5),
    ("maestro_inference_duration_seconds_sum", V1, 0.1),
    ("maestro_inference_duration_seconds_sum", V2, 0.1),
    ("maestro_inference_duration_seconds_bucket", {**V1, "le": "0.1"}, 9.0),
    ("maestro_inference_duration_seconds_bucket", {**V1, "le": "0.2"}, 10.0),
    ("maestro_inference_duration_seconds_bucket", {**V1, "le": "+Inf"}, 10.0),
    ("maestro_judged_answers_total", {**V1, "verdict": "right"}, 0.9),
    ("maestro_judged_answers_total", {**V1, "verdict": "wrong"}, 0.1),
    ("maestro_inference_fallbacks_total", {**V1, "code": "500"}, 0.5),
    ("maestro_inference_rows_total", V1, 9.0),
    ("maestro_inference_rows_total", V2, 3.0),
    ("maestro_shadow_rows_total", {"route": "mirror", "result": "agree"}, 4.0),
)


def _history() -> Iterator[str]:
    """OpenMetrics wants the series of one name together."""
    for name in dict.fromkeys(name for name, _, _ in RATES):
        yield f"# TYPE {name.removesuffix('_total')} {'counter' if name.endswith('_total') else 'unknown'}"
        for at in range(0, HOUR_SECONDS + 1, 15):
            for replica in ("a", "b"):
                for _, labels, rate in (one for one in RATES if one[0] == name):
                    told = {**FRAUD, **labels, "pod": f"fraud-{replica}", "job": "pods"}
                    text = ",".join(f'{key}="{value}"' for key, value in told.items())
                    yield f"{name}{{{text}}} {rate * at} {T0.timestamp() + at:.0f}"
    yield "# EOF\n"


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with recorded_prometheus(tmp_path_factory.mktemp("versions"), "\n".join(_history())) as url:
        source = Prometheus(Endpoint(url), timeout_seconds=30)
        yield source
        source.close()


def test_what_versions_did_in_an_hour(metrics: Prometheus) -> None:
    end, scope = T0 + timedelta(hours=1), Scope("ml", probes=(("route", "canary-probe"),))
    (fraud,) = measure_versions(metrics, scope, end, HOUR_SECONDS)
    one, two = fraud.versions
    both = 2 * HOUR_SECONDS
    near = pytest.approx
    assert (one.model, one.version, two.version) == ("fraud", "1", "2")
    assert one.predictions == near(8 * both, rel=0.01)
    assert one.requests == near(10 * both, rel=0.01)
    assert one.failed == near(both, rel=0.01)
    assert one.probes == near(both, rel=0.01)
    assert one.retries == near(0.5 * both, rel=0.01)
    assert one.seconds == near(0.1 * both, rel=0.01)
    assert one.p95_seconds == near(0.15, rel=0.01)
    assert one.accuracy == near(0.9, rel=0.01)
    assert (two.accuracy, two.probes, two.retries) == (None, 0, 0)
    assert fraud.unserved == near(0.5 * both, rel=0.01)
    assert fraud.rows == near(12 * both, rel=0.01)
    assert fraud.shadow_rows == near(4 * both, rel=0.01)


def test_the_versions_share_the_cost_by_their_time_and_the_extras_are_told(metrics: Prometheus) -> None:
    end, scope = T0 + timedelta(hours=1), Scope("ml", "fraud", probes=(("route", "canary-probe"),))
    (fraud,) = measure_versions(metrics, scope, end, HOUR_SECONDS)
    one, two = version_costs(fraud, Spend(None, 0.16), value=0.02)
    assert [one.share, two.share] == pytest.approx([0.5, 0.5])
    assert one.per_million == pytest.approx(0.08 / (8 * 2 * HOUR_SECONDS) * 1e6, rel=0.01)
    assert two.per_million == pytest.approx(0.08 / (2 * 2 * HOUR_SECONDS) * 1e6, rel=0.01)
    assert one.earned_per_million == 20_000
    told = {extra.what: extra.cost for extra in extras(fraud, Spend(None, 0.16))}
    assert told == {
        "shadow rows": pytest.approx(0.16 * 4 / 16, rel=0.01),
        "retries": pytest.approx(0.16 * 0.5 / 12.5, rel=0.01),
        "failures": pytest.approx(0.16 / 12, rel=0.01),
        "probes": pytest.approx(0.16 / 12, rel=0.01),
    }


def test_without_probes_named_all_that_succeeded_are_predictions(metrics: Prometheus) -> None:
    (fraud,) = measure_versions(metrics, Scope("ml"), T0 + timedelta(hours=1), HOUR_SECONDS)
    assert fraud.versions[0].predictions == pytest.approx(9 * 2 * HOUR_SECONDS, rel=0.01)
    assert fraud.versions[0].probes == 0


def test_nothing_that_was_seen_is_nothing(metrics: Prometheus) -> None:
    assert measure_versions(metrics, Scope("other"), T0 + timedelta(hours=1), HOUR_SECONDS) == ()

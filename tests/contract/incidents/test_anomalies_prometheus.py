"""The queries of anomalies against a real Prometheus over two hours of a service that ends up wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.incidents.intake.anomalies.model import Measure
from maestro_cli.incidents.intake.anomalies.patrol import Patrol
from maestro_cli.incidents.intake.anomalies.projection import AnomalyProjection
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.journal.store import Journal
from maestro_cli.sources.prometheus import Prometheus
from tests.contract.recorded_prometheus import recorded_prometheus
from tests.unit.incidents.world import T0, SetClock

pytestmark = pytest.mark.contract

STEP, LENGTH, WRONG = 15, 7200, 360  # seconds: of a scrape, of the record, of what is wrong at its end
POD = "fraud-5d8f9c7b6d-x7k2p"


def counter(name: str, labels: str, rate: float, wrong_rate: float) -> Iterator[str]:
    """A counter that grows by one rate, and by another at the end."""
    for second in range(0, LENGTH + 1, STEP):
        wrong = max(0, second - (LENGTH - WRONG))
        value = rate * (second - wrong) + wrong_rate * wrong
        yield f"{name}{{{labels}}} {value:.3f} {T0.timestamp() - LENGTH + second:.0f}"


def gauge(name: str, labels: str, value: float, wrong_value: float) -> Iterator[str]:
    for second in range(0, LENGTH + 1, STEP):
        now = wrong_value if second > LENGTH - WRONG else value
        yield f"{name}{{{labels}}} {now:.3f} {T0.timestamp() - LENGTH + second:.0f}"


def openmetrics() -> str:
    fraud, calm = f'namespace="ml",deployment="fraud",pod="{POD}"', 'namespace="web",deployment="calm"'
    in_pod = f'namespace="ml",pod="{POD}",container="server"'
    inference, http = "maestro_inference", "http"
    lines: list[str] = [f"# TYPE {inference}_requests counter"]
    lines += counter(f"{inference}_requests_total", f'{fraud},code="200"', 20, 18)
    lines += counter(f"{inference}_requests_total", f'{fraud},code="500"', 0.02, 2)
    lines.append(f"# TYPE {inference}_duration_seconds histogram")
    for le, rate, wrong in (("0.1", 18.0, 2.0), ("0.5", 20.0, 4.0), ("2", 20.0, 20.0), ("+Inf", 20.0, 20.0)):
        lines += counter(f"{inference}_duration_seconds_bucket", f'{fraud},le="{le}"', rate, wrong)
    lines.append("# TYPE maestro_judged_answers counter")
    for verdict, rate, wrong in (("right", 9.5, 6.0), ("wrong", 0.5, 4.0)):
        labels = f'{fraud},version="1",verdict="{verdict}"'
        lines += counter("maestro_judged_answers_total", labels, rate, wrong)
    lines += [
        "# TYPE container_memory_working_set_bytes gauge",
        *gauge("container_memory_working_set_bytes", in_pod, 400, 950),
        "# TYPE container_spec_memory_limit_bytes gauge",
        *gauge("container_spec_memory_limit_bytes", in_pod, 1000, 1000),
        f"# TYPE {http}_requests counter",
        *counter(f"{http}_requests_total", f'{calm},code="200"', 5, 5),
        "# EOF",
        "",
    ]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with recorded_prometheus(tmp_path_factory.mktemp("prometheus"), openmetrics()) as url:
        prometheus = Prometheus(Endpoint(url), timeout_seconds=60)
        yield prometheus
        prometheus.close()


def test_each_measure_that_goes_wrong_is_found_and_the_quiet_service_is_not(
    recorded: Prometheus, tmp_path: Path
) -> None:
    clock = SetClock(T0 - timedelta(seconds=WRONG))
    projections = (IncidentProjection(), AnomalyProjection())
    journal = Journal(tmp_path / "journal.db", projections=projections, clock=clock)
    patrol = Patrol(recorded, journal, clock, "watch")
    patrol.look()
    assert patrol.current() == ()
    clock.advance(WRONG)
    patrol.look()
    found = {one.measure: one for one in patrol.current()}
    assert {str(one.service) for one in found.values()} == {"ml/fraud"}
    assert set(found) == set(Measure) - {Measure.REQUEST_RATE}
    assert found[Measure.ERROR_RATIO].text.startswith("error ratio 10.0 %, usually 0.1 % to 0.1 %")
    assert found[Measure.SATURATION].value == pytest.approx(0.95)
    assert found[Measure.ACCURACY].value == pytest.approx(0.6, abs=0.01)
    assert found[Measure.LATENCY].value > 1
    journal.close()

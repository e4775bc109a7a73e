"""What is said where nothing of a window was measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.config.settings import CostTelemetry
from maestro_cli.core.errors import NoData
from maestro_cli.core.facts.metrics import Instant, Sample
from maestro_cli.cost.cluster_series import ClusterSeries
from maestro_cli.services.costs import windows
from tests.unit.cost.budgets.metered_month import metered_days

METERED = metered_days(1)
UNMEASURED = replace(METERED, coverage=METERED.coverage * 0.0)


def services(*, is_scraped: bool) -> Any:
    """A FAKE context, and a Prometheus that has the use of containers at this moment, or has it not."""

    def query(promql: str, *, at: datetime) -> Instant:
        assert promql == 'container_cpu_usage_seconds_total{cluster="eu"}'
        return Instant(promql, at, (Sample({}, 1.0, at),) if is_scraped else ())

    named = SimpleNamespace(team=(), model=(), version=())
    telemetry = CostTelemetry()
    costs = SimpleNamespace(labels=named, sends_to=None, telemetry=telemetry)
    return SimpleNamespace(
        context=SimpleNamespace(costs=costs),
        context_name="test",
        cluster_series=ClusterSeries({"cluster": "eu"}),
        raw_prometheus=None,
        prometheus=SimpleNamespace(query=query),
    )


@pytest.mark.parametrize(
    ("is_scraped", "is_over", "why"),
    [
        (True, False, "for less than the whole minutes that costs are told by"),
        (False, False, "Prometheus has no container_cpu_usage_seconds_total of cAdvisor in these hours"),
        (True, True, "Prometheus has no container_cpu_usage_seconds_total of cAdvisor in these hours"),
    ],
)
def test_what_is_scraped_since_a_moment_is_not_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch, is_scraped: bool, is_over: bool, why: str
) -> None:
    monkeypatch.setattr(windows, "meter", lambda *_: UNMEASURED)
    minutes = timedelta(minutes=1 if is_over else -1)
    with pytest.raises(NoData) as told:
        windows.meter_hours(services(is_scraped=is_scraped), METERED.hours, METERED.hours.end + minutes)
    assert why in told.value.why
    assert (told.value.what.endswith("yet"), "two minutes" in told.value.fix) == (
        is_scraped and not is_over,
    ) * 2

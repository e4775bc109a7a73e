"""What is missing is missing, never zero."""

from __future__ import annotations

import pytest

from maestro_cli.config.settings import Responders
from maestro_cli.cost.spans.incident import IncidentCost, incident_cost

FULL = Responders(hourly_rate=120, value_per_request=0.05, replica_hourly_rate=0.8, currency="EUR")


def cost(rates: Responders, errors: float | None = 200.0) -> IncidentCost:
    return incident_cost(
        rates, responders=2, response_seconds=1800, errors_served=errors, replicas=3, incident_seconds=3600
    )


def test_each_line_follows_its_formula() -> None:
    found = cost(FULL)
    assert [line.amount for line in found.lines] == pytest.approx([120.0, 10.0, 2.4])
    assert found.total == pytest.approx(132.4)
    assert found.currency == "EUR"
    assert found.missing == ()


def test_a_missing_rate_leaves_the_total_unknown() -> None:
    found = cost(Responders(hourly_rate=120))
    assert [line.amount for line in found.lines] == [120.0, None, None]
    assert found.total is None
    assert found.known == 120.0
    assert found.missing == ("value_per_request", "replica_hourly_rate")


@pytest.mark.parametrize("errors", [None, float("nan"), float("inf")])
def test_a_missing_measure_is_missing_and_not_zero(errors: float | None) -> None:
    found = cost(FULL, errors)
    assert found.lines[1].amount is None
    assert found.missing == ("errors_served",)


def test_a_true_zero_is_zero() -> None:
    assert cost(FULL, 0.0).lines[1].amount == 0.0

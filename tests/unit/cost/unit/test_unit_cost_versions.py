"""The cost of a service is shared out over its versions, and adds up."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.verdict import Verdict
from maestro_cli.cost.allocation.model import Allocation, Component, Row, RowKind
from maestro_cli.cost.metering.model import Hours, NodeRef
from maestro_cli.cost.prices.model import ALWAYS, PriceBook, PriceVersion, Resource
from maestro_cli.cost.prices.split import RATIO, node_rates
from maestro_cli.cost.unit.figure import Usage, break_even_rate
from maestro_cli.cost.unit.version_usage import ServiceTraffic, VersionUsage
from maestro_cli.cost.unit.versions import (
    NOTHING_KNOWN,
    Spend,
    arms_per_million,
    extras,
    replica_spend,
    shares_of,
    version_costs,
)
from maestro_cli.services.costs.machine_spends import spends_of

ONE = VersionUsage(
    "ml", "fraud", "fraud", "1", predictions=900.0, requests=1000.0, failed=100.0, seconds=30.0
)
TWO = replace(ONE, version="2", predictions=100.0, requests=100.0, failed=0.0, seconds=10.0)
BOTH = ServiceTraffic("ml", "fraud", (ONE, TWO))


def test_the_share_is_that_of_time_and_a_slow_version_is_dear() -> None:
    one, two = version_costs(BOTH, Spend(2.0, 4.0), budget=10_000)
    assert (one.share, two.share) == (0.75, 0.25)
    assert one.per_million == pytest.approx(4.0 * 0.75 / 900 * 1e6)
    assert two.per_million == pytest.approx(4.0 * 0.25 / 100 * 1e6)
    assert two.direct_per_million == pytest.approx(2.0 * 0.25 / 100 * 1e6)
    assert (one.verdict, two.verdict) == (Verdict.PASS, Verdict.PASS)
    (_, dear) = version_costs(BOTH, Spend(2.0, 4.0), budget=5_000)
    assert dear.verdict is Verdict.FAIL


def test_without_the_time_of_all_the_number_of_requests_stands_for_it() -> None:
    assert shares_of([ONE, replace(TWO, seconds=None)]) == (1000 / 1100, 100 / 1100)
    assert shares_of([ONE, VersionUsage("ml", "fraud", "fraud", "3", None)]) == (1.0, 0.0)
    assert shares_of([replace(ONE, requests=0.0, seconds=0.0)]) == (None,)


@pytest.mark.parametrize(
    ("usage", "spend", "said"),
    [
        (ONE, NOTHING_KNOWN, "nothing prices"),
        (ONE, replica_spend(Usage("ml", "fraud", 60, 9.0, 60.0, 1.0), None), "nothing prices"),
        (ONE, replica_spend(Usage("ml", "fraud", 60, 9.0, 60.0, 1.0), 0.0), "nothing prices"),
        (replace(ONE, predictions=0.0), Spend(None, 1.0), "no prediction succeeded"),
        (replace(ONE, predictions=None), Spend(None, 1.0), "no measurement"),
        (ONE, Spend(None, 1.0, 0.5), "50%"),
    ],
)
def test_what_is_not_known_is_no_figure_and_no_pass(usage: VersionUsage, spend: Spend, said: str) -> None:
    (found,) = version_costs(ServiceTraffic("ml", "fraud", (usage,)), spend, budget=1e9)
    assert found.verdict is Verdict.INDETERMINATE
    assert found.judgement is not None
    assert said in found.judgement.reason
    assert (found.per_million is None) is (said != "50%")


def test_extras_that_there_were_none_of_are_not_told() -> None:
    (failures,) = extras(BOTH, Spend(None, 11.0))
    assert (failures.what, failures.count) == ("failures", 100.0)
    assert failures.cost == pytest.approx(1.0)
    (unpriced,) = extras(BOTH, NOTHING_KNOWN)
    assert unpriced.cost is None


def test_arms_that_are_versions_cost_what_their_time_does() -> None:
    spends = {("ml", "fraud"): Spend(None, 4.0)}
    one, two, none = arms_per_million([BOTH], spends, ("1", "2", "3"), "fraud")
    assert one == pytest.approx(4.0 * 0.75 / 900 * 1e6)
    assert two == pytest.approx(4.0 * 0.25 / 100 * 1e6)
    assert none is None


def test_arms_that_are_services_share_their_cost_out_as_one() -> None:
    """A canary of one replica with a tenth of the traffic is not ten times as dear as what is beside it."""
    stable = ServiceTraffic("ml", "fraud", (replace(ONE, predictions=900.0, seconds=9.0),))
    canary = ServiceTraffic("ml", "canary", (replace(TWO, service="canary", seconds=1.0),))
    spends = {("ml", "fraud"): Spend(None, 1.0), ("ml", "canary"): Spend(None, 1.0)}
    mine, usual = arms_per_million([stable, canary], spends, ("canary", "fraud"))
    assert mine == pytest.approx(usual) == pytest.approx(2.0 / 1000 * 1e6)


def test_an_arm_whose_service_has_no_known_cost_has_no_figure() -> None:
    unknown = {("ml", "fraud"): NOTHING_KNOWN}
    assert arms_per_million([BOTH], unknown, ("1", "2"), "fraud") == (None, None)
    assert arms_per_million([], {}, ("1", "2"), "fraud") == (None, None)


def test_a_lower_bound_may_be_over_the_budget_and_is_never_within_it() -> None:
    """With machines that have no price, more than is known was spent."""
    spend = Spend(1.0, 1.0, unpriced=("nodes: m5.large eu on-demand",))
    (within,) = version_costs(ServiceTraffic("ml", "fraud", (ONE,)), spend, budget=1e9)
    (over,) = version_costs(ServiceTraffic("ml", "fraud", (ONE,)), spend, budget=1.0)
    (unjudged,) = version_costs(ServiceTraffic("ml", "fraud", (ONE,)), spend)
    assert [one.verdict for one in (within, over, unjudged)] == [
        Verdict.INDETERMINATE,
        Verdict.FAIL,
        Verdict.INDETERMINATE,
    ]
    assert within.judgement is not None
    assert "m5.large" in within.judgement.reason


def test_what_a_workload_was_allocated_is_what_its_service_cost() -> None:
    costs = {Component.CPU: 2.0, Component.IDLE: 1.0, Component.OVERHEAD: 0.5}
    rows = (
        Row(("ml", "ml/deploy/fraud"), RowKind.SPENDER, costs, {}, {}),
        Row(("ml", "ml/svc/fraud"), RowKind.SPENDER, {Component.OVERHEAD: 0.25}, {}, {}),  # its load balancer
        Row(("", ""), RowKind.IDLE, {Component.CPU: 9.0}, {}, {}),
    )
    hours = Hours(datetime(2026, 1, 1, tzinfo=UTC), 1)
    allocation = Allocation("c", "USD", hours, ("namespace", "workload"), rows, {}, 0.75, ("x",))
    assert spends_of(allocation) == {("ml", "fraud"): Spend(2.75, 3.75, 0.75, ("x",))}


@given(
    st.lists(
        st.builds(
            VersionUsage,
            st.just("ml"),
            st.just("s"),
            st.just("m"),
            st.text(),
            predictions=st.floats(1, 1e9),
            requests=st.floats(1, 1e9),
            seconds=st.none() | st.floats(1e-3, 1e9),
        ),
        min_size=1,
        max_size=6,
    ),
    st.floats(1e-6, 1e9),
)
def test_the_costs_of_the_versions_add_up_to_that_of_the_service(
    versions: list[VersionUsage], cost: float
) -> None:
    found = version_costs(ServiceTraffic("ml", "s", tuple(versions)), Spend(None, cost))
    parts = ((one.per_million or 0.0) * (one.usage.predictions or 0.0) / 1e6 for one in found)
    assert math.fsum(parts) == pytest.approx(cost, rel=1e-9)


@pytest.mark.parametrize(
    ("cores", "gib", "gpus", "hourly", "rate"),
    [(2, 4, 0, 0.0802, 4.45), (8, 32, 0, 0.388, 21.6), (4, 16, 1, 1.144, 63.6)],
)
def test_the_break_even_rates_at_list_prices(
    cores: float, gib: float, gpus: float, hourly: float, rate: float
) -> None:
    """What answers to $5 a million at OpenCost's list prices, computed by hand for the research."""
    book = PriceBook.of("USD", [PriceVersion(ALWAYS, on_demand=RATIO)])
    has = {
        resource: np.array([amount]) for resource, amount in zip(Resource, (cores, gib, gpus), strict=True)
    }
    found = node_rates(book, NodeRef("n"), Hours(datetime(2026, 1, 1, tzinfo=UTC), 1), has, np.ones(1))
    assert float(found.hourly[0]) == pytest.approx(hourly, rel=2e-3)
    assert break_even_rate(float(found.hourly[0]), 5.0) == pytest.approx(rate, rel=2e-3)

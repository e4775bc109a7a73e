"""Reports of what was recorded have the same bytes at any minute of any later day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.cost.metering.model import HOUR
from maestro_cli.output.pages import page_of
from maestro_cli.output.renderers.cost_allocation import allocation_view, report_view, show_view, top_view
from maestro_cli.output.renderers.cost_budgets import budget_view, budgets_view, outlook_view
from maestro_cli.output.renderers.cost_versions import version_costs_view
from maestro_cli.output.renderers.cost_what_if import what_if_view
from maestro_cli.output.renderers.costs import unit_costs_view
from maestro_cli.output.views import Report
from maestro_cli.output.writer import csv_of, json_text, markdown_of
from maestro_cli.services import GlobalOptions, Services
from maestro_cli.services.costs.budgets import BudgetsWanted
from maestro_cli.services.costs.unit_costs import UnitCostWanted
from maestro_cli.services.costs.wanted import AllocationWanted, CostWindow
from maestro_cli.services.costs.what_if import WhatIfWanted
from tests.contract.cost.test_metering_prometheus import MINUTES, SCRAPE, START, Lived, text
from tests.contract.recorded_prometheus import recorded_prometheus
from tests.unit.journal.hand_clock import HandClock

pytestmark = pytest.mark.contract

MADE = START + timedelta(hours=2, minutes=5, seconds=17, microseconds=3)
LATER = (MADE + timedelta(minutes=52), MADE + timedelta(days=41, hours=7, minutes=13))
RECORD = "three.tar.gz"
PRICES = """
currency: EUR
replica_hourly_rate: 0.05
CPU: 0.03
RAM: 0.004
GPU: 0.9
spotCPU: 0.01
spotRAM: 0.001
nodes: [{type: m5, hourly: 0.40}, {type: m5, hourly: 0.10, capacity: spot}]
"""
BUDGETS = "maestro: budgets/v1\ncurrency: EUR\nbudgets: {all: {amount: 700}}\n"
UNTIL = f"{MADE:%Y-%m-%dT%H:%M:%SZ}"


class NoSignals:
    def cooperative(self) -> Cancellation:
        return Cancellation()


def served() -> Iterator[str]:
    """A model server, as Prometheus saw it."""
    one = {"namespace": "ml", "deployment": "fraud", "job": "serving", "instance": "10.0.0.1:8080"}
    answered = {**one, "model": "fraud", "version": "1", "code": "200"}
    for name, labels, growth in (("up", one, None), ("maestro_inference_requests_total", answered, 5.0)):
        yield f"# TYPE {name.removesuffix('_total')} {'gauge' if growth is None else 'counter'}"
        yield from Lived(name, labels, 1.0, 1, MINUTES, growth).lines()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("any-day")
    whole = text().replace("# EOF\n", "\n".join([*served(), "# EOF", ""]))
    with recorded_prometheus(folder, whole, f"--query.lookback-delta={SCRAPE - 1}s") as found:
        yield found


@pytest.fixture
def services(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    (tmp_path / "maestro").mkdir()
    (tmp_path / "maestro" / "config.yaml").write_text(
        f'current_context: lab\ncontexts: {{lab: {{prometheus: {{url: "{url}"}}, '
        "costs: {prices: prices.yaml, budgets: [budgets.yaml]}}}"
    )
    (tmp_path / "maestro" / "prices.yaml").write_text(PRICES)
    (tmp_path / "maestro" / "budgets.yaml").write_text(BUDGETS)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAESTRO_CONTEXT", raising=False)
    with Services(GlobalOptions(), NoSignals()) as built:
        yield built


def at(services: Services, instant: datetime) -> Services:
    services.clock = clock = HandClock()
    clock.instant = instant
    return services


KEPT = CostWindow(record=Path(RECORD))
MONTH = BudgetsWanted(record=Path(RECORD))
UNIT = UnitCostWanted(everywhere=True, window="1h", until=UNTIL, budget=5.0)
BY_MACHINES = replace(UNIT, machines=True, until=f"{START + 2 * HOUR:%Y-%m-%dT%H:%M:%SZ}")  # a full hour
CHANGES = WhatIfWanted(KEPT, replicas=("ml/deploy/fraud=2",), spot=("all=50%",))
REPORTS: dict[str, Callable[[Services], Report]] = {
    "show": lambda one: show_view(one.allocation(AllocationWanted(KEPT)), "bars"),
    "top": lambda one: top_view(one.allocation(AllocationWanted(KEPT, "workload")), 5),
    "allocate": lambda one: allocation_view(one.allocation(AllocationWanted(KEPT, "pod"))),
    "report": lambda one: report_view(one.cost_report(AllocationWanted(KEPT))),
    "budget list": lambda one: budgets_view(one.budgets_of_month(MONTH)),
    "budget show": lambda one: budget_view(one.budgets_of_month(replace(MONTH, name="all"))),
    "forecast": lambda one: outlook_view(one.month_outlook(MONTH, "namespace", ""), 20),
    "what-if": lambda one: what_if_view(one.what_if(CHANGES)),
    "unit": lambda one: unit_costs_view(one.unit_costs(UNIT)),
    "unit of versions": lambda one: version_costs_view(one.version_costs(replace(UNIT, machines=False))),
    "unit by machines": lambda one: version_costs_view(one.version_costs(BY_MACHINES)),
}


def forms(view: Report) -> tuple[str, ...]:
    return json_text(view.body()), markdown_of(view), csv_of(view), page_of(view, "Costs")


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_of_what_was_recorded_is_the_same_at_any_minute_of_any_day(
    name: str, services: Services
) -> None:
    at(services, MADE).allocation(AllocationWanted(CostWindow("3h"), write=Path(RECORD)))
    first, second, third = (forms(REPORTS[name](at(services, instant))) for instant in (MADE, *LATER))
    assert first == second == third


def test_a_budget_of_a_record_is_that_of_the_minute_in_which_it_was_made(services: Services) -> None:
    found = at(services, MADE)
    live = found.budgets_of_month(BudgetsWanted(history="0d"))
    window = CostWindow(f"{(live.now - live.since) // HOUR + 1}h")
    found.allocation(AllocationWanted(window, write=Path(RECORD)))
    again = at(services, LATER[1]).budgets_of_month(MONTH)
    assert (again.now, again.items[0].standing) == (live.now, live.items[0].standing)
    assert again.now == MADE

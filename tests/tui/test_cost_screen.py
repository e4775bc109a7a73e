"""The screen of costs: its rows add up, and Enter goes into one until there is nothing more within."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from textual.pilot import Pilot

from maestro_cli.cost.allocation.model import Component, Row, RowKind
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.costs import COSTS, CostRow, cost_target, open_within
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import FactRead
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, tell, until
from tests.tui.facts import HOSTILE
from tests.tui.facts_of_costs import cost_rows

SERVICES = SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False))
AT = Place("cost", "", "prod")


def test_it_shows_who_spends_which_share_and_what_nobody_used() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(COSTS.of("prod"), cost_rows(HOSTILE), NOW))
        await until(pilot, lambda: "(idle)" in screen_text(app), "the rows")
        text = screen_text(app)
        assert "50.0%" in text
        assert "\x1b" not in text

    run_app(console, script, place=Place("cost"))


def _one(key: str, name: str, where: str, kind: RowKind = RowKind.SPENDER) -> CostRow:
    return CostRow(key, where, Row((name,), kind, {Component.CPU: 1.0}, {}, {}), 1.0, "USD", 1.0)


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (_one("namespace", "ml", ""), Place("cost", "namespace=ml", "prod")),
        (_one("team", "risk", "namespace=ml"), Place("cost", "namespace=ml,team=risk", "prod")),
        (_one("namespace", 'a"b,c', ""), Place("cost", r'namespace="a\"b,c"', "prod")),
        (_one("workload", "ml/deploy/fraud", "namespace=ml"), Place("rollout", "ml/deploy/fraud", "prod")),
        (_one("namespace", "", "", RowKind.IDLE), Place("cost", "", "prod")),
    ],
)
def test_enter_goes_into_a_row(row: CostRow, place: Place) -> None:
    assert open_within(cost_target(row, AT)) == place


def test_what_a_row_selects_is_what_the_filter_reads() -> None:
    from maestro_cli.cost.allocation.grouping import Filter

    found = open_within(cost_target(_one("namespace", HOSTILE, ""), AT)).argument
    (matcher,) = Filter.parse(found).matchers
    assert (matcher.label, matcher.value) == ("namespace", HOSTILE)

"""At 80 columns what is needed of a row is whole, with usual values, whatever gives way for it."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_cli.output.views import Listing
from maestro_cli.tui.screens.model import Moment, TableScreen
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.store.model import Scope
from maestro_cli.tui.widgets.columns import NEEDED, laid_out_whole, priority_of
from tests.tui.cases import NOW
from tests.tui.facts import FACTS

ROOM = 80 - 3  # without the cursor, the mark and a blank
OTHER = 40  # how wide every other column would like to be

# By screen: the columns that somebody at three in the morning has to read, with what they usually say.
USUAL = {
    "incidents": {"no": "#1204", "severity": "sev2", "state": "mitigated", "age": "3m05s",
                  "where": "ml/deploy/fraud", "title": "fraud answers with errors"},
    "services": {"service": "fraud-scoring", "requests": "50.3/s", "errors": "19.00%", "p95": "1204 ms",
                 "burn": "critical, budget gone in 1h10m"},
    "objectives": {"objective": "fraud-availability", "verdict": "INDETERMINATE", "window": "30d",
                   "budget left": "overspent by 30.0%", "burn": "recovering"},
    "journal": {"seq": "123456", "time": "2026-11-26T19:45:28.755Z", "kind": "incident.postmortem_written"},
    "pods": {"name": "fraud-7c9d8b6f54-x2v7k", "ready": "1/1", "status": "CrashLoopBackOff",
             "restarts": "12 (3m ago)"},
    "nodes": {"name": "ip-10-0-112-41.internal", "status": "NotReady,SchedulingDisabled"},
    "workloads": {"workload": "ml/deploy/fraud", "ready": "3/3", "status": "progressing"},
    "changes": {"change": "chg-1m8cp7fwm169je", "state": "rolled_back",
                "what": "roll back ml/deploy/fraud to 4"},
    "experiments": {"experiment": "resource-exhaustion", "state": "interrupted",
                    "last verdict": "INDETERMINATE (130)"},
    "silences": {"state": "active", "alerts": "alertname=HighErrorRate"},
}  # fmt: skip


def columns_of(screen: TableScreen) -> list[Any]:
    data = next(iter(FACTS[screen.id]().values()))
    listing: Listing[Any] = screen.listing(screen.rows(data), Moment(NOW, Scope(("prod",), "ml"), "prod"))
    return list(listing.columns)


@pytest.mark.parametrize("name", USUAL)
def test_what_is_needed_of_a_row_is_whole_at_80_columns(name: str) -> None:
    screen = every_screen()[name]
    assert isinstance(screen, TableScreen)
    columns, usual = columns_of(screen), USUAL[name]
    widths = [max(len(usual.get(one.title, "x" * OTHER)), len(one.title)) for one in columns]
    shown = {columns[index].title: width for index, width in laid_out_whole(widths, columns, ROOM).shown}
    cut = {title: value for title, value in usual.items() if shown.get(title, 0) < len(value)}
    assert not cut, shown


@pytest.mark.parametrize("name", USUAL)
def test_what_is_called_needed_has_a_usual_value_here(name: str) -> None:
    screen = every_screen()[name]
    assert isinstance(screen, TableScreen)
    needed = {one.title for one in columns_of(screen)[1:] if priority_of(one) <= NEEDED}
    assert needed <= set(USUAL[name])

"""`python -m tests.bench.table_scene ROWS`: a full screen with one table; `u` starts and ends its changes.

Fifty rows are other ones ten times a second, so 500 a second; the choice is seeded.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, replace

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.timer import Timer

from maestro_cli.output.views import Column
from maestro_cli.tui.widgets.fact_table import FactTable

CHANGED_AT_ONCE = 50
EVERY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Row:
    """As wide as a pod in `maestro pod list -o wide`."""

    name: str
    namespace: str
    status: str
    ready: str
    restarts: int
    age: str
    node: str
    zone: str
    address: str
    why: str


COLUMNS: tuple[Column[Row], ...] = (
    Column("name", lambda row: row.name),
    Column("namespace", lambda row: row.namespace),
    Column("status", lambda row: row.status, tone=lambda row: "good" if row.status == "Running" else "bad"),
    Column("ready", lambda row: row.ready),
    Column("restarts", lambda row: row.restarts, right=True),
    Column("age", lambda row: row.age, right=True),
    Column("node", lambda row: row.node),
    Column("zone", lambda row: row.zone, wide=True),
    Column("address", lambda row: row.address, wide=True),
    Column("why", lambda row: row.why, wide=True),
)


def rows(count: int) -> list[Row]:
    """The same ones each time."""
    return [
        Row(
            f"pod-{n:05d}", f"team-{n % 12}", "Running" if n % 9 else "CrashLoopBackOff", "1/1", n % 5,
            f"{n % 23}h{n % 60:02d}m", f"node-{n % 40}", f"zone-{n % 3}", f"10.244.{n % 40}.{n % 250}",
            "back-off of a container that ended with 137" if n % 9 == 0 else "",
        )
        for n in range(count)
    ]  # fmt: skip


class Scene(App[None]):
    BINDINGS = [Binding("u", "change", "Change"), Binding("q", "quit", "Quit")]  # noqa: RUF012

    def __init__(self, count: int) -> None:
        super().__init__()
        self._rows = rows(count)
        self._chance = random.Random(7)
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield FactTable()

    def on_mount(self) -> None:
        self._show()
        self.query_one(FactTable).focus()

    def _show(self) -> None:
        self.query_one(FactTable).show(COLUMNS, self._rows, lambda row: row.name)

    def action_change(self) -> None:
        if self._timer is None:
            self._timer = self.set_interval(EVERY_SECONDS, self._change)
        else:
            self._timer.stop()
            self._timer = None

    def _change(self) -> None:
        fresh = list(self._rows)
        for place in self._chance.sample(range(len(fresh)), CHANGED_AT_ONCE):
            fresh[place] = replace(fresh[place], restarts=fresh[place].restarts + 1)
        self._rows = fresh
        self._show()


if __name__ == "__main__":
    Scene(int(sys.argv[1])).run()

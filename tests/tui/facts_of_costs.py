"""What a day cost, as the console shows it: two namespaces, one with a hostile name, and what nobody used."""

from __future__ import annotations

from maestro_cli.cost.allocation.model import Component, Row, RowKind
from maestro_cli.tui.screens.costs import CostRow, Spent


def _row(name: str, kind: RowKind, cpu: float, used: float, total: float) -> CostRow:
    costs = {Component.CPU: cpu, Component.MEMORY: cpu / 2}
    row = Row((name,), kind, costs, {"cpu": 24.0}, {"cpu": used}, {"cpu": 24.0})
    return CostRow("namespace", "", row, row.total / total, "USD", 0.98)


def cost_rows(hostile: str) -> tuple[CostRow, ...]:
    """The last of them have no room for a box of their own."""
    small = [_row(f"team-{n}", RowKind.SPENDER, 0.02, 0.01, 60.0) for n in range(6)]
    return (
        _row("ml", RowKind.SPENDER, 20.0, 12.0, 60.0),
        _row(hostile, RowKind.SPENDER, 6.0, 2.0, 60.0),
        _row("search", RowKind.SPENDER, 1.88, 1.5, 60.0),
        *small,
        _row("", RowKind.IDLE, 12.0, 0.0, 60.0),
    )


def spent(hostile: str) -> Spent:
    """The same, of a day whose last hour has begun."""
    rows = cost_rows(hostile)
    return Spent("namespace", "", rows, 60.0, "USD", 0.98, 23.2 * 3600)

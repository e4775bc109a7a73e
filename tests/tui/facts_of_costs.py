"""What a day cost, as the console shows it: two namespaces, one with a hostile name, and what nobody used."""

from __future__ import annotations

from maestro_cli.cost.allocation.model import Component, Row, RowKind
from maestro_cli.tui.screens.costs import CostRow


def _row(name: str, kind: RowKind, cpu: float, used: float, total: float) -> CostRow:
    costs = {Component.CPU: cpu, Component.MEMORY: cpu / 2}
    row = Row((name,), kind, costs, {"cpu": 24.0}, {"cpu": used}, {"cpu": 24.0})
    return CostRow("namespace", "", row, row.total / total, "USD", 0.98)


def cost_rows(hostile: str) -> tuple[CostRow, ...]:
    return (
        _row("ml", RowKind.SPENDER, 20.0, 12.0, 60.0),
        _row(hostile, RowKind.SPENDER, 8.0, 2.0, 60.0),
        _row("", RowKind.IDLE, 12.0, 0.0, 60.0),
    )

"""The ways between the screens of costs: on each of them the same keys, in the same order."""

from __future__ import annotations

from maestro_cli.tui.acting.model import Action, Danger
from maestro_cli.tui.screens.model import Place


def _visit(name: str, key: str, title: str, tooltip: str, screen: str, *command: str) -> Action:
    """Another view of what it costs, of the whole context; also where nothing is chosen."""
    return Action(
        f"cost.{name}",
        title,
        tooltip,
        Danger.OBSERVE,
        lambda target, answers: ("cost", *command),
        key=key,
        opens=lambda target: Place(screen, "", target.context),
        is_of_context=True,
    )


_SPENT = _visit("spent", "e", "Cost", "what the last 24 hours cost, by whom", "cost", "show")
_UNITS = _visit(
    "units", "u", "Unit costs", "a million predictions of each version, beside p95 and right answers",
    "unit-costs", "unit", "-A", "--by", "version",
)  # fmt: skip
_BUDGETS = _visit(
    "budgets", "b", "Budgets", "budgets of money, with forecasts", "cost-budgets", "budget", "list"
)
_FORECAST = _visit(
    "forecast", "f", "Forecast", "what the month comes to, by namespace", "forecast", "forecast"
)
_SIZES = _visit(
    "sizes", "z", "Right-sizing", "how large containers should be", "rightsizing", "rightsize", "-A"
)
_SCREENS = {
    "cost": _SPENT,
    "unit-costs": _UNITS,
    "cost-budgets": _BUDGETS,
    "forecast": _FORECAST,
    "rightsizing": _SIZES,
}


def visits_from(screen: str) -> tuple[Action, ...]:
    """The ways to the others from one of them, or from what one of them opens."""
    return tuple(action for other, action in _SCREENS.items() if other != screen)

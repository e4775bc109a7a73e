"""Actions that experiments name: `{type: python, module: maestro_cli.chaos.actions, func: inject, …}`.

Invariant: they only ask. What is done, is done by the maestro that performs the experiment.
"""

from __future__ import annotations

from typing import Any

from maestro_cli.chaos.line import ask


def inject(fault: str) -> Any:
    """Put in a fault that the extension `maestro` declares, and wait until it proves to have an effect."""
    return ask("inject", fault=fault)


def hold(seconds: float | None = None) -> Any:
    """Leave things as they are, by default as long as the faults may be in force."""
    return ask("hold", seconds=seconds)


def undo(fault: str = "") -> Any:
    """Take a fault back, or all of them; what is over already is none."""
    return ask("undo", fault=fault)


def recovered(fault: str = "") -> Any:
    """Wait until things are as they were, and say how many seconds that took since the undo."""
    return ask("recovered", fault=fault)


def sentinels(seconds: float = 10.0) -> Any:
    """Write numbered, timed sentinels into the region until it is lost, and wait so many seconds."""
    return ask("sentinels", seconds=seconds)


def failover(fault: str) -> Any:
    """Send callers to the other region, by a fault `region-failover` that is declared; gives RTO and RPO."""
    return ask("failover", fault=fault)

"""What an incident cost.

Invariant: a figure that nobody gave is missing, never zero; a total with a missing part is a lower
bound and says so. Each line shows its formula and every input.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from maestro_cli.config.settings import Responders


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line: `amount` in the currency, None while an input is missing."""

    name: str
    formula: str
    inputs: Mapping[str, float | None]
    amount: float | None

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(name for name, value in self.inputs.items() if value is None)


@dataclass(frozen=True, slots=True)
class IncidentCost:
    currency: str
    lines: tuple[CostLine, ...]

    @property
    def known(self) -> float:
        """The sum of the lines that could be computed."""
        return sum(line.amount for line in self.lines if line.amount is not None)

    @property
    def total(self) -> float | None:
        """The sum, None while any line is missing."""
        return None if any(line.amount is None for line in self.lines) else self.known

    @property
    def missing(self) -> tuple[str, ...]:
        """Every input that is missing, once."""
        return tuple(dict.fromkeys(name for line in self.lines for name in line.missing))


def _line(name: str, inputs: Mapping[str, float | None]) -> CostLine:
    """The product of its inputs."""
    usable = {key: value if value is None or math.isfinite(value) else None for key, value in inputs.items()}
    amount: float | None = 1.0
    for value in usable.values():
        amount = None if amount is None or value is None else amount * value
    return CostLine(name, " × ".join(inputs), usable, amount)


def incident_cost(
    rates: Responders,
    *,
    responders: int | None,
    response_seconds: float | None,
    errors_served: float | None,
    replicas: int | None,
    incident_seconds: float | None,
) -> IncidentCost:
    """People's time, lost requests and the machines that served the incident.

    `response_seconds` runs from the first acknowledgement (or opening) to the resolve,
    `incident_seconds` from the first signal to the resolve.
    """
    time = {
        "hourly_rate": rates.hourly_rate,
        "responders": responders,
        "response_hours": _hours(response_seconds),
    }
    lost = {"value_per_request": rates.value_per_request, "errors_served": errors_served}
    machines = {
        "replica_hourly_rate": rates.replica_hourly_rate,
        "replicas": replicas,
        "incident_hours": _hours(incident_seconds),
    }
    lines = (
        _line("responders' time", time),
        _line("requests that failed", lost),
        _line("replicas during the incident", machines),
    )
    return IncidentCost(rates.currency, lines)


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 3600

"""Unit costs of services over one window, with all that they were made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maestro_cli.cost.unit.figure import UnitCost
from maestro_cli.cost.unit.usage import UsageQueries
from maestro_cli.cost.unit.version_usage import VersionQueries
from maestro_cli.cost.unit.versions import Extra, VersionCost


@dataclass(frozen=True, slots=True)
class UnitCosts:
    """`budget` is what a million may cost, in the currency of the price."""

    context: str
    start: datetime
    end: datetime
    replica_hourly_rate: float | None
    currency: str
    budget: float | None
    queries: UsageQueries
    items: tuple[UnitCost, ...]


@dataclass(frozen=True, slots=True)
class VersionCosts:
    """`basis` says what priced the services; `value` is what one prediction earns, in the same currency.

    `replica_hourly_rate` is None where machines priced them.
    """

    context: str
    start: datetime
    end: datetime
    basis: str
    currency: str
    replica_hourly_rate: float | None
    budget: float | None
    value: float | None
    queries: VersionQueries
    items: tuple[VersionCost, ...]
    extras: tuple[Extra, ...]

"""The prices of a context: what its entry says, the file that this names, or a file of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from maestro_cli.config.settings import Responders
from maestro_cli.core.errors import InvalidFile, NoData
from maestro_cli.cost.prices.file import Oddity
from maestro_cli.cost.prices.model import PriceBook
from maestro_cli.cost.prices.observed import observed_book
from maestro_cli.cost.prices.reading import read_prices

if TYPE_CHECKING:
    from maestro_cli.services.costs.root import CostServices

_OBSERVED_HOURS = 24
_FIGURES = ("hourly_rate", "value_per_request", "replica_hourly_rate", "budget_per_million")


@dataclass(frozen=True, slots=True)
class ContextPrices:
    """`figures` price people, requests and replicas; `book` machines, None when nothing does."""

    figures: Responders
    book: PriceBook | None
    oddities: tuple[Oddity, ...] = ()

    def machines(self) -> PriceBook:
        """Raises NoData when nothing prices machines."""
        if self.book is None:
            raise NoData(
                "nothing prices the machines",
                why="the context names no file of prices and no OpenCost that saw any, and none was given",
                fix="--prices FILE, or costs: {prices: FILE} in the context; deploy/local/prices.yaml is one",
            )
        return self.book


def find_prices(services: CostServices, file: Path | None = None) -> ContextPrices:
    """Those of the file; else of the context, whose figures come before those of the file that it names.

    A context without a file has those that its OpenCost saw in the last day. Raises Unreachable and Refused
    for that, and InvalidFile; so when the context and its file have different currencies.
    """
    if file is not None:
        read = read_prices(file)
        return ContextPrices(read.figures, read.book, read.oddities)
    costs = services.context.costs
    own = {name: getattr(costs, name) for name in _FIGURES if getattr(costs, name) is not None}
    if costs.prices is None:
        figures = Responders(currency=costs.currency, **own)
        return ContextPrices(figures, _observed(services) if services.context.opencost else None)
    read = read_prices(Path(costs.prices))
    if own and read.figures.currency != costs.currency:
        raise InvalidFile(
            f"is in {read.figures.currency}",
            file=costs.prices,
            key="currency",
            why=f"the figures of the context are in {costs.currency}",
            fix="one currency for both",
        )
    return ContextPrices(msgspec.structs.replace(read.figures, **own), read.book, read.oddities)


def _observed(services: CostServices) -> PriceBook | None:
    """What OpenCost says that nodes and volumes cost lately, in the currency of the context."""
    end = services.clock.now()
    source = services.opencost
    nodes, disks = source.assets(end - timedelta(hours=_OBSERVED_HOURS), end)
    told = f"OpenCost at {source.url}, assets of the last {_OBSERVED_HOURS} hours"
    return observed_book(nodes, disks, services.context.costs.currency, told)

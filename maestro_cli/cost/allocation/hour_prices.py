"""What holds in each hour, and what was asked for and has no price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from maestro_cli.cost.metering.model import Matrix, Metered
from maestro_cli.cost.prices.model import PriceBook, PriceVersion


@dataclass(slots=True)
class HourPrices:
    """What holds in each hour, and what was asked for and is not there."""

    versions: list[PriceVersion | None]
    unpriced: dict[str, None]

    @classmethod
    def of(cls, metered: Metered, book: PriceBook) -> HourPrices:
        versions = [book.at(metered.hours.beginning(hour)) for hour in range(metered.hours.count)]
        missing = sum(version is None for version in versions)
        named = {f"{missing} hours before the first prices": None} if missing else {}
        return cls(versions, named)

    def row(self, read: Callable[[PriceVersion], float | None], name: str, amounts: Matrix) -> Matrix:
        """The price of each hour; where there is none it is 0, and named if there was an amount."""
        import numpy as np

        found = [None if version is None else read(version) for version in self.versions]
        lacking = np.asarray(
            [
                price is None and version is not None
                for price, version in zip(found, self.versions, strict=True)
            ]
        )
        if (np.nan_to_num(amounts) * lacking).any():
            self.unpriced[name] = None
        return np.asarray([0.0 if price is None else price for price in found])

"""What logs and traces cost: of the namespace that sent them, and overhead where nobody told which.

Invariants: what is priced and was not counted, in some hours or in all, is missing and makes the bill a lower
bound; what no price is for is no part of it, and told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from maestro_cli.cost.allocation.hour_prices import HourPrices
from maestro_cli.cost.allocation.model import Component
from maestro_cli.cost.metering.bins import elapsed
from maestro_cli.cost.metering.model import Matrix, Metered, Signal
from maestro_cli.cost.prices.model import PriceVersion

if TYPE_CHECKING:
    from maestro_cli.cost.allocation.charging import Charges

_COMPONENTS = {
    Signal.LOGS: Component.LOGS,
    Signal.LOG_RECORDS: Component.LOGS,
    Signal.SPANS: Component.TRACES,
}
_PRICES: dict[Signal, tuple[str, Callable[[PriceVersion], float | None]]] = {
    Signal.LOGS: ("per_gib_logged", lambda one: one.per_gib_logged),
    Signal.LOG_RECORDS: ("per_million_log_records", lambda one: one.per_million_log_records),
    Signal.SPANS: ("per_million_spans", lambda one: one.per_million_spans),
}
_AMOUNTS = {Signal.LOGS: "{:.4g} GiB", Signal.LOG_RECORDS: "{:.4g} million", Signal.SPANS: "{:.4g} million"}


def charge_telemetry(charges: Charges, prices: HourPrices, first: int) -> Iterator[tuple[Component, float]]:
    """The first row is `first`; gives what is paid for each signal that has a price."""
    import numpy as np

    metered = charges.metered
    counted = _by_signal(metered)
    for signal, (_, read) in _PRICES.items():
        if not _is_priced(signal, prices):
            continue
        rows, amounts = counted.get(signal, ((), np.full((1, metered.hours.count), np.nan)))
        _name_uncounted(metered, prices, signal, amounts)
        if rows:
            row = prices.row(read, signal.value, np.nansum(amounts, axis=0))
            costs = np.nan_to_num(amounts) * row
            charges.of(_COMPONENTS[signal])[[first + one for one in rows]] += costs
            yield _COMPONENTS[signal], float(costs.sum())


def _name_uncounted(metered: Metered, prices: HourPrices, signal: Signal, amounts: Matrix) -> None:
    """Of the hours that are over and in which a price holds, those in which nobody counted the signal."""
    import numpy as np

    is_over = elapsed(metered.hours, metered.measured_until) > 0
    read = _PRICES[signal][1]
    is_priced = np.asarray([one is not None and read(one) is not None for one in prices.versions])
    lacking = int((np.isnan(amounts).all(axis=0) & is_over & is_priced).sum())
    if lacking:
        prices.unpriced[f"{signal.value} of {lacking} hours in which nobody counted them"] = None


def telemetry_notes(metered: Metered, prices: HourPrices) -> Iterator[str]:
    """What is priced and nobody counted, and what was counted and has no price."""
    import numpy as np

    counted = _by_signal(metered)
    for signal, (key, _) in _PRICES.items():
        is_priced = _is_priced(signal, prices)
        if is_priced and signal not in counted:
            yield f"no {signal.value} in the bill: nobody counted them ({key} prices them)"
        elif signal in counted and not is_priced and (whole := float(np.nansum(counted[signal][1]))):
            yield f"no {signal.value} in the bill: {_AMOUNTS[signal].format(whole)} without a price ({key})"


def _by_signal(metered: Metered) -> dict[Signal, tuple[Sequence[int], Matrix]]:
    """The rows of each signal that was counted, and their amounts."""
    found: dict[Signal, tuple[Sequence[int], Matrix]] = {}
    if metered.telemetry_amounts is None:
        return found
    for signal in Signal:
        rows = [number for number, one in enumerate(metered.telemetry) if one.signal is signal]
        if rows:
            found[signal] = rows, metered.telemetry_amounts[rows]
    return found


def _is_priced(signal: Signal, prices: HourPrices) -> bool:
    return any(one is not None and _PRICES[signal][1](one) is not None for one in prices.versions)

"""Cores and bytes as Kubernetes writes them, and money a month."""

from __future__ import annotations

from maestro_cli.core.money import money

_UNITS = ((2.0**40, "Ti"), (2.0**30, "Gi"), (2.0**20, "Mi"), (2.0**10, "Ki"))


def cores(amount: float | None) -> str | None:
    """`230m`, `2`: a quantity, exact to a millicore."""
    if amount is None:
        return None
    thousandths = round(amount * 1000)
    return f"{thousandths // 1000}" if thousandths % 1000 == 0 else f"{thousandths}m"


def size(amount: float | None) -> str | None:
    """`1536Mi`, `2Gi`: a quantity, exact; whole bytes where no larger unit is."""
    if amount is None:
        return None
    whole = round(amount)
    for unit, word in _UNITS:
        if whole >= unit and whole % unit == 0:
            return f"{whole // int(unit)}{word}"
    return str(whole)


def mebibytes(amount: float | None) -> str | None:
    """`363Mi`, to a mebibyte: of what a rule says and nobody sets."""
    return None if amount is None else f"{amount / 2**20:.0f}Mi"


def monthly(amount: float | None, currency: str) -> str | None:
    """`USD 12.40`; `-USD 1.20` of what costs more."""
    return None if amount is None else money(amount, currency)

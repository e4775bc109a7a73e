"""Money in words. Invariant: rounded here and nowhere before; a small amount never reads as none.

A sign stands before all, the currency too: `-USD 1.37`, of more or less money also `+USD 1.37`.
"""

from __future__ import annotations

_NOTHING = "0.00"
_LEAST = 1e-9  # what is less is the last digits of a sum


def money(amount: float, currency: str) -> str:
    """`USD 1,234.50`; below a hundredth two digits that count."""
    return f"{_sign(amount, '')}{currency} {_words(amount)}"


def money_change(amount: float, currency: str) -> str:
    """More or less of it: `+USD 1,234.50`."""
    return f"{_sign(amount, '+')}{currency} {_words(amount)}"


def amount_words(amount: float) -> str:
    """Two decimals; of less than a hundredth two digits, so that it is not told as nothing."""
    return f"{_sign(amount, '')}{_words(amount)}"


def change_words(amount: float) -> str:
    """The same with its sign, unless it is nothing."""
    return f"{_sign(amount, '+')}{_words(amount)}"


def price(amount: float, currency: str) -> str:
    """Of one unit, as it was given: four digits that count."""
    return f"{currency} {amount:.4g}"


def _sign(amount: float, more: str) -> str:
    if abs(amount) < _LEAST:
        return ""
    return "-" if amount < 0 else more


def _words(amount: float) -> str:
    size = abs(amount)
    if size < _LEAST:
        return _NOTHING
    return f"{size:.2g}" if size < 0.01 else f"{size:,.2f}"

"""Money in words. Invariant: rounded here and nowhere before; a small amount never reads as none.

A sign stands before all, the currency too: `-USD 1.37`, of more or less money also `+USD 1.37`.
"""

from __future__ import annotations

_NOTHING = "0.00"
_DIGITS = 2
_LEAST = 1e-9  # what is less is the last digits of a sum


def money(amount: float, currency: str, digits: int = _DIGITS) -> str:
    """`USD 1,234.50`; below a hundredth two digits that count."""
    return f"{_sign(amount, '')}{currency} {_words(amount, digits)}"


def money_change(amount: float, currency: str, digits: int = _DIGITS) -> str:
    """More or less of it: `+USD 1,234.50`."""
    return f"{_sign(amount, '+')}{currency} {_words(amount, digits)}"


def digits_apart(amount: float, other: float) -> int:
    """With so many decimals two amounts that differ read differently; 2 where they do, or do not differ."""
    if abs(amount - other) < _LEAST:
        return _DIGITS
    tellings = (digits for digits in range(_DIGITS, 9) if _words(amount, digits) != _words(other, digits))
    return next(tellings, 9)


def amount_words(amount: float, digits: int = _DIGITS) -> str:
    """Two decimals; of less than a hundredth two digits, so that it is not told as nothing."""
    return f"{_sign(amount, '')}{_words(amount, digits)}"


def change_words(amount: float, digits: int = _DIGITS) -> str:
    """The same with its sign, unless it is nothing."""
    return f"{_sign(amount, '+')}{_words(amount, digits)}"


def price(amount: float, currency: str) -> str:
    """Of one unit, as it was given: four digits that count."""
    return f"{currency} {amount:.4g}"


def _sign(amount: float, more: str) -> str:
    if abs(amount) < _LEAST:
        return ""
    return "-" if amount < 0 else more


def _words(amount: float, digits: int = _DIGITS) -> str:
    size = abs(amount)
    if size < _LEAST:
        return _NOTHING
    return f"{size:.2g}" if size < 0.01 and digits == _DIGITS else f"{size:,.{digits}f}"

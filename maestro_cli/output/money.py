"""Money as people read it. Invariant: rounded here and nowhere before; a small amount never reads as none."""

from __future__ import annotations


class Amount(float):
    """Money in a cell: rounded where people read it, every digit where programs do (CSV)."""

    def __str__(self) -> str:
        return amount_words(self)


class Change(Amount):
    """More or less money, with its sign."""

    def __str__(self) -> str:
        return f"+{amount_words(self)}" if self > 0 else amount_words(self)


def amount_cell(amount: float | None) -> Amount | None:
    """A cell of what may not be known."""
    return None if amount is None else Amount(amount)


def money(amount: float, currency: str) -> str:
    """`USD 1,234.50`; below a hundredth two digits that count; a minus stands before all."""
    return f"{'-' if amount < 0 else ''}{currency} {amount_words(abs(amount))}"


def price(amount: float, currency: str) -> str:
    """Of one unit, as it was given: four digits that count."""
    return f"{currency} {amount:.4g}"


def amount_words(amount: float) -> str:
    """Two decimals; of less than a hundredth two digits, so that it is not told as nothing."""
    if amount and abs(amount) < 0.01:
        return f"{amount:.2g}" if abs(amount) >= 1e-9 else "0.00"
    return f"{amount:,.2f}"


def known_amount(amount: float | None) -> str | None:
    """The same of what may not be known."""
    return None if amount is None else amount_words(amount)

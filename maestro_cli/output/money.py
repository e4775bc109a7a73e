"""Money in a cell: rounded where people read it, every digit where programs do (CSV)."""

from __future__ import annotations

from typing import Self

from maestro_cli.core.money import amount_words, change_words, digits_apart


class Amount(float):
    """What something costs, as `amount_words` tells it."""

    digits = 2

    def __str__(self) -> str:
        return amount_words(self, self.digits)

    def beside(self, other: float | None) -> Self:
        """With as many decimals as tell it from the other, such as its limit."""
        if other is not None:
            self.digits = digits_apart(self, other)
        return self


class Change(Amount):
    """More or less money, with its sign."""

    def __str__(self) -> str:
        return change_words(self, self.digits)


def amount_cell(amount: float | None) -> Amount | None:
    """A cell of what may not be known."""
    return None if amount is None else Amount(amount)


def amount_beside(amount: float | None, limit: float | None) -> Amount | None:
    """The same with as many decimals as tell it from its limit."""
    return None if amount is None else Amount(amount).beside(limit)


def change_cell(amount: float | None) -> Change | None:
    """The same of more or less."""
    return None if amount is None else Change(amount)


def known_amount(amount: float | None) -> str | None:
    """In words, what may not be known."""
    return None if amount is None else amount_words(amount)

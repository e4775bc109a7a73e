"""Money in a cell: rounded where people read it, every digit where programs do (CSV)."""

from __future__ import annotations

from maestro_cli.core.money import amount_words, change_words


class Amount(float):
    """What something costs, as `amount_words` tells it."""

    def __str__(self) -> str:
        return amount_words(self)


class Change(Amount):
    """More or less money, with its sign."""

    def __str__(self) -> str:
        return change_words(self)


def amount_cell(amount: float | None) -> Amount | None:
    """A cell of what may not be known."""
    return None if amount is None else Amount(amount)


def change_cell(amount: float | None) -> Change | None:
    """The same of more or less."""
    return None if amount is None else Change(amount)


def known_amount(amount: float | None) -> str | None:
    """In words, what may not be known."""
    return None if amount is None else amount_words(amount)

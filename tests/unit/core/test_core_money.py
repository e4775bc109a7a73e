"""How money reads."""

from __future__ import annotations

import pytest

from maestro_cli.core.money import amount_words, change_words, digits_apart, money, money_change
from maestro_cli.output.money import Amount, Change


@pytest.mark.parametrize(
    ("amount", "told", "changed"),
    [
        (1234.5, "EUR 1,234.50", "+EUR 1,234.50"),
        (-1.37, "-EUR 1.37", "-EUR 1.37"),
        (0.0042, "EUR 0.0042", "+EUR 0.0042"),
        (-0.0042, "-EUR 0.0042", "-EUR 0.0042"),
        (0.0, "EUR 0.00", "EUR 0.00"),
        (-3e-17, "EUR 0.00", "EUR 0.00"),
    ],
)
def test_a_sign_stands_before_the_currency_and_nothing_has_none(
    amount: float, told: str, changed: str
) -> None:
    assert money(amount, "EUR") == told
    assert money_change(amount, "EUR") == changed
    assert amount_words(amount) == str(Amount(amount)) == told.replace("EUR ", "")
    assert change_words(amount) == str(Change(amount)) == changed.replace("EUR ", "")


@pytest.mark.parametrize(
    ("amount", "limit", "told"),
    [(10.0027, 10.0, "10.003"), (9.9996, 10.0, "9.9996"), (10.0, 10.0, "10.00"), (1234.567, 10.0, "1,234.57"),
     (10.000000002, 10.0, "10.000000002"), (0.0042, 0.0, "0.0042")],
)  # fmt: skip
def test_an_amount_never_reads_as_the_limit_that_it_is_not(amount: float, limit: float, told: str) -> None:
    digits = digits_apart(amount, limit)
    assert money(amount, "EUR", digits) == f"EUR {told}"
    assert (money(amount, "EUR", digits) == money(limit, "EUR", digits)) is (amount == limit)
    assert str(Amount(amount).beside(limit)) == told

"""Money as people read it. Invariant: rounded here and nowhere before; a small amount never reads as none."""

from __future__ import annotations


def money(amount: float, currency: str) -> str:
    """`USD 1,234.50`; below a hundredth two digits that count; a minus stands before all."""
    size = abs(amount)
    told = f"{size:,.2f}" if size >= 0.01 or not size else f"{size:.2g}"
    return f"{'-' if amount < 0 else ''}{currency} {told}"


def price(amount: float, currency: str) -> str:
    """Of one unit, as it was given: four digits that count."""
    return f"{currency} {amount:.4g}"

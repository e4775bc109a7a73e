"""What the bill would be, as a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maestro_cli.core.money import money, money_change
from maestro_cli.output.money import Change
from maestro_cli.output.views import Column, Fields, Lines, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.cost.what_if.model import Bill, Step, WhatIf


def what_if_view(found: WhatIf) -> Report:
    """The bill now and then, each change, and what it rests on."""
    then = found.then
    rows: list[tuple[str, object]] = [
        ("now", f"{money(found.now, found.currency)} a month"),
        ("then", f"{money(then.expected, found.currency)} a month{_bounds(then, found)}"),
        ("difference", _difference(then.expected - found.now, found)),
        ("by", _window(found)),
        ("prices", found.prices),
        ("record", found.digest or None),
    ]
    steps: Listing[Step] = Listing(
        "cost-what-if-steps/v1",
        (
            Column("if", lambda step: str(step.change), priority=1, folds=True),
            Column("a month", lambda step: Change(step.added.expected), right=True, priority=0),
            Column("at least", lambda step: Change(step.added.low), right=True),
            Column("at most", lambda step: Change(step.added.high), right=True),
            Column("assumed", lambda step: "; ".join(step.assumptions), priority=1, folds=True),
        ),
        found.steps,
        document=_step,
    )
    document = {
        "cluster": found.cluster,
        "currency": found.currency,
        "window": {"start": found.hours.start, "end": found.hours.end, "hours": found.hours.count},
        "coverage": found.coverage,
        "now": found.now,
        "then": _bill(then),
        "items": [_step(step) for step in found.steps],
        "prices": found.prices,
        "record": found.digest or None,
        "notes": list(found.notes),
    }
    blocks: list[Fields | Listing[Any] | Lines] = [Fields(rows), steps]
    blocks += [Lines("\n".join(found.notes))] if found.notes else []
    return Report("cost-what-if/v1", document, tuple(blocks), rows=steps)


def _step(step: Step) -> dict[str, Any]:
    return {
        "change": str(step.change),
        "kind": type(step.change).__name__,
        "added": _bill(step.added),
        "assumptions": list(step.assumptions),
    }


def _bill(bill: Bill) -> dict[str, float]:
    return {"expected": bill.expected, "low": bill.low, "high": bill.high}


def _bounds(bill: Bill, found: WhatIf) -> str:
    if f"{bill.low:.2f}" == f"{bill.high:.2f}":
        return ""
    return f" ({money(bill.low, found.currency)} to {money(bill.high, found.currency)})"


def _window(found: WhatIf) -> str:
    start, end = (f"{one:%Y-%m-%d %H:%M}" for one in (found.hours.start, found.hours.end))
    return f"{start} to {end} UTC, {found.coverage:.0%} measured"


def _difference(amount: float, found: WhatIf) -> str:
    share = f" ({amount / found.now:+.1%})" if found.now > 0 else ""
    return f"{money_change(amount, found.currency)} a month{share}"

"""What is not fresh, in words. Invariant: pure; nothing is said while everything is fresh."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from maestro_cli.core.clock import seconds_between
from maestro_cli.core.quantities import format_duration
from maestro_cli.core.untrusted import visible
from maestro_cli.tui.store.model import Fact


def stale_text(
    needs: str,
    facts: Sequence[tuple[str, Fact]],
    now: datetime,
    *,
    is_past: bool = False,
    above: Sequence[str] = (),
) -> str:
    """What is `above`, then a line for each context whose data is not read now, or not read yet; or was not
    recorded then."""
    lines = [*above]
    for context, fact in facts:
        if fact.error is not None:
            age = (
                "nothing was read before"
                if fact.read_at is None
                else f"what you see is {_age(fact.read_at, now)} old"
            )
            fix = f" — {fact.error.fix}" if fact.error.fix else ""
            lines.append(f"! {context}: {needs}: {fact.error.line}; {age}{fix}")
        elif fact.read_at is None:
            so_far = f", {len(fact.begun):,} rows so far" if fact.begun else ""
            reading = f"… {context}: reading {needs}{so_far}"
            lines.append(f"{context}: not recorded then" if is_past else reading)
    return "\n".join(visible(line, 400) for line in lines)


def _age(then: datetime, now: datetime) -> str:
    return format_duration(max(seconds_between(then, now), 0.0))

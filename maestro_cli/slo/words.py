"""What is said of an error budget, the same in commands, plans, gates and the console.

Invariant: pure. Nothing is left below 0: what is more than spent is overspent. Spent is only what is spent
whatever was not seen, and a time is only told within the window: beyond it, it is another budget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.core.quantities import format_duration, format_share
from maestro_cli.slo.burn import BurnState

if TYPE_CHECKING:
    from maestro_cli.slo.burning import Burning

NOT_AT_THIS_RATE = "not at this rate"
SPENT = "spent"
SPENT_BY_WHAT_WAS_SEEN = "spent by what was seen"
NOT_KNOWN = "not known"
NONE = "none"
TENFOLD = 10.0


def left_words(share: float | None) -> str:
    """What is left of a budget, as a cell says it: `24.6%`, `overspent by 9.1%`; "" where it is not known."""
    if share is None:
        return ""
    if share < -TENFOLD:
        return "overspent more than tenfold"
    return f"overspent by {format_share(-share)}" if share < 0 else format_share(share)


def left_range_words(low: float, high: float) -> str:
    """What is left at least and at most: `none to 25.0%`, `overspent by 60.0% to more than tenfold`."""
    if high >= 0:
        return f"{_bound(low)} to {_bound(high)}" if high > 0 else NONE
    most = "more than tenfold" if low < -TENFOLD else format_share(-low)
    return f"{left_words(high)} to {most}" if high >= -TENFOLD else left_words(high)


def left_phrase(share: float | None, of: str = "") -> str:
    """The same as a part of a sentence: `24.6% left`, `24.6% of its budget left`, `overspent by 9.1%`."""
    if share is None:
        return f"what is left{of and f' {of}'} is {NOT_KNOWN}"
    return left_words(share) if share < 0 else f"{left_words(share)}{of and f' {of}'} left"


def bounded_words(share: float | None, low: float, high: float) -> str:
    """What is left, with what it may be by what was not seen: `24.6% (none to 80% by what was not seen)`."""
    if share is None:
        return NOT_KNOWN
    told = left_words(share)
    is_all_seen = format_share(low) == format_share(high)
    return told if is_all_seen else f"{told} ({_bound(low)} to {_bound(high)} by what was not seen)"


def _bound(share: float) -> str:
    return NONE if share <= 0 else format_share(share)


def gone_words(one: Burning) -> str:
    """When the budget is spent at the present rate, as a cell says it; "" where that is not known."""
    left, at_most = one.left, one.left_at_most
    if left is None:
        return ""
    if left <= 0:
        return SPENT if at_most is None or at_most <= 0 else SPENT_BY_WHAT_WAS_SEEN
    if one.rates.get(one.windows[0].long_seconds) is None:
        return ""
    seconds = one.gone_in_seconds
    is_soon = seconds is not None and seconds <= (one.window_seconds or one.objective.window_seconds)
    return format_duration(seconds) if seconds is not None and is_soon else NOT_AT_THIS_RATE


def gone_phrase(one: Burning) -> str:
    """The same where it is news: `budget gone in 2h10m`, `budget spent`; "" where nothing presses."""
    words = gone_words(one)
    if words in ("", NOT_AT_THIS_RATE):
        return ""
    return f"budget {words}" if words.startswith(SPENT) else f"budget gone in {words}"


def shown_state(one: Burning) -> BurnState:
    """The state as people are shown it: an alert of long windows pages on for a while after its burn, and
    what spends nothing before its time any more (a rate of 1 at most) is recovering."""
    is_over = one.state is BurnState.CRITICAL and one.now is not None and one.now <= 1.0
    return BurnState.RECOVERING if is_over else one.state

"""What the budgets of an experiment lost while it ran, beside what was foretold.

Invariant: of the same objectives and the same Prometheus as the plan's, as shares of the same budget. What
could not be measured in time is None with why, never zero. Nobody says that the faults did it: it is all that
was spent from the minute in which the run began to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from maestro_cli.changes.left import Left
from maestro_cli.core.canonical import plain
from maestro_cli.core.daemon_pool import DaemonPool
from maestro_cli.core.errors import MaestroError, defect
from maestro_cli.core.quantities import format_duration, format_share
from maestro_cli.slo.words import NOT_KNOWN

if TYPE_CHECKING:
    from maestro_cli.chaos.guard.check import Burn, Proposal
    from maestro_cli.chaos.running import Means
    from maestro_cli.slo.measuring.stretch import Spent

# For all of them: everything is taken back by then, and the verdict is not written yet.
PATIENCE_SECONDS = 10.0
HURRIED_SECONDS = 1.0  # after a signal
TICK_SECONDS = 0.1
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Burned:
    """Of one objective. `share` is of the budget of its window (1 is all of it) and `foretold` what the plan
    said of that, at worst; `share_of_seen` is of what was seen of the window alone; `share_of_left` of what
    counted as left before, by whichever of the two that was. None: not known, and `why`.

    At least `at_least` and at most `at_most` were spent, whatever was not seen, where that is known. The rest
    is as in Burn, of what is left afterwards.
    """

    objective: str
    share: float | None
    foretold: float | None
    why: str = ""
    share_of_seen: float | None = None
    share_of_left: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    seconds: float | None = None
    coverage: float | None = None
    left_at_least: float | None = None
    left_by_what_was_seen: float | None = None
    words: str = NOT_KNOWN  # of what is left


def burned(burn: Burn, by_seen: bool, spent: Spent, left: Left) -> Burned:
    """What was foretold, what `spent` found, and what is left afterwards; `by_seen` is how budgets count."""
    before, bounds = left_that_counts(burn, by_seen), left.bounds
    of_seen = spent.share / left.coverage if spent.share is not None and left.coverage else None
    taken = of_seen if by_seen else spent.share
    return Burned(
        objective=burn.objective,
        share=spent.share,
        foretold=burn.share,
        why="; ".join(_unknown(spent, taken, before, left)),
        share_of_seen=of_seen,
        share_of_left=taken / before if taken is not None and before is not None and before > 0 else None,
        at_least=spent.low,
        at_most=spent.high,
        seconds=spent.seconds,
        coverage=spent.coverage,
        left_at_least=None if bounds is None else bounds[0],
        left_by_what_was_seen=left.seen,
        words=left.words,
    )


def _unknown(spent: Spent, taken: float | None, before: float | None, left: Left) -> Iterator[str]:
    """What of it is not known, and why; `taken` is what was spent of what counted as left."""
    if spent.share is None:
        yield spent.why
    elif taken is None:
        yield "how much of its window was seen is not known"
    elif before is None or before <= 0:
        yield "what was left before is not known" if before is None else "nothing was left before"
    if left.share is None:
        yield f"what is left is not known: {left.why}"


def unmeasured(burn: Burn, why: str) -> Burned:
    """Of one of which nothing is known since the plan."""
    return Burned(burn.objective, None, burn.share, why)


def unmeasured_of(burn: Mapping[str, Any], why: str) -> dict[str, Any]:
    """The same of a Burn as it is kept, as a Burned is kept."""
    found: dict[str, Any] = plain(Burned(burn["objective"], None, burn.get("share"), why))
    return found


def burned_words(one: Mapping[str, Any]) -> str:
    """What it cost, as a part of a sentence; `one` is a Burned as it is kept."""
    if one.get("share") is None:
        return f"{NOT_KNOWN}: {one.get('why') or 'nobody says why'}"
    of_left = one.get("share_of_left")
    told = "" if of_left is None else f", {_share_or_times(of_left, ' of')} what was left"
    of_seen = of_seen_words(one["share"], one.get("share_of_seen"))
    return f"{format_share(one['share'])} of its budget{_by_what_was_not_seen(one)}{of_seen}{told}"


def burned_line(one: Mapping[str, Any]) -> str:
    """The whole of one objective, in one line."""
    told = f"{one['objective']}: {burned_words(one)}; foretold at worst: {foretold_words(one)}"
    return f"{told}; left now: {one.get('words') or NOT_KNOWN}"


def of_seen_words(share: float | None, of_seen: float | None) -> str:
    """` (150 times by what was seen so far)`: of what was seen for some seconds it may be that; "" where it
    reads as the share itself does.
    """
    told = _share_or_times(of_seen) if of_seen else ""
    is_other = told and (share is None or told != format_share(share))
    return f" ({told} by what was seen so far)" if is_other else ""


def _share_or_times(share: float, of: str = "") -> str:
    return f"{share:.0f} times" if share > 2 else f"{format_share(share)}{of}"


def foretold_words(one: Mapping[str, Any]) -> str:
    share = one.get("foretold")
    return NOT_KNOWN if share is None else format_share(share)


def _by_what_was_not_seen(one: Mapping[str, Any]) -> str:
    low, high = one.get("at_least"), one.get("at_most")
    if low is None or high is None:
        return ""
    ends = format_share(low), format_share(high)
    return "" if ends[0] == ends[1] else f" ({' to '.join(ends)} by what was not seen)"


def measure_burned(proposal: Proposal, means: Means, is_hurried: Callable[[], bool]) -> tuple[Burned, ...]:
    """Of each objective of the plan, until now, in bounded time; raises nothing."""
    around, now = means.surroundings, means.clock.now()
    by_seen = around.rules is not None and around.rules.budgets == "seen"

    def measured(burn: Burn) -> Burned:
        try:
            objective = means.platform.objectives.get(burn.objective)
            if objective is None:
                return unmeasured(burn, "the context has no such objective")
            spent, left = around.spent(objective, proposal.at, now), around.left_after(objective)
        except MaestroError as error:
            return unmeasured(burn, error.what)
        return burned(burn, by_seen, spent, left)

    with DaemonPool(AT_ONCE, "burned") as pool:
        asked = [pool.submit(partial(measured, one)) for one in proposal.burns]
        waited = _await(asked, is_hurried)
    late = f"it was not told within {format_duration(waited)}"
    return tuple(_outcome(one, burn, late) for burn, one in zip(proposal.burns, asked, strict=True))


def _outcome(one: Future[Burned], burn: Burn, late: str) -> Burned:
    """A defect in measuring takes no verdict away."""
    if not one.done() or one.cancelled():
        return unmeasured(burn, late)
    error = one.exception()
    return unmeasured(burn, defect(error)) if isinstance(error, Exception) else one.result()


def left_that_counts(burn: Burn, by_seen: bool) -> float | None:
    """What counts as left before a run: gaps count for nothing where it is by what was seen."""
    return burn.left_by_what_was_seen if by_seen else burn.left_at_least


def _await(asked: Sequence[Future[Burned]], is_hurried: Callable[[], bool]) -> float:
    """Until all are there, or it is time to go on; how long that may take, in seconds."""
    ticks = 0
    while True:
        patience = HURRIED_SECONDS if is_hurried() else PATIENCE_SECONDS
        if ticks * TICK_SECONDS >= patience or not wait(asked, TICK_SECONDS).not_done:
            return patience
        ticks += 1

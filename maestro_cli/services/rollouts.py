"""Following a rollout until it ends, one look a second.

Invariant: always ends when it is told to; a cluster that does not answer for a while ends nothing, one that
does not for long does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from maestro_cli.changes.rollouts import Rollout, Stage, read_rollout
from maestro_cli.config.explanation import suggestion
from maestro_cli.core.errors import TimedOut, Unreachable, UsageError
from maestro_cli.core.quantities import format_duration, parse_duration_seconds
from maestro_cli.core.refs import WorkloadRef

if TYPE_CHECKING:
    from maestro_cli.services.root import Services

LOOK_SECONDS = 1.0
SILENT_SECONDS = 60.0  # without any answer
UNTIL = {
    "settled": frozenset({Stage.COMPLETE, Stage.STALLED, Stage.HELD}),
    "complete": frozenset({Stage.COMPLETE}),
}


def follow_rollout(services: Services, ref: WorkloadRef, until: str, timeout: str) -> Iterator[Rollout]:
    """Each look at it; the last one is what ended it.

    Raises UsageError, TimedOut, Interrupted, NotFound (also when it is deleted meanwhile), Refused and
    Unreachable.
    """
    ends = UNTIL.get(until)
    if ends is None:
        raise UsageError(
            f"--until {until[:60]!r} is no condition",
            why=suggestion(until, UNTIL),
            fix=f"--until {'|'.join(UNTIL)}",
        )
    limit = _seconds(timeout)
    clock, cancellation = services.clock, services.cancellation
    started = answered = clock.monotonic()
    rollout: Rollout | None = None
    while True:
        try:
            rollout = read_rollout(services.cluster, ref)
        except Unreachable:
            if rollout is None or clock.monotonic() - answered > SILENT_SECONDS:
                raise
        else:
            answered = clock.monotonic()
            yield rollout
            if rollout.stage in ends:
                return
        if limit is not None and clock.monotonic() - started >= limit:
            raise TimedOut(
                f"{ref} was not {until} within {format_duration(limit)}",
                why=f"{rollout.stage.value}: {rollout.text}" if rollout is not None else "",
            )
        cancellation.pause(LOOK_SECONDS)


def _seconds(timeout: str) -> float | None:
    if not timeout:
        return None
    try:
        return parse_duration_seconds(timeout)
    except ValueError as error:
        raise UsageError(f"--timeout: {error}") from error

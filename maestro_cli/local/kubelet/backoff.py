"""How long a crashed container waits. Invariant: the first restart is immediate, then initial × 2ⁿ."""

from __future__ import annotations


class Backoff:
    """The back-off of one container; times are monotonic seconds."""

    def __init__(self, initial: float, longest: float, reset_after: float) -> None:
        self._initial = initial
        self._longest = longest
        self._reset_after = reset_after
        self._next = 0.0

    def after_exit(self, ran_seconds: float) -> float:
        """Seconds to wait before the next start, given how long the last run lasted."""
        if ran_seconds >= self._reset_after:
            self._next = 0.0
        pause = self._next
        self._next = min(pause * 2 or self._initial, self._longest)
        return pause


def whole_seconds(seconds: float) -> str:
    """As Go prints a duration of whole seconds: `10s`, `1m20s`, `5m0s`; tenths below ten seconds."""
    if seconds < 60:
        return f"{seconds:g}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s"

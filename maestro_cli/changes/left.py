"""What is left of an error budget. Invariant: what could not be measured is None with why."""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.slo.words import bounded_words


@dataclass(frozen=True, slots=True)
class Left:
    """The share of a window's budget that is left by what was seen, below 0 when overspent; None: not known.

    `low` and `high` are what is left at least and at most, whatever was not seen; where they are None, it was
    all seen. `window` names the window, which is `seconds` long; `why` is why more is not known. Where
    `is_untold`, nothing that is there tells what is bad; where `is_idle`, nothing happened.
    `no_bucket`: that no bucket ends at the threshold of a latency, so that nothing tells how it burns.
    """

    share: float | None
    why: str = ""
    low: float | None = None
    high: float | None = None
    window: str = ""
    seconds: float | None = None
    is_untold: bool = False
    is_idle: bool = False
    no_bucket: str = ""
    coverage: float | None = None  # the share of the window that was seen (0 to 1), where it was measured

    @property
    def seen(self) -> float | None:
        """What is left where gaps count for nothing."""
        return 1.0 if self.is_idle else self.share

    @property
    def bounds(self) -> tuple[float, float] | None:
        """At least and at most; None where nothing is known."""
        if self.share is None:
            return None
        return (
            self.share if self.low is None else self.low,
            self.share if self.high is None else self.high,
        )

    @property
    def words(self) -> str:
        """`24.6%`, with what it may be by what was not seen where that is another; else `not known`."""
        return bounded_words(self.share, *(self.bounds or (0.0, 0.0)))

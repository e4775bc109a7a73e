"""What measuring an objective gives. Invariant: what is not known is None, never 0 and never 100 %."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from maestro_cli.core.verdict import Judgement
from maestro_cli.slo.measuring.adding import add_up_each, numbers
from maestro_cli.slo.measuring.gaps import Gaps
from maestro_cli.slo.measuring.window import Span
from maestro_cli.slo.objectives import Objective


@dataclass(frozen=True, slots=True)
class Bounds:
    """The ratio if all that was not seen was bad, and if all of it was good."""

    low: float
    high: float


def is_between_buckets(no_bucket: str, bounds: Bounds | None) -> bool:
    """Whether no bucket ends at the threshold, and those beside it do not say the same."""
    return bool(no_bucket) and bounds is not None and bounds.low < bounds.high


@dataclass(frozen=True, slots=True)
class Minutes:
    """A bin a minute from `start`: what was counted, all events, and whether it was watched (1) or not (0).

    What was counted are the good events, or the bad ones. `blind` is 1 where no target at all was seen; where
    it is left out, that is what was not watched.
    """

    start: datetime
    counted: Sequence[float]
    total: Sequence[float]
    covered: Sequence[int]
    counts_bad: bool = False
    blind: Sequence[int] = ()

    @property
    def good(self) -> Sequence[float]:
        if not self.counts_bad:
            return self.counted
        return array("d", (numbers(self.total) - numbers(self.counted)).tobytes())

    def both_in(self, first: int, end: int) -> tuple[float, float]:
        """Good and all events of first <= minute < end."""
        return self.both_in_each([(first, end)])[0]

    def both_in_each(self, stretches: Sequence[tuple[int, int]]) -> list[tuple[float, float]]:
        """Good and all events of each stretch of minutes, from its first to before its end."""
        both = zip(*(add_up_each(one, stretches) for one in (self.counted, self.total)), strict=True)
        return [(total - counted if self.counts_bad else counted, total) for counted, total in both]

    def seen_in(self, first: int, end: int) -> int:
        """In how many minutes of first <= minute < end some target was seen."""
        if not self.blind:
            return bytes(self.covered[first:end]).count(1)
        return bytes(self.blind[first:end]).count(0)


@dataclass(frozen=True, slots=True)
class Asked:
    """One query: a range selector or a query evaluated in steps, over start <= time < end.

    `digest` is the SHA-256 of what was made of the answer: increments by minute, and where series begin, end
    and break. Asking again while Prometheus keeps the samples gives the same.
    """

    promql: str
    start: datetime
    end: datetime
    step_seconds: float | None  # None: samples as scraped
    at: datetime  # when it was asked
    digest: str
    is_kept: bool = False  # the answer was on this disk


@dataclass(frozen=True, slots=True)
class Excluded:
    """A stretch of time that the contract takes out, such as maintenance."""

    start: datetime
    end: datetime
    id: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """An objective over a span. `good` and `total` are events, or minutes where time is judged.

    `ratio` is by the method of the objective. `budget_consumed` is by the events so far; `budget_projected`
    by those that the whole period will have if it goes on like this; `budget_left` is the rest of that.
    `adjusted` is the same without what is excluded; None where nothing is. Where `is_untold`, nothing that is
    there tells what is bad, whatever was counted. `gaps` are when not all was seen;
    `retention` is how long Prometheus keeps samples, where the span is longer;
    `no_bucket` that no bucket ends at the threshold of a latency.
    """

    objective: Objective
    span: Span
    measured: Span  # the part of it that is over
    good: float | None
    total: float | None
    ratio: float | None
    bounds: Bounds | None
    coverage: float
    judgement: Judgement
    budget_consumed: float | None
    budget_projected: float | None
    budget_left: float | None
    bad_minutes: int | None
    exact: bool
    notes: tuple[str, ...] = ()
    queries: tuple[Asked, ...] = ()
    minutes: Minutes | None = None
    adjusted: Measured | None = None
    excluded: tuple[Excluded, ...] = ()
    is_untold: bool = False
    gaps: Gaps = field(default_factory=Gaps)
    retention: str = ""
    no_bucket: str = ""

    @property
    def promise(self) -> str:
        """What was promised, said in time of the span that was measured."""
        return self.objective.echo_of(self.span.seconds)

    @property
    def elapsed(self) -> float:
        """The share of the period that is over."""
        return self.measured.seconds / self.span.seconds if self.span.seconds else 1.0

    @property
    def is_bracketed(self) -> bool:
        """Whether the buckets beside the threshold alone tell: its figures are those of the lower one."""
        return is_between_buckets(self.no_bucket, self.bounds)

    @property
    def is_idle(self) -> bool:
        """Whether it was watched, and nothing happened that could be judged."""
        return self.ratio is None and self.total is not None

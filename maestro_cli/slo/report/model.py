"""What an SLA report is made of, and what it says.

Invariant: a report is a function of its inputs and of the pieces of time that were measured; no clock, no
machine, no zone of the reader and nobody who made it gets in, so that the same bundle gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.distribution import Distribution
from maestro_cli.slo.measuring.model import Measured
from maestro_cli.slo.measuring.recoveries import Recovered
from maestro_cli.slo.measuring.window import Span, Unit, in_zone
from maestro_cli.slo.objectives import Method, Objective

METHOD = (
    "Ratios are weighted by events: the increases of counters as scraped, with resets and the births of "
    "series, are summed over all series and then divided. What was not seen is in the bounds: all of it bad, "
    "all of it good. PASS is what holds in the worst case, FAIL what holds in the best, and all else is "
    "INDETERMINATE."
)

OF_SLICES = (
    " Objectives by timeslices or ratiotimeslices are weighted by time instead: each slice with events "
    "counts one, in their ratios, budgets and worst hours."
)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One stretch that the contract takes out, with who says so; `approved_by` is "" where nobody did.

    Without `objectives` it is for all of them. `journal` is the place and the hash of the event that says so,
    `12:9f…`; "" of those in files.
    """

    id: str
    start: datetime
    end: datetime
    reason: str = ""
    owner: str = ""
    approved_by: str = ""
    recurrence: str = ""
    objectives: tuple[str, ...] = ()
    journal: str = ""

    def is_for(self, objective: str) -> bool:
        return not self.objectives or objective in self.objectives


@dataclass(frozen=True, slots=True)
class Tier:
    """Below this ratio, this credit is due, in percent of the fee of the period."""

    below: float
    credit_percent: float


@dataclass(frozen=True, slots=True)
class Terms:
    """What a contract says: of which objectives, and what is due when one is missed.

    `judged` is the figure that counts: as measured, or with what is excluded taken out. Without `objectives`
    it is about all of them.
    """

    name: str = ""
    customer: str = ""
    objectives: tuple[str, ...] = ()
    tiers: tuple[Tier, ...] = ()
    judged: Literal["raw", "adjusted"] = "adjusted"
    unit: Unit = "month"


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """An incident of the period; `seconds` is how long it hurt, None while that is not known."""

    id: str
    title: str
    severity: str
    started_at: datetime
    restored_at: datetime | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class DrillLine:
    """A drill of the period, with what it measured; None is what it did not."""

    at: datetime
    name: str
    verdict: Verdict
    rto_seconds: float | None
    rpo_seconds: float | None


@dataclass(frozen=True, slots=True)
class LabelValues:
    """What Prometheus said the values of a label are."""

    label: str
    selector: str
    start: datetime
    end: datetime
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """An objective that could not be asked for over the period that begins then: no query, or no answer."""

    objective: str
    start: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a report is made of, besides the pieces of time.

    `span` is the period; where each objective `has_own_zone`, that of those that name no zone: the others
    have the same period of the calendar of theirs. `waiting` was to be excluded and is not, since nobody
    approved it. `asked_at` is the instant that everything was asked at; `previous` how many periods before it
    are shown; `url` the Prometheus that was asked, without credentials. `undistributed` are latencies of
    which only the pictures cannot be made.
    """

    context: str
    span: Span
    unit: Unit | None
    previous: int
    asked_at: datetime
    terms: Terms
    objectives: tuple[Objective, ...]
    exclusions: tuple[Exclusion, ...]
    incidents: tuple[IncidentLine, ...]
    drills: tuple[DrillLine, ...]
    recovered: tuple[Recovered, ...]
    url: str = ""
    retention_seconds: float | None = None
    label_values: tuple[LabelValues, ...] = ()
    unmeasured: tuple[Unmeasured, ...] = ()
    undistributed: tuple[Unmeasured, ...] = ()
    waiting: tuple[Exclusion, ...] = ()
    maestro: str = ""
    has_own_zone: bool = False

    def span_of(self, objective: Objective) -> Span:
        """Its period. Raises ValueError for a zone that is none."""
        if not self.has_own_zone or objective.calendar is None:
            return self.span
        return in_zone(self.span, self.unit, objective.calendar.zone)

    @property
    def whole(self) -> Span:
        """From when the first period of an objective begins to when the last one ends."""
        spans = [self.span_of(one) for one in self.objectives] or [self.span]
        start, end = min(one.start for one in spans), max(one.end for one in spans)
        return replace(self.span, start=start, end=end)

    @property
    def is_over(self) -> bool:
        """Whether the periods of all had passed when it was measured."""
        return self.whole.end <= self.asked_at


@dataclass(frozen=True, slots=True)
class Credit:
    """What is due for one objective, in percent of the fee; a range while the verdict is open."""

    low_percent: float
    high_percent: float
    why: str

    @property
    def is_known(self) -> bool:
        return self.low_percent == self.high_percent


@dataclass(frozen=True, slots=True)
class Line:
    """One objective: this period, those before it (the latest first), the credit, how long events took."""

    measured: Measured
    previous: tuple[Measured, ...]
    credit: Credit | None
    distribution: Distribution | None = None

    @property
    def objective(self) -> Objective:
        return self.measured.objective

    def counted(self, terms: Terms) -> Measured:
        """The figure that the contract judges."""
        if terms.judged == "adjusted" and self.measured.adjusted is not None:
            return self.measured.adjusted
        return self.measured


@dataclass(frozen=True, slots=True)
class SlaReport:
    """The report; `verdict` is of all objectives by the figure that counts; open until the period is over."""

    inputs: Inputs
    lines: tuple[Line, ...]
    verdict: Verdict
    credit: Credit | None

    @property
    def method(self) -> str:
        """How its figures were made, in words."""
        is_of_slices = any(line.objective.method is not Method.OCCURRENCES for line in self.lines)
        return METHOD + (OF_SLICES if is_of_slices else "")

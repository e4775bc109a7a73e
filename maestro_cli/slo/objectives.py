"""What is promised of a service, and what tells whether it is kept. No file format is known here.

Invariant: a target is a ratio above 0, and below 1 for all but recoveries; queries say `$window` where the
range goes that they are asked over. Indicators are tagged structs, so that an objective that was recorded can
be read back.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Literal

import msgspec

from maestro_cli.core.quantities import format_duration
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.workload_labels import workload_of

WINDOW = "$window"
_DAY = 86400.0
_MINUTE = 60.0
_CLOCKS_SECONDS = 3600.0  # by which a day of the calendar may be longer or shorter
_EQUAL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"([^"\\]*)"')  # the matchers that name one value
SIGNS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
# the shortest and the longest of each, and how it reads
_UNITS = {
    "week": (7, 7, "a calendar week"),
    "month": (28, 31, "a calendar month"),
    "quarter": (90, 92, "a calendar quarter"),
    "year": (365, 366, "a calendar year"),
}

LONGEST_WINDOW_SECONDS = 5 * 366 * 86400.0  # a window has counts for each of its minutes


class Method(Enum):
    """How events become a ratio, in the words of OpenSLO."""

    OCCURRENCES = "Occurrences"
    TIMESLICES = "Timeslices"
    RATIO_TIMESLICES = "RatioTimeslices"

    @property
    def counted(self) -> str:
        """What the ratio and the budget are of."""
        return "events" if self is Method.OCCURRENCES else "slices"


class Counters(msgspec.Struct, frozen=True, tag=True):
    """Counts of events, as PromQL counter selectors; exactly one of `bad` and `good` is set."""

    total: str
    bad: str | None = None
    good: str | None = None


class Latency(msgspec.Struct, frozen=True, tag=True):
    """The share of events of a histogram that take at most `threshold_seconds`.

    `histogram` is a selector of its name without `_bucket` or `_count`; `total` another
    counter of all events.
    """

    histogram: str
    threshold_seconds: float
    native: bool = False
    total: str = ""

    @property
    def buckets(self) -> str:
        """The selector of its buckets; "" for a native histogram."""
        return "" if self.native else _selector(self.histogram, "_bucket")

    @property
    def counters(self) -> Counters | None:
        """The bucket that ends at the threshold, if there is one; None for a native histogram."""
        if self.native:
            return None
        good = _selector(self.histogram, "_bucket", _le(self.threshold_seconds))
        return Counters(total=self.total or _selector(self.histogram, "_count"), good=good)


class Queries(msgspec.Struct, frozen=True, tag=True):
    """PromQL for the bad (or the good) and for all events over `$window`; exactly one of the two is set."""

    total: str
    bad: str | None = None
    good: str | None = None


class ErrorRatio(msgspec.Struct, frozen=True, tag=True):
    """PromQL for the share of bad events over `$window`."""

    query: str


class Threshold(msgspec.Struct, frozen=True, tag=True):
    """A value that is good at each instant at which `query op value` holds; always a share of time."""

    query: str
    op: Literal["lt", "lte", "gt", "gte"]
    value: float


class Recovery(msgspec.Struct, frozen=True, tag=True):
    """What drills and incidents measured: how long it took (rto), what was lost (rpo), in seconds at most."""

    kind: Literal["rto", "rpo"]
    seconds: float


Indicator = Counters | Latency | Queries | ErrorRatio | Threshold | Recovery


@dataclass(frozen=True, slots=True)
class Slices:
    """How long a slice of time is, and from which ratio on it is good."""

    seconds: float
    target: float


@dataclass(frozen=True, slots=True)
class Calendar:
    """The window is a calendar unit in an IANA zone, counted from the unit that `start` is in."""

    unit: Literal["week", "month", "quarter", "year"]
    zone: str
    start: date


@dataclass(frozen=True, slots=True)
class Notice:
    """What a file says of the alerts that page, or of those that are tickets."""

    disabled: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alerting:
    """What a file says of its alerts, besides labels; "" and nothing where it leaves them to us."""

    name: str = ""
    annotations: dict[str, str] = field(default_factory=dict)
    page: Notice = Notice()
    ticket: Notice = Notice()


@dataclass(frozen=True, slots=True)
class Objective:
    """A promise: at least `target` (a ratio) of what `indicator` sees is good over the window.

    `window_seconds` is how long the window is; of a `calendar` that differs, its usual length. `origin` says
    where it was read.
    """

    name: str
    title: str
    service: str
    target: float
    window_seconds: float
    indicator: Indicator
    labels: dict[str, str]
    runbook: str = ""
    method: Method = Method.OCCURRENCES
    slices: Slices | None = None
    calendar: Calendar | None = None
    origin: str = ""
    alerting: Alerting = field(default_factory=Alerting)

    @property
    def budget(self) -> float:
        """The share of events that may be bad; rounded, since 1 - 0.9 is a little less than 0.1."""
        return round(1.0 - self.target, 12)

    @property
    def echo(self) -> str:
        """`99.9 % = 43m12s of 30 days`: the target said back in time."""
        if isinstance(self.indicator, Recovery):
            return f"{self.indicator.kind.upper()} of at most {format_duration(self.indicator.seconds)}"
        percent = self._percent
        if self.calendar is None:
            allowed = format_duration(self.budget * self.window_seconds)
            return f"{percent} = {allowed} of {self.window_seconds / _DAY:g} days"
        shortest, longest, words = _UNITS[self.calendar.unit]
        either = dict.fromkeys(format_duration(self.budget * days * _DAY) for days in (shortest, longest))
        return f"{percent} = {' to '.join(either)} of {words}"

    def echo_of(self, seconds: float) -> str:
        """`echo` of a window so long, which need not be its own: `99.9 % = 44m38s of 31 days`."""
        if isinstance(self.indicator, Recovery) or self._is_own(seconds):
            return self.echo
        days = seconds / _DAY
        whole = abs(days - round(days)) * _DAY < _MINUTE and round(days) > 0
        length = f"{round(days)} day{'' if round(days) == 1 else 's'}" if whole else format_duration(seconds)
        return f"{self._percent} = {format_duration(self.budget * seconds)} of {length}"

    def _is_own(self, seconds: float) -> bool:
        """Whether its window may be so long; clocks may change in one of the calendar."""
        if self.calendar is None:
            return abs(seconds - self.window_seconds) < _MINUTE
        shortest, longest, _ = _UNITS[self.calendar.unit]
        return shortest * _DAY - _CLOCKS_SECONDS <= seconds <= longest * _DAY + _CLOCKS_SECONDS

    @property
    def _percent(self) -> str:
        return f"{round(self.target * 100, 6):g} %"

    @property
    def is_of_metrics(self) -> bool:
        """Whether PromQL tells it; False for what drills and incidents measure."""
        return not isinstance(self.indicator, Recovery)

    @property
    def is_watched(self) -> bool:
        """Whether metrics tell it and people are told of its burn; what is not watched is for reports."""
        return self.is_of_metrics and not (self.alerting.page.disabled and self.alerting.ticket.disabled)

    @property
    def counters(self) -> Counters | None:
        """The counters that its events are counted by; None where there are none."""
        if isinstance(self.indicator, Latency):
            return self.indicator.counters
        return self.indicator if isinstance(self.indicator, Counters) else None

    @property
    def counts_errors(self) -> bool:
        """Whether it counts bad events themselves: those that failed, not those that were not good enough."""
        return isinstance(self.indicator, Counters) and self.indicator.bad is not None

    def is_for(self, workload: WorkloadRef, services: Collection[str] = ()) -> bool:
        """By the workload that its labels or its queries name, else by namespace and service.

        `services` are names that the workload is known by besides its own.
        """
        labels = {**_named(_promql(self.indicator)), **self.labels}
        named = workload_of(labels)
        if named is not None:
            return named == workload
        namespace = labels.get("namespace", workload.namespace)
        return namespace == workload.namespace and self.service in {workload.name, *services}

    def error_ratio(self, span: str, grouping: str = "namespace, deployment", told: str | None = "") -> str:
        """PromQL for the share of bad events over a range such as `5m`; of a threshold, of bad time.

        A series of bad (or good) events that is not there counts none where the query `told` has an answer,
        or is ""; where it is None, there is no share then. No traffic is NaN, no total no answer, no bucket
        at the threshold none either. Queries keep the labels that they have themselves, unless the grouping
        is "". Raises ValueError for what no metric tells.
        """
        kind = self.indicator
        if isinstance(kind, Counters):
            total = f"sum by ({grouping}) (rate({kind.total}[{span}]))"
            counted = kind.good if kind.good is not None else kind.bad
            ratio = f"{_or_none(f'sum by ({grouping}) (rate({counted}[{span}]))', total, told)} / {total}"
            return f"1 - {ratio}" if kind.good is not None else ratio
        if isinstance(kind, Latency):
            return _slow_ratio(kind, span, grouping)
        if isinstance(kind, Queries):
            return _bad_ratio(kind, span, grouping, told)
        if isinstance(kind, ErrorRatio):
            return f"({kind.query.replace(WINDOW, span)})"
        if isinstance(kind, Threshold):
            known = f"(({kind.query}) >= -Inf)"  # NaN is neither good nor bad
            held = f"({known} {SIGNS[kind.op]} bool {kind.value:.12g})[{span}:]"
            times = (f"sum by ({grouping}) ({name}({held}))" for name in ("sum_over_time", "count_over_time"))
            return f"1 - {' / '.join(times)}"
        raise ValueError(f"{self.name} is not told by metrics")


def _slow_ratio(kind: Latency, span: str, grouping: str) -> str:
    counters = kind.counters
    if counters is not None:
        fast, all_ = (f"sum by ({grouping}) (rate({one}[{span}]))" for one in (counters.good, counters.total))
        return f"1 - {fast} / {all_}"
    rate = f"sum by ({grouping}) (rate({kind.histogram}[{span}]))"
    fast = f"histogram_fraction(0, {kind.threshold_seconds:.12g}, {rate})"
    if not kind.total:
        return f"1 - {fast}"
    return f"1 - {fast} * histogram_count({rate}) / sum by ({grouping}) (rate({kind.total}[{span}]))"


def _or_none(counted: str, total: str, told: str | None) -> str:
    """What is counted, or zero where it has no answer, all events have one, and so has `told`."""
    if told is None:
        return counted
    return f"({counted} or 0 * {total}{f' and on () {told}' if told else ''})"


def _bad_ratio(kind: Queries, span: str, grouping: str, told: str | None) -> str:
    """As written; in one number where it is asked for, where what is not there can count none."""
    total, counted = (one.replace(WINDOW, span) for one in (kind.total, kind.good or kind.bad or ""))
    if grouping:
        ratio = f"({counted}) / ({total})"
    else:
        ratio = f"{_or_none(f'sum({counted})', f'sum({total})', told)} / sum({total})"
    return f"1 - {ratio}" if kind.good is not None else ratio


def _selector(selector: str, suffix: str, matcher: str = "") -> str:
    """The selector of another metric of the same histogram, with one more matcher."""
    name, _, rest = selector.partition("{")
    matchers = rest.strip().removesuffix("}").strip().rstrip(",")
    found = ", ".join(filter(None, (matchers, matcher)))
    return f"{name.strip()}{suffix}" + (f"{{{found}}}" if found else "")


def _le(seconds: float) -> str:
    """The matcher of a bucket; of a whole number both as Prometheus 2 writes it and as Prometheus 3 does."""
    text = repr(float(seconds))
    return f'le=~"{text.removesuffix(".0")}([.]0)?"' if text.endswith(".0") else f'le="{text}"'


def _promql(indicator: Indicator) -> str:
    """The text in which matchers may name what it is about."""
    if isinstance(indicator, Counters | Queries):
        return indicator.total
    if isinstance(indicator, Latency):
        return indicator.histogram
    return "" if isinstance(indicator, Recovery) else indicator.query


def _named(promql: str) -> dict[str, str]:
    """The labels that a query wants to have one value; those of which it names several are left out."""
    found: dict[str, set[str]] = {}
    for name, value in _EQUAL.findall(promql):
        found.setdefault(name, set()).add(value)
    return {name: next(iter(values)) for name, values in found.items() if len(values) == 1}

"""Costs and savings as pictures of a report.

Invariant: what is drawn is what the tables beside say; what cannot be drawn (an amount below zero) and what
was not measured are told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from maestro_cli.core.errors import UsageError
from maestro_cli.core.money import amount_words
from maestro_cli.core.quantities import format_share
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.allocation.model import RowKind
from maestro_cli.cost.metering.model import HOUR
from maestro_cli.cost.pictures.stacks import Bin, Stacks, stacks
from maestro_cli.cost.pictures.waterfall import Step, waterfall
from maestro_cli.output.plots import Plot, svg
from maestro_cli.output.series import LOOKS, Series
from maestro_cli.output.sparklines import Sparkline, sparkline_rows
from maestro_cli.output.stacked_bars import Bar, StackedBars, stacked_lines, stacked_svg
from maestro_cli.output.treemaps import Treemap, treemap_lines, treemap_svg
from maestro_cli.output.views import Picture
from maestro_cli.output.waterfalls import Waterfall, waterfall_lines, waterfall_svg

if TYPE_CHECKING:
    from maestro_cli.cost.allocation.allocate import Hourly
    from maestro_cli.cost.allocation.model import Allocation
    from maestro_cli.cost.rightsizing.saving import Saving

TREEMAP, BARS, TREND = "treemap", "bars", "trend"
KINDS = (TREEMAP, BARS, TREND)
_MARKS = {
    RowKind.IDLE: ".",
    RowKind.UNALLOCATED: "?",
    RowKind.SHARED: "~",
    RowKind.OVERHEAD: "=",
    RowKind.OTHER: "-",
    RowKind.OVERCOMMIT: "!",
}
_MOST_CLAIMS = 8


def check_picture(name: str) -> None:
    """Before anything is asked of anybody. Raises UsageError."""
    if name and name not in KINDS:
        raise UsageError(f"{visible(name, 40)!r} is no picture of costs", fix=f"--picture {'|'.join(KINDS)}")


def pictures_of(
    hourly: Hourly, number: int = 1, shown: str = "", kinds: Sequence[str] = KINDS
) -> Iterator[Picture]:
    """Those of one allocation, `number` of its report; a terminal shows that which is named."""
    drawn = _Drawn(hourly, number)
    makers = {TREEMAP: drawn.treemap, BARS: drawn.bars, TREND: drawn.trend}
    yield from (makers[kind](kind == shown) for kind in kinds)


class _Drawn:
    """The pictures of one allocation, made when they are looked at."""

    def __init__(self, hourly: Hourly, number: int) -> None:
        self._one: Allocation = hourly.allocation
        self._hourly = hourly
        self._number = number
        self._by = ", ".join(self._one.grouping)

    def treemap(self, is_shown: bool) -> Picture:
        title = f"What it costs by {self._by}, {self._one.currency}"

        def plot() -> Treemap:
            series = sorted((one for one in self._series(()) if one.amount > 0), key=lambda one: -one.amount)
            return Treemap(title, series, "{}", list(self._undrawn()))

        return Picture(
            f"treemap-{self._number}",
            title,
            lambda: treemap_svg(plot()),
            (lambda width, colour: treemap_lines(plot(), width, colour)) if is_shown else None,
        )

    def bars(self, is_shown: bool) -> Picture:
        title = f"What it costs over time by {self._by}, {self._one.currency}"

        def plot() -> StackedBars:
            found = self._stacks()
            bars = [_bar(one, found) for one in found.bins]
            series = _bounded(list(self._series(found.bins)))
            return StackedBars(title, self._one.currency, bars, series, [*self._undrawn(), *_times(found)])

        return Picture(
            f"bars-{self._number}",
            title,
            lambda: stacked_svg(plot()),
            (lambda width, colour: stacked_lines(plot(), width, colour)) if is_shown else None,
        )

    def trend(self, is_shown: bool) -> Picture:
        title = f"What an hour costs over time, {self._one.currency}"

        def lines(width: int, colour: bool) -> list[str]:
            found = self._stacks()
            series = _bounded(list(self._series(found.bins)))
            scale = f"one character is one {found.word}, each line on its own scale from 0"
            notes = ["; ".join((scale, *_times(found)))]
            return sparkline_rows([_sparkline(one, found) for one in series], notes, width)

        return Picture(
            f"trend-{self._number}",
            title,
            lambda: svg(_plot(title, self._one.currency, self._stacks())),
            lines if is_shown else None,
        )

    def _stacks(self) -> Stacks:
        return stacks(self._one.hours, self._hourly.costs, self._hourly.coverage)

    def _series(self, bins: Sequence[Bin]) -> Iterator[Series]:
        """Spenders, the dearest first, then what is nobody's: one of each kind."""
        rows = self._one.rows
        for index, row in enumerate(rows):
            if row.kind is RowKind.SPENDER:
                name = " ".join(key or "-" for key in row.keys)
                yield self._of(name, [index], bins)
        for kind, mark in _MARKS.items():
            same = [index for index, row in enumerate(rows) if row.kind is kind]
            if same:
                yield self._of(f"({kind.value})", same, bins, mark)

    def _of(self, name: str, rows: Sequence[int], bins: Sequence[Bin], mark: str = "") -> Series:
        amount = math.fsum(self._one.rows[index].total for index in rows)
        amounts = tuple(math.fsum(one.amounts[index] for index in rows) for one in bins)
        share = f", {format_share(amount / self._one.total)}" if self._one.total > 0 else ""
        return Series(name, amount, f"{amount_words(amount)}{share}", mark, amounts)

    def _undrawn(self) -> Iterator[str]:
        """What has no area."""
        below = [one for one in self._series(()) if one.amount < 0]
        for one in below:
            yield f"not drawn, being below zero: {one.name} {one.words}"
        if self._one.coverage < 1:
            yield f"{format_share(self._one.coverage)} of the window was measured"
        for text in self._one.unpriced:
            yield f"no price, and not in it: {text}"


def _bounded(series: Sequence[Series]) -> list[Series]:
    """As many things as there are letters, the rest as one."""
    things = [one for one in series if not one.mark]
    rest = things[len(LOOKS) :]
    if len(rest) < 2:
        return list(series)
    amount = math.fsum(one.amount for one in rest)
    amounts = tuple(math.fsum(values) for values in zip(*(one.amounts for one in rest), strict=True))
    others = Series(f"{len(rest)} others", amount, amount_words(amount), amounts=amounts)
    return [*things[: len(LOOKS)], others, *(one for one in series if one.mark)]


def _bar(one: Bin, found: Stacks) -> Bar:
    label, short = _labels(one.start, found)
    remarks = []
    if one.hours * HOUR < found.step:
        remarks.append(f"{one.hours} h of it")
    if 0 < one.coverage < 0.995:
        remarks.append(f"{format_share(one.coverage)} measured")
    return Bar(label, short, one.total if one.coverage > 0 else None, ", ".join(remarks))


def _labels(at: datetime, found: Stacks) -> tuple[str, str]:
    if found.step == HOUR:
        return f"{at:%m-%d %H:%M}", f"{at:%H:%M}" if at.hour else f"{at:%m-%d}"
    return f"{at:%a %Y-%m-%d}", f"{at:%m-%d}"


def _times(found: Stacks) -> Iterator[str]:
    yield "times are UTC"
    if found.step.days == 7:
        yield "a week begins on Monday"


def _sparkline(one: Series, found: Stacks) -> Sparkline:
    values = [
        amount / of.seen_hours if of.seen_hours else None
        for amount, of in zip(one.amounts, found.bins, strict=True)
    ]
    known = [value for value in values if value is not None]
    words = f"{amount_words(min(known))} to {amount_words(max(known))}" if known else "not measured"
    return Sparkline(one.name, values, words)


def _plot(title: str, currency: str, found: Stacks) -> Plot:
    """A point in the middle of each bin; what was not measured is a gap."""
    points = [
        (
            (one.start + one.hours * HOUR / 2).timestamp(),
            one.total / one.seen_hours if one.seen_hours else None,
        )
        for one in found.bins
    ]
    start = found.bins[0].start if found.bins else datetime.fromtimestamp(0)
    end = found.bins[-1].start + found.bins[-1].hours * HOUR if found.bins else start
    return Plot(title, currency, points, start.timestamp(), end.timestamp(), 1.6 * found.step.total_seconds())


def saving_picture(saving: Saving) -> Picture | None:
    """From what workloads ask for less to what goes off the bill; None where either is not known."""
    realised = saving.realised
    claimable = saving.claimable
    if claimable is None or realised is None or realised.monthly is None:
        return None
    steps = [*_claims(saving), Step("claimable, of requests", is_total=True)]
    beyond = realised.monthly - claimable
    steps.append(Step("whole nodes that go" if beyond > 0 else "on nodes that stay", beyond))
    steps.append(Step("realisable, of the bill", is_total=True))
    if realised.anyway:
        steps.append(Step("nodes that go anyway", realised.anyway))
        steps.append(Step("off the bill, in all", is_total=True))
    title = f"What it saves a month, {saving.currency}"
    notes = [f"without a price, and not in it: {text}" for text in saving.unpriced]
    plot = Waterfall(title, saving.currency, tuple(waterfall(steps)), notes)
    return Picture(
        "saving",
        title,
        lambda: waterfall_svg(plot),
        lambda width, colour: waterfall_lines(plot, width, colour),
    )


def _claims(saving: Saving) -> Iterator[Step]:
    """The largest first, what is more than a few as one; raises come last."""
    known = [(str(of), one.monthly) for of, one in saving.claims.items() if one.monthly]
    known.sort(key=lambda one: (-one[1], one[0]))
    less = [one for one in known if one[1] > 0]
    more = sorted((one for one in known if one[1] < 0), key=lambda one: (one[1], one[0]))
    for side in (less, more):
        few = side if len(side) <= _MOST_CLAIMS + 1 else side[:_MOST_CLAIMS]
        yield from (Step(name, amount) for name, amount in few)
        rest = side[len(few) :]
        if rest:
            yield Step(f"{len(rest)} others", math.fsum(amount for _, amount in rest))

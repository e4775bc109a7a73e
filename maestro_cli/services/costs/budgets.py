"""Budgets of a context: what was spent this month, what it will come to, and which days were dear and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.core.errors import NotFound, UsageError
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.allocation.allocate import tell
from maestro_cli.cost.allocation.charging import Charges, charge
from maestro_cli.cost.allocation.grouping import Filter, parse_grouping
from maestro_cli.cost.allocation.model import RowKind
from maestro_cli.cost.allocation.sharing import Sharing
from maestro_cli.cost.budgets.anomalies import anomalies, judged_days
from maestro_cli.cost.budgets.causes import Happening
from maestro_cli.cost.budgets.days import daily_spend
from maestro_cli.cost.budgets.explaining import explain
from maestro_cli.cost.budgets.file import read_budgets
from maestro_cli.cost.budgets.forecast import forecast
from maestro_cli.cost.budgets.model import Budget, BudgetReport, BudgetStanding, ExplainedAnomaly
from maestro_cli.cost.budgets.outlook import Outlook, RowOutlook
from maestro_cli.cost.budgets.spend import Month
from maestro_cli.cost.budgets.standing import standing
from maestro_cli.cost.metering.model import HOUR
from maestro_cli.services.costs.wanted import CostWindow
from maestro_cli.services.costs.windows import CostData, find_cost_data, hours_of

if TYPE_CHECKING:
    from maestro_cli.services.costs.root import CostServices

_MOST_CHANGES = 1000
_LEAST_HISTORY_DAYS, _MOST_HISTORY_DAYS = 0, 120


@dataclass(frozen=True, slots=True)
class BudgetsWanted:
    """What was asked for, as it was written. `history` is how long before the month is looked at."""

    name: str = ""
    files: Sequence[Path] = ()
    history: str = "28d"
    until: str = ""
    prices: Path | None = None
    record: Path | None = None


@dataclass(frozen=True, slots=True)
class _Scene:
    """What all budgets are told from."""

    data: CostData
    charged: Charges
    now: datetime
    happenings: tuple[Happening, ...] = ()


def find_budgets(services: CostServices, wanted: BudgetsWanted) -> BudgetReport:
    """Raises NotFound without a budget, InvalidFile for its file, and as `find_cost_data` does."""
    scene = _scene(services, wanted)
    files = wanted.files or [Path(one) for one in services.context.costs.budgets]
    if not files:
        raise NotFound(
            "no budget is written",
            fix="--file FILE, or costs: {budgets: [FILE]} in the context (docs/cost-budgets.md)",
        )
    budgets = read_budgets(files, scene.data.book.currency)
    if wanted.name:
        budgets = tuple(one for one in budgets if one.name == wanted.name)
        if not budgets:
            raise NotFound(f"there is no budget {visible(wanted.name, 60)!r}", fix="maestro cost budget list")
    return BudgetReport(
        cluster=scene.data.metered.cluster,
        currency=scene.data.book.currency,
        now=scene.now,
        since=scene.data.metered.hours.start,
        prices=scene.data.book.source,
        items=tuple(_standing(one, scene, is_explained=bool(wanted.name)) for one in budgets),
        notes=scene.data.metered.notes,
        unpriced=scene.charged.unpriced,
        digest=scene.data.digest,
    )


def find_outlook(services: CostServices, wanted: BudgetsWanted, by: str, where: str) -> Outlook:
    """What the month comes to, in all and by group. Raises UsageError and as `find_cost_data` does."""
    grouping = parse_grouping(by)
    scene = _scene(services, wanted)
    hourly = tell(scene.charged, grouping, Sharing(), Filter.parse(where))
    metered = scene.data.metered
    rows = tuple(
        RowOutlook(
            row.kind,
            row.keys,
            forecast(daily_spend(hourly, metered, scene.now, slice(at, at + 1)), scene.now),
        )
        for at, row in enumerate(hourly.allocation.rows)
        if row.kind is not RowKind.OTHER
    )
    days = daily_spend(hourly, metered, scene.now)
    return Outlook(
        allocation=hourly.allocation,
        now=scene.now,
        prices=scene.data.book.source,
        whole=forecast(days, scene.now),
        days=days,
        rows=rows,
        digest=scene.data.digest,
    )


def _scene(services: CostServices, wanted: BudgetsWanted) -> _Scene:
    happenings: tuple[Happening, ...] = ()
    if wanted.record is not None:
        data = find_cost_data(services, CostWindow(prices=wanted.prices, record=wanted.record))
    else:
        window = f"{_hours(_now(services, wanted), wanted.history)}h"
        data = find_cost_data(services, CostWindow(window, wanted.until, wanted.prices))
        hours = data.metered.hours
        happenings = tuple(_happenings(services, hours.start, data.metered.measured_until))
    now = _within_month(data.metered.measured_until)
    return _Scene(data, charge(data.metered, data.book), now, happenings)


def _now(services: CostServices, wanted: BudgetsWanted) -> datetime:
    now = services.clock.now()
    if not wanted.until:
        return now
    return hours_of(CostWindow("1h", wanted.until), now).end


def _within_month(now: datetime) -> datetime:
    """The end of a month belongs to it, and not to the next one of which nothing is over."""
    return now - timedelta(microseconds=1) if now == Month.of(now).start else now


def _hours(now: datetime, history: str) -> int:
    """From so long before the month until now."""
    try:
        days = parse_duration_seconds(history) / 86_400
    except ValueError as error:
        raise UsageError(str(error), fix="--history 28d") from error
    if not _LEAST_HISTORY_DAYS <= days <= _MOST_HISTORY_DAYS:
        raise UsageError(
            f"a history of {history}", why=f"it is at most {_MOST_HISTORY_DAYS}d", fix="--history 28d"
        )
    start = Month.of(_within_month(now)).start - timedelta(days=round(days))
    return max(1, -int((start - now) // HOUR))


def _happenings(services: CostServices, since: datetime, until: datetime) -> Iterator[Happening]:
    """Changes of the journal that did something."""
    from maestro_cli.changes.history import list_changes

    for change in list_changes(services.journal, since=since, limit=_MOST_CHANGES):
        if change.applied_at is None or change.dry_run or not since <= change.applied_at <= until:
            continue
        ref = change.ref
        yield Happening(change.applied_at, change.kind, ref.namespace, str(ref), change.id)


def _standing(budget: Budget, scene: _Scene, *, is_explained: bool) -> BudgetStanding:
    sharing = Sharing(idle=budget.idle)
    hourly = tell(scene.charged, ("cluster",), sharing, budget.where)
    days = daily_spend(hourly, scene.data.metered, scene.now)
    found = forecast(days, scene.now)
    whole = {one.day: amount for one in days if (amount := one.whole) is not None}
    first = found.to_date.month.start.date()
    dear = anomalies(whole, first)
    explained = (
        tuple(explain(one, budget, scene.data.metered, scene.data.book, scene.happenings) for one in dear)
        if is_explained
        else tuple(map(ExplainedAnomaly, dear))
    )
    unpriced = hourly.allocation.unpriced
    return BudgetStanding(
        budget=budget,
        standing=standing(
            budget.amount, found, scene.now, budget.warn, unpriced, fails_on_forecast=budget.fails_on_forecast
        ),
        days=days,
        anomalies=explained,
        judged_days=judged_days(whole, first),
        since=scene.data.metered.hours.start.astimezone(UTC).date(),
    )

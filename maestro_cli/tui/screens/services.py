"""Services: who is hurt, by how much, and how long the budget lasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.quantities import format_duration
from maestro_cli.output.tones import BURN_TONES
from maestro_cli.output.views import Column, Listing
from maestro_cli.slo.words import gone_phrase, left_words, shown_state
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.model import Moment, OwnScreen, Place, TableScreen

if TYPE_CHECKING:
    from maestro_cli.services.root import Services
    from maestro_cli.services.service_health import Points, ServiceHealth
    from maestro_cli.slo.burning import Burning
    from maestro_cli.tui.views.view import View

SPARK_CELLS = 10


def read_services(services: Services, argument: str) -> tuple[ServiceHealth, ...]:
    from maestro_cli.services.service_health import read_services

    return read_services(services)


def read_burning(services: Services, argument: str) -> tuple[Burning, ...]:
    """No objective, no Prometheus: nothing burns that anybody promised."""
    return services.burns.read() if services.objectives else ()


def health_type() -> Any:
    from maestro_cli.services.service_health import ServiceHealth

    return ServiceHealth


def burning_type() -> Any:
    from maestro_cli.slo.burning import Burning

    return Burning


SERVICES: Feed[tuple[ServiceHealth, ...]] = Feed(
    "services", "Prometheus", 10.0, read_services, item=health_type
)
BURNING: Feed[tuple[Burning, ...]] = Feed("burning", "Prometheus", 10.0, read_burning, item=burning_type)


def newest(points: Points) -> float | None:
    """The last value that was measured; None where the newest steps have none."""
    return next((value for _, value in reversed(points[-3:]) if value is not None), None)


def number(points: Points, how: str, unit: str, scale: float = 1.0) -> str:
    value = newest(points)
    return "no data" if value is None else f"{value * scale:{how}}{unit}"


def burn_words(health: ServiceHealth) -> str:
    """The worst objective in words: `critical, budget gone in 2h10m`; and why nothing is known of one."""
    if not health.burning:
        return "no objective"
    worst = worst_of(health.burning)
    when = gone_phrase(worst)
    tail = f", {when}" if when and shown_state(worst).value != "ok" else ""
    unknown = [f"{one.objective.name} not known: {one.why}" for one in health.burning if one.why]
    if worst.why:
        return "; ".join(unknown)
    return "; ".join((f"{shown_state(worst).value}{tail}", *unknown))


def worst_name(health: ServiceHealth) -> str | None:
    """The objective that the words of the burn are about."""
    return worst_of(health.burning).objective.name if health.burning else None


def worst_of(burning: Sequence[Burning]) -> Burning:
    from maestro_cli.slo.burn import BurnState

    order = list(BurnState)
    return min(burning, key=lambda one: order.index(shown_state(one)))


def burn_tone(health: ServiceHealth) -> str:
    return BURN_TONES[shown_state(worst_of(health.burning)).value] if health.burning else "dim"


def budget_words(health: ServiceHealth) -> str | None:
    """The least that is left, and of which window."""
    left = [(one.left, one) for one in health.burning if one.left is not None]
    if not left:
        return None
    least, one = min(left, key=lambda pair: pair[0])
    return left_in_window(least, one)


def left_in_window(left: float, one: Burning) -> str:
    """`64.0% of 30d`; what is more than spent is a share of the budget, not of that time: `overspent by 9.1%
    in 30d`."""
    return f"{left_words(left)} {'in' if left < 0 else 'of'} {window_words(one)}{age_words(one)}"


def age_words(one: Burning) -> str:
    """`, 5m old` for what is left, where that is old; else nothing."""
    age = one.left_age_seconds
    return "" if age is None else f", {format_duration(age)} old"


def window_words(one: Burning) -> str:
    """The window that its budget is of: `30d`, `this calendar month`."""
    if one.objective.calendar is not None:
        return f"this calendar {one.objective.calendar.unit}"
    from maestro_cli.core.quantities import prometheus_duration

    return prometheus_duration(one.objective.window_seconds)


def spark(points: Points) -> str:
    from maestro_cli.tui.widgets.plot import sparkline

    return sparkline([value for _, value in points], SPARK_CELLS)


def services_listing(found: Sequence[ServiceHealth], moment: Moment) -> Listing[ServiceHealth]:
    columns: tuple[Column[ServiceHealth], ...] = (
        Column("service", lambda one: one.name),
        Column("requests", lambda one: number(one.rate, ".3g", "/s"), right=True, priority=1),
        Column("errors", lambda one: number(one.errors, ".2%", ""), right=True, priority=1),
        Column("p95", lambda one: number(one.p95, ".0f", " ms", 1000), right=True, priority=1),
        Column("burn", burn_words, tone=burn_tone, priority=1),
        Column("objective", worst_name),
        Column("budget left", budget_words, right=True),
        Column("requests 30m", lambda one: spark(one.rate)),
        Column("errors 30m", lambda one: spark(one.errors)),
        Column("workload", lambda one: one.workload, wide=True),
    )
    return Listing("services/v1", columns, found, empty="the context names no objectives, so no services")


def burning_listing(burning: tuple[Burning, ...]) -> Listing[Burning]:
    columns: list[Column[Burning]] = [
        Column("objective", lambda one: one.objective.name),
        Column("promise", lambda one: one.objective.echo),
        Column("state", lambda one: shown_state(one).value),
        Column(
            "budget left",
            lambda one: None if one.left is None else left_in_window(one.left, one),
            right=True,
        ),
    ]
    for seconds in sorted({seconds for one in burning for seconds in one.rates}):
        columns.append(_rate_column(seconds))
    if any(one.why for one in burning):
        columns.append(Column("why", lambda one: one.why or None))
    return Listing("burning/v1", columns, burning, empty="no objective names this service")


def _rate_column(seconds: float) -> Column[Burning]:
    from maestro_cli.core.quantities import prometheus_duration

    def rate(one: Burning) -> str:
        value = one.rates.get(seconds)
        return "no data" if value is None else f"{value:.1f}x"

    return Column(f"burn {prometheus_duration(seconds)}", rate, right=True)


def service_target(one: ServiceHealth, place: Place) -> Target:
    return Target(place.context, "Service", one.name, one.name, one)


def open_plots(target: Target) -> Place:
    return Place("service", target.name, target.context)


def open_rollout(target: Target) -> Place:
    return Place("rollout", str(target.item.workload), target.context)


def service_view(place: Place) -> View:
    from maestro_cli.tui.views.service_view import ServiceView

    return ServiceView(SERVICE, place)


SERVICE = OwnScreen(
    id="service",
    title="Service",
    help="One service over the last half hour: requests, errors, latency, and its objectives.",
    feeds=(SERVICES,),
    view=service_view,
    panes=("texts",),
)

SCREENS = (
    TableScreen(
        id="services",
        title="Services",
        help="Every service that has an objective: rate, errors, latency, and burn in words.",
        feed=SERVICES,
        rows=tuple,
        listing=services_listing,
        key=lambda one: one.name,
        target=service_target,
        opens=open_plots,
        aliases=("service-list", "svc"),
        drawn=("requests 30m", "errors 30m"),
        has_namespace=False,
        actions=(
            Action(
                "services.rollout",
                "Rollout",
                "the rollout of its workload",
                Danger.OBSERVE,
                lambda target, answers: ("rollout", "status", str(target.item.workload)),
                key="o",
                opens=open_rollout,
            ),
        ),
    ),
    SERVICE,
)

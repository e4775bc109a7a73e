"""How large containers should be, the evidence for one workload, and an apply as a change.

Invariant: what is advised is what `maestro cost rightsize` says, and what is planned is what
`cost rightsize apply` plans: in the window that was looked at, by history that is read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from maestro_cli.core.errors import GateNotMet
from maestro_cli.output.views import Column, Listing, Report
from maestro_cli.tui.acting.model import Action, Answers, Danger, Target
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.cost_spans import LookedBack, mended_here
from maestro_cli.tui.screens.cost_visits import visits_from
from maestro_cli.tui.screens.model import Moment, Place, ReportScreen, TableScreen

if TYPE_CHECKING:
    from maestro_cli.changes.offering import Plans
    from maestro_cli.cost.rightsizing.advice import Advice, ContainerAdvice
    from maestro_cli.cost.rightsizing.report import Rightsizing
    from maestro_cli.services.costs.rightsizing import RightsizingWanted
    from maestro_cli.services.root import Services

EVERY_SECONDS = 1800.0  # two weeks of history change slowly, and are costly to read
WINDOW = "14d"


@dataclass(frozen=True, slots=True)
class Sized:
    """One container of what was found in one look."""

    found: Rightsizing
    advice: Advice
    container: ContainerAdvice


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an action is about: the advice, and how far back it looked."""

    advice: Advice
    asked: LookedBack


def wanted(asked: LookedBack, *, workload: str = "") -> RightsizingWanted:
    from maestro_cli.services.costs.rightsizing import RightsizingWanted

    if workload:
        return RightsizingWanted(workloads=(workload,), window=asked.window, least_history=asked.enough)
    return RightsizingWanted(
        namespace=asked.what or None,
        everywhere=not asked.what,
        window=asked.window,
        least_history=asked.enough,
    )


def read_rightsizing(services: Services, argument: str) -> Rightsizing:
    with mended_here("rightsizing"):
        return services.rightsizing(wanted(LookedBack.read(argument, WINDOW)))


def read_sizing(services: Services, argument: str) -> Rightsizing:
    asked = LookedBack.read(argument, WINDOW)
    with mended_here("rightsizing"):
        return services.rightsizing(wanted(asked, workload=asked.what))


RIGHTSIZING: Feed[Rightsizing] = Feed("rightsizing", "Prometheus", EVERY_SECONDS, read_rightsizing)
SIZING: Feed[Rightsizing] = Feed("sizing", "Prometheus", EVERY_SECONDS, read_sizing)


def sized_rows(found: Rightsizing) -> tuple[Sized, ...]:
    """Those that may be set first, what saves most before what saves less."""
    rows = [Sized(found, advice, one) for advice in found.items for one in advice.containers]
    return tuple(sorted(rows, key=lambda row: (not row.container.changes, -(_saved(row) or 0.0))))


def _saved(row: Sized) -> float | None:
    """A month, of its whole workload."""
    saving = row.found.saving
    claim = None if saving is None else saving.claims.get(row.advice.workload)
    return None if claim is None else claim.monthly


def _saved_words(row: Sized) -> str | None:
    from maestro_cli.core.money import money

    saved = _saved(row)
    return None if saved is None or row.found.saving is None else money(saved, row.found.saving.currency)


def rightsizing_listing(found: Sequence[Sized], moment: Moment) -> Listing[Sized]:
    """The columns of the command; a row knows its own currency, for those of several contexts."""
    from maestro_cli.output.renderers.cost_rightsize import container_columns

    columns: list[Column[Any]] = [
        one.of(lambda row: (row.advice, row.container)) for one in container_columns({}, "")
    ]
    own = [
        replace(one, cell=_saved_words, order=lambda row: _saved(row) or 0.0)
        if one.title == "a month"
        else one
        for one in columns
    ]
    return Listing("rightsizing-containers/v1", own, found, empty="no container was seen")


def about_sizes(found: Rightsizing) -> str:
    """`14d00h: 2 cut; claimable USD 40.00 a month, …`, and what to do where nothing is known."""
    from maestro_cli.output.renderers.cost_rightsize import rightsizing_head

    head = dict(rightsizing_head(found))
    saved = [f"{name} {head[name]}" for name in ("claimable", "realisable") if name in head]
    shorter = [":rightsizing 1h is by an hour of history"] if found.is_blind else []
    return "; ".join((f"{head['window']}: {head['steps']}", *saved, *shorter))


def sizing_report(found: Rightsizing, moment: Moment) -> Report:
    from maestro_cli.output.renderers.cost_sizing import sizing_view

    return sizing_view(found)


def _target(context: str, advice: Advice, asked: LookedBack) -> Target:
    name = str(advice.workload)
    return Target(context, advice.workload.kind, name, name, Chosen(advice, asked))


def sized_target(row: Sized, place: Place) -> Target:
    return _target(place.context, row.advice, LookedBack.read(place.argument, WINDOW))


def sizing_target(place: Place, found: Rightsizing) -> Target | None:
    if len(found.items) != 1:
        return None
    return _target(place.context, found.items[0], LookedBack.read(place.argument, WINDOW))


def open_sizing(target: Target) -> Place:
    window = target.item.asked.window
    argument = target.name if window == WINDOW else f"{target.name},{window}"
    return Place("sizing", argument, target.context)


def why_not(target: Target) -> str:
    """Why nothing may be set of it, or ""."""
    from maestro_cli.services.costs.rightsizing_changes import check_settable

    try:
        check_settable(target.item.advice)
    except GateNotMet as error:
        return f"{error.what}: {error.why}"
    return ""


def plan_sizing(services: Services, target: Target, answers: Answers) -> Plans:
    """The sizes, and then the target of the autoscaler that goes with them."""
    return services.plans_rightsizing(target.name, wanted(target.item.asked, workload=target.name))


def _line(target: Target, answers: Answers) -> tuple[str, ...]:
    asked = target.item.asked
    span = () if asked.window == WINDOW else ("--window", asked.window, "--least-history", asked.enough)
    return ("cost", "rightsize", "apply", target.name, *span)


def apply_action(screen: str) -> Action:
    return Action(
        f"{screen}.apply",
        "Set the next size",
        "set what may be set next, watch it, and undo it where it does not go well",
        Danger.DISRUPTIVE,
        _line,
        plans_in_turn=plan_sizing,
        kind="set-resources",
        refuses=why_not,
    )


def rollout_action(screen: str) -> Action:
    return Action(
        f"{screen}.rollout",
        "Rollout",
        "the rollout of the workload",
        Danger.OBSERVE,
        lambda target, answers: ("rollout", "status", target.name),
        key="o",
        opens=lambda target: Place("rollout", target.name, target.context),
    )


SCREENS = (
    TableScreen(
        id="rightsizing",
        title="Right-sizing",
        help="How large containers should be, and what that saves: `:rightsizing ml,7d`.",
        feed=RIGHTSIZING,
        rows=sized_rows,
        listing=rightsizing_listing,
        key=lambda row: str(row.container.container),
        target=sized_target,
        opens=open_sizing,
        about=about_sizes,
        aliases=("rightsize", "right-sizing"),
        actions=(rollout_action("rightsizing"), apply_action("rightsizing"), *visits_from("rightsizing")),
    ),
    ReportScreen(
        id="sizing",
        title="Sizing",
        help="One workload: each step, what the rules say, and the evidence with its queries.",
        feed=SIZING,
        report=sizing_report,
        target=sizing_target,
        actions=(rollout_action("sizing"), apply_action("sizing"), *visits_from("sizing")),
    ),
)

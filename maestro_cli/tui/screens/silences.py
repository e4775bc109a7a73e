"""Silences: which alerts nobody is told of, until when, and by whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maestro_cli.tui.acting.model import Action, Answers, Danger, Target
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.model import Moment, Place, TableScreen

if TYPE_CHECKING:
    from maestro_cli.changes.model import Plan
    from maestro_cli.core.facts.alerts import Silence
    from maestro_cli.output.views import Listing
    from maestro_cli.services.root import Services


def read_silences(services: Services, argument: str) -> tuple[Silence, ...]:
    return tuple(services.list_silences(with_ended=False))


SILENCES: Feed[tuple[Silence, ...]] = Feed("silences", "Alertmanager", 10.0, read_silences)


def silences_listing(silences: Sequence[Silence], moment: Moment) -> Listing[Silence]:
    from maestro_cli.output.renderers.silences import silences_view

    return silences_view(silences)


def silence_target(silence: Silence, place: Place) -> Target:
    return Target(place.context, "Silence", silence.id, silence.id, silence)


def plan_end(services: Services, target: Target, answers: Answers) -> Plan:
    return services.changes.plan("unsilence", services.silence_ref(target.id), {"id": target.id})


SCREENS = (
    TableScreen(
        id="silences",
        title="Silences",
        help="The silences that hold, by when they end, whoever made them.",
        feed=SILENCES,
        rows=tuple,
        listing=silences_listing,
        key=lambda silence: silence.id,
        target=silence_target,
        aliases=("silence",),
        has_namespace=False,
        actions=(
            Action(
                "silences.expire",
                "End it",
                "let its alerts be heard again, now",
                Danger.REVERSIBLE,
                lambda target, answers: ("silence", "expire", target.id),
                plans=plan_end,
            ),
        ),
    ),
)

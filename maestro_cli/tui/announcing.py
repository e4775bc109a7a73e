"""What is worth a bell: an incident that opened, was opened again, or became graver; a budget that burns.

Invariant: pure. What was there when the console opened is announced by nobody: it is on the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_cli.output.tones import GRAVE
from maestro_cli.slo.words import gone_phrase

if TYPE_CHECKING:
    from maestro_cli.incidents.model import Incident
    from maestro_cli.slo.burning import Burning


@dataclass(frozen=True, slots=True)
class News:
    """`is_grave`: it is shown on the desktop too, where the terminal can."""

    words: str
    is_grave: bool


class Announcer:
    """Keeps what is open by context; the first look at a context announces nothing."""

    def __init__(self) -> None:
        self._open: dict[str, dict[str, str]] = {}
        self._burning: dict[str, frozenset[str]] = {}

    def heed_burn(self, context: str, burning: Sequence[Burning]) -> list[News]:
        """The objectives that burn since the last look as what pages does; no data is no end of it."""
        from maestro_cli.slo.burn import BurnState

        critical = {one.objective.name: one for one in burning if one.state is BurnState.CRITICAL}
        before = self._burning.get(context)
        unknown = {one.objective.name for one in burning if one.state is BurnState.NO_DATA}
        self._burning[context] = frozenset(critical) | (unknown & (before or frozenset()))
        return [
            News(f"{name} burns critically in {context}{_until(one)}", is_grave=True)
            for name, one in critical.items()
            if before is not None and name not in before
        ]

    def heed(self, context: str, incidents: Sequence[Incident]) -> list[News]:
        """The incidents that are new or graver since the last look."""
        before = self._open.get(context)
        now = {one.id: one.severity.value for one in incidents if one.state.is_open}
        self._open[context] = now
        if before is None:
            return []
        return [
            News(f"incident {words}", one.severity.value in GRAVE)
            for one in incidents
            if one.id in now and (words := _news(one, before.get(one.id), f" in {context}"))
        ]


def _until(one: Burning) -> str:
    return f": {words}" if (words := gone_phrase(one)) else ""


def _news(incident: Incident, severity_before: str | None, where: str) -> str:
    """`#12 sev1 opened in prod: Error rate of fraud`; "" when it is no news."""
    now = incident.severity.value
    if severity_before is None:
        what = f"{now} {'opened again' if incident.reopen_count else 'opened'}"
    elif now < severity_before:
        what = f"is {now} now, it was {severity_before}"
    else:
        return ""
    return f"{'drill ' if incident.drill else ''}#{incident.number} {what}{where}: {incident.title}"

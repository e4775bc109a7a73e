"""What is worth a bell: an incident that opened, was opened again, or became graver.

Invariant: pure. What was there when the console opened is announced by nobody: it is on the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maestro_cli.incidents.model import Incident


class Announcer:
    """Keeps what is open by context; the first look at a context announces nothing."""

    def __init__(self) -> None:
        self._open: dict[str, dict[str, str]] = {}

    def heed(self, context: str, incidents: Sequence[Incident]) -> list[str]:
        """What is new since the last look, in words."""
        before = self._open.get(context)
        now = {one.id: one.severity.value for one in incidents if one.state.is_open}
        self._open[context] = now
        if before is None:
            return []
        return [
            words
            for one in incidents
            if one.id in now and (words := _news(one, before.get(one.id), f" in {context}"))
        ]


def _news(incident: Incident, severity_before: str | None, where: str) -> str:
    """`#12 SEV1 opened in prod: Error rate of fraud`; "" when it is no news."""
    now = incident.severity.value
    if severity_before is None:
        what = f"{now} {'opened again' if incident.reopen_count else 'opened'}"
    elif now < severity_before:
        what = f"is {now} now, it was {severity_before}"
    else:
        return ""
    return f"{'drill ' if incident.drill else ''}#{incident.number} {what}{where}: {incident.title}"

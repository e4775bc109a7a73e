"""Silences of incidents: made and ended by the same gated changes as any other.

Invariant: what was resolved is never taken back because a silence could not be ended; that is said, with the
command that ends it, and the silence has an end of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any

from maestro_cli.changes.kinds.silencing import mark_of
from maestro_cli.changes.model import Consent, Plan
from maestro_cli.core.errors import GateNotMet, MaestroError
from maestro_cli.core.matchers import matchers_text
from maestro_cli.core.refs import silence_ref
from maestro_cli.incidents.model import Incident, IncidentSilence
from maestro_cli.incidents.silencing import matchers_of

if TYPE_CHECKING:
    from maestro_cli.services.root import Services

RETRY_SECONDS = 300.0


def silence_plan(services: Services, ref: str, duration: str, comment: str) -> Plan:
    """The plan of a silence of its alerts; raises as any plan does, and GateNotMet when it has no alert."""
    incident = services.desk.get(ref)
    target = silence_ref(matchers_text(matchers_of(incident, services.desk.signals(incident.id))))
    words = f"incident #{incident.number}: {comment or incident.title}"
    return services.changes.plan("silence", target, {"duration": duration, "comment": words[:900]})


def record_silence(services: Services, ref: str, plan: Plan, expected_seq: int | None) -> None:
    """Put the silence that is about to be made on the incident's timeline."""
    services.desk.silenced(
        ref,
        change=plan.id,
        matchers=plan.target.ref.name,
        until=str(plan.parameters["until"]),
        expected_seq=expected_seq,
    )


def end_silences(
    services: Services, skip: Container[str] = (), agrees: Callable[[Plan], bool] = lambda plan: True
) -> dict[str, str]:
    """End every silence whose incident is over, but for those of the changes to `skip`.

    `agrees` is somebody's word for exactly that plan; it may raise what refuses it.

    Answers what could not be ended, in words, by the change that made it. Asks no backend without need.
    """
    left = {}
    for incident, silence in services.desk.overdue_silences():
        if silence.change in skip:
            continue
        try:
            _end(services, incident, silence, agrees)
        except MaestroError as error:
            why = f": {error.why}" if error.why else ""
            left[silence.change] = (
                f"the silence {silence.matchers} of incident #{incident.number} holds until"
                f" {silence.until:%Y-%m-%d %H:%M} UTC: {error.what}{why}; see: maestro silence list"
            )
    return left


class SilenceSweep:
    """Ends what was left behind, again and again; what failed is left alone for a while."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._again: dict[str, float] = {}  # change → when it is tried again, on the clock that never jumps

    def __call__(self, tell: Callable[[str], None]) -> None:
        now = self._services.clock.monotonic()
        waiting = {change for change, at in self._again.items() if at > now}
        for change, words in end_silences(self._services, waiting).items():
            self._again[change] = now + RETRY_SECONDS
            tell(words)


def _end(
    services: Services, incident: Incident, silence: IncidentSilence, agrees: Callable[[Plan], bool]
) -> None:
    made: list[Any] = [
        one for one in services.alertmanager.silences() if mark_of(one) == silence.change and not one.is_over
    ]
    if made:
        target = silence_ref(matchers_text(made[0].matchers))
        plan = services.changes.plan("unsilence", target, {"id": made[0].id})
        if not agrees(plan):
            raise GateNotMet("you said no")
        cause = f"incident/{incident.id}: it is {incident.state.value}"
        services.changes.execute(
            plan, Consent(given=True, digest=plan.digest), cause=cause, cancellation=services.cancellation
        )
    reason = f"the incident is {incident.state.value}" if made else "it was over already"
    services.desk.silence_ended(incident.id, silence, reason)

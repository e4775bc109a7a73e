"""What one alert asks for, given what is known of it. Invariant: pure."""

from __future__ import annotations

from datetime import timedelta

from maestro_cli.core.facts.alerts import Alert
from maestro_cli.incidents.intake.correlation import IntakePolicy, ignored_because
from maestro_cli.incidents.register import KnownSignal

_SAME_START = timedelta(seconds=1)


def judge_alert(alert: Alert, content: str, known: KnownSignal | None, policy: IntakePolicy) -> str:
    """What an alert asks for: duplicate, confirmed, changed, refired, resolve, route, or `ignore: reason`.

    Pure. `confirmed` is a duplicate that was read from a source which is not the one that told of it; a
    webhook message confirms nothing. A webhook delivered late or twice is told from news by its start.
    """
    if known is None:
        if not alert.firing:
            return "ignore: resolved and unknown"
        reason = ignored_because(alert, policy)
        return f"ignore: {reason}" if reason else "route"
    older = alert.starts_at < known.starts_at - _SAME_START
    newer = alert.starts_at > known.starts_at + _SAME_START
    replayed = alert.source.endswith("webhook")
    if not alert.firing:
        if not known.firing:
            return "duplicate"
        return "ignore: older than what is known" if older else "resolve"
    if replayed and (older or (known.because == "told" and not known.firing and not newer)):
        return "ignore: older than what is known"
    if known.state.is_open:
        if not known.firing:
            return "refired"
        if content != known.content:
            return "changed"
        return "duplicate" if replayed or alert.source == known.source else "confirmed"
    if known.firing and not newer:
        return "ignore: continues after the incident ended"
    reason = ignored_because(alert, policy)
    return f"ignore: {reason}" if reason else "route"

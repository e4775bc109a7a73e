"""What nobody responds to: whether anybody watches, and what fires in no open incident.

Invariant: pure data. A source that does not answer makes it unknown what fires, never nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maestro_cli.core.facts.alerts import Alert
from maestro_cli.incidents.intake.blindness import Sight
from maestro_cli.incidents.intake.correlation import IntakePolicy, severity_of
from maestro_cli.incidents.register import KnownSignal


@dataclass(frozen=True, slots=True)
class Unanswered:
    """`alerts` fire, are not silenced, and are in no open incident; `unknown` says why that is not known,
    or is empty."""

    sight: Sight
    alerts: tuple[Alert, ...] = ()
    unknown: str = ""

    @property
    def is_quiet(self) -> bool:
        """Whether somebody watches and sees, and nothing fires that is in no open incident."""
        sight = self.sight
        is_seen = bool(sight.watchers) and sight.blind_since is None
        return is_seen and not self.alerts and not self.unknown


def alerts_of_concern(alerts: Sequence[Alert], policy: IntakePolicy) -> tuple[Alert, ...]:
    """Without those that only say "I am alive" and those of severity none; silenced ones stay."""
    return tuple(
        alert
        for alert in alerts
        if alert.name not in policy.heartbeats and severity_of(alert.labels, policy) is not None
    )


def unanswered_alerts(alerts: Sequence[Alert], known: Mapping[str, KnownSignal]) -> tuple[Alert, ...]:
    """Those that fire and are not silenced, whose signal is in no open incident; `known` by fingerprint."""
    return tuple(
        alert
        for alert in alerts
        if alert.firing and not alert.suppressed_by and not _is_answered(known.get(alert.fingerprint))
    )


def _is_answered(signal: KnownSignal | None) -> bool:
    return signal is not None and signal.state.is_open

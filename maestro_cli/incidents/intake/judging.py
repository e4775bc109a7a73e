"""What an alert asks for, given what is known of it. Invariant: nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from maestro_cli.core.facts.alerts import Alert
from maestro_cli.incidents.intake.bindings import Bindings, Waiting
from maestro_cli.incidents.intake.correlation import (
    IntakePolicy,
    disbelieved_start,
    ignored_because,
    start_of,
)
from maestro_cli.incidents.intake.damping import FLAPS, Damping
from maestro_cli.incidents.register import KnownSignal, Reads, open_incident_of_key

_SAME_START = timedelta(seconds=1)


def judge_alert(
    alert: Alert, content: str, known: KnownSignal | None, policy: IntakePolicy, now: datetime
) -> str:
    """What an alert asks for: duplicate, confirmed, changed, refired, resolve, route, or `ignore: reason`.

    Pure. `confirmed` is a duplicate that was read from a source which is not the one that told of it; a
    webhook message confirms nothing. A webhook delivered late or twice is told from news by its start.
    """
    if known is None:
        if not alert.firing:
            return "ignore: resolved and unknown"
        reason = ignored_because(alert, policy)
        return f"ignore: {reason}" if reason else "route"
    older, newer = _order(alert, known, now)
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


def _order(alert: Alert, known: KnownSignal, now: datetime) -> tuple[bool, bool]:
    """Whether it began before, and whether after, what is known began.

    A start that is not believed says neither: the signal goes on while it fires, and is a new one after that,
    but for the very start of a clock that is ahead, which is told once.
    """
    same = known.start_said is not None and abs(alert.starts_at - known.start_said) <= _SAME_START
    if same and alert.starts_at > known.starts_at:
        return False, False  # it was not believed when it came; what is long ago is told of every signal
    if disbelieved_start(alert, now) is not None:
        return False, not known.firing
    began = start_of(alert, now)
    return began < known.starts_at - _SAME_START, began > known.starts_at + _SAME_START


class Judge:
    """What the alerts of one delivery ask for, by what is known and by the rules."""

    def __init__(
        self,
        reads: Reads,
        bindings: Bindings,
        policy: IntakePolicy,
        few: Mapping[str, Waiting],
        now: datetime,
    ) -> None:
        """`few`: the keys of which too few signals fire to open an incident."""
        self._reads, self._bindings, self._policy, self._few = reads, bindings, policy, few
        self._now, self._damping = now, Damping(reads, bindings, now)

    def answer(self, alert: Alert, content: str, known: KnownSignal | None, *, is_full: bool) -> str:
        """As `judge_alert`; an alert of which there are too few opens nothing and joins what is open, and one
        that flaps neither resolves nor reopens. `is_full`: what does not resolve now will be seen again."""
        answer = judge_alert(alert, content, known, self._policy, self._now)
        if answer == "resolve" and is_full and known is not None and self._flaps(known):
            return f"ignore: {FLAPS}"
        if answer != "route":
            return answer
        if known is not None and not known.firing and self._flaps(known):
            return f"ignore: {FLAPS}"
        key = self._bindings.key(alert.labels) if self._few else ""
        waits = key in self._few and open_incident_of_key(self._reads, key) is None
        return f"ignore: {self._few[key].reason}" if waits else answer

    def gone(self, vanished: Sequence[KnownSignal]) -> list[KnownSignal]:
        """Of signals that a full answer lacks, those that have resolved: not those that flap."""
        return [one for one in vanished if not self._flaps(one)]

    def _flaps(self, known: KnownSignal) -> bool:
        return self._damping.of(known.incident, known.fingerprint) is not None

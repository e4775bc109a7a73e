"""Which signals are the same, and which belong together.

Invariant: pure. Identity is the sender's own fingerprint; content is what a person would call a change
(a number inside an annotation is not: rules print `$value` there, and it moves at every evaluation).
The incident key is made of ASCII only, whatever the labels hold.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from maestro_cli.core.canonical import digest
from maestro_cli.core.facts.alerts import Alert, fingerprint_of
from maestro_cli.core.workload_labels import WORKLOAD_LABELS, workload_of
from maestro_cli.incidents.intake.masking import shape
from maestro_cli.incidents.model import Severity

MAX_LABELS = 100
MAX_NAME_CHARACTERS, MAX_VALUE_CHARACTERS = 200, 2000
MAX_KEY_PART = 100
UNASKED = ("kubernetes", "anomalies")  # sources of signals that nobody wrote a rule for
# How far a sender's clock may be ahead of ours: one that NTP keeps is off by far less than a second, one that
# nobody sets by some. A clock that is off by more than a minute is wrong, and its starts say nothing.
MAX_SKEW = timedelta(seconds=60)
_CUT = "…(cut)"
_SURROGATES = re.compile("[\ud800-\udfff]")

SEVERITIES: Mapping[str, Severity | None] = {
    "emergency": Severity.SEV1, "disaster": Severity.SEV1, "p1": Severity.SEV1, "sev1": Severity.SEV1,
    "critical": Severity.SEV2, "page": Severity.SEV2, "high": Severity.SEV2, "error": Severity.SEV2,
    "p2": Severity.SEV2, "sev2": Severity.SEV2,
    "warning": Severity.SEV3, "ticket": Severity.SEV3, "medium": Severity.SEV3, "p3": Severity.SEV3,
    "sev3": Severity.SEV3,
    "info": Severity.SEV4, "notice": Severity.SEV4, "low": Severity.SEV4, "p4": Severity.SEV4,
    "sev4": Severity.SEV4,
    "none": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class IntakePolicy:
    """The table of intake: severity words (None: never opens), and alerts that only say "I am alive"."""

    severities: Mapping[str, Severity | None] = field(default_factory=lambda: SEVERITIES)
    unknown_severity: Severity = Severity.SEV3
    heartbeats: frozenset[str] = frozenset({"Watchdog", "DeadMansSwitch", "InfoInhibitor"})


def severity_of(labels: Mapping[str, str], policy: IntakePolicy) -> Severity | None:
    """The table's answer for the label `severity`; a word it does not know is never the lowest."""
    word = labels.get("severity", "").strip().lower()
    return policy.severities.get(word, policy.unknown_severity)


def opening_severity(alert: Alert, policy: IntakePolicy) -> Severity:
    """How grave an incident is that this alert opens; what no rule of a person watches for is never above
    sev3."""
    found = severity_of(alert.labels, policy) or policy.unknown_severity
    return max(found, Severity.SEV3) if alert.source in UNASKED else found


def ignored_because(alert: Alert, policy: IntakePolicy) -> str | None:
    """Why a firing alert must not open an incident, or None."""
    if alert.name in policy.heartbeats:
        return "heartbeat"
    if severity_of(alert.labels, policy) is None:
        return "severity none"
    if alert.suppressed_by:
        return "suppressed"
    return None


def identity(alert: Alert) -> str:
    """The sender's fingerprint, computed only when it gave none."""
    return capped(alert.fingerprint, 200) or fingerprint_of(alert.labels)


def content_of(alert: Alert) -> str:
    """A digest of what matters: labels, status, start (whole seconds) and annotations less numbers."""
    return digest(
        {
            "labels": dict(alert.labels),
            "firing": alert.firing,
            "starts_at": int(alert.starts_at.timestamp()) if _plausible(alert.starts_at) else 0,
            "annotations": {name: shape(value) for name, value in alert.annotations.items()},
        }
    )


def _plausible(instant: datetime) -> bool:
    return instant.astimezone(UTC).year >= 2000  # Go's zero time is the year 1


def start_of(alert: Alert, now: datetime) -> datetime:
    """When it began, as far as is known: now where its sender's start is not believed. One that is believed
    may be ahead of now by MAX_SKEW: that it is kept as told makes it the same start when it comes again."""
    return now if disbelieved_start(alert, now) is not None else alert.starts_at


def disbelieved_start(alert: Alert, now: datetime) -> datetime | None:
    """The start that its sender told where that cannot be: Go's zero time, long ago, or in the future by more
    than clocks differ."""
    believed = _plausible(alert.starts_at) and alert.starts_at <= now + MAX_SKEW
    return None if believed else alert.starts_at


def incident_key(labels: Mapping[str, str]) -> str:
    """The key that signals of one incident share: `ml/fraud`, else `alert/ml/Name`."""
    workload = workload_of(labels)
    if workload is not None:
        return f"{workload.namespace}/{workload.name}"
    namespace = labels.get("namespace", "")
    for label, _ in WORKLOAD_LABELS:
        if labels.get(label):
            return "/".join(map(key_part, (namespace, labels[label])))
    return "/".join(("alert", key_part(namespace), key_part(labels.get("alertname", ""))))


def key_part(text: str) -> str:
    """A label's value as a part of a key: ASCII, and short."""
    quoted = urllib.parse.quote(text, safe="", errors="replace")
    if len(quoted) <= MAX_KEY_PART:
        return quoted or "-"
    return f"{quoted[: MAX_KEY_PART - 17]}~{digest(text)[:16]}"


def title_of(alert: Alert) -> str:
    """`ErrorBudgetBurn on ml/fraud`: untrusted text, cut to a line's length."""
    workload = workload_of(alert.labels)
    where = f"{workload.namespace}/{workload.name}" if workload else alert.labels.get("namespace", "")
    name = alert.name or "an alert without a name"
    return capped(f"{name} on {where}" if where else name, 200)


def capped(text: str, limit: int = MAX_VALUE_CHARACTERS) -> str:
    """The text, cut with a mark when it is longer than the limit; lone surrogates, which no file can
    hold as UTF-8, become U+FFFD."""
    short = text if len(text) <= limit else text[: limit - len(_CUT)] + _CUT
    return _SURROGATES.sub("\ufffd", short)


def capped_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels as the journal keeps them: at most a hundred, names and values cut with a mark."""
    kept = sorted(labels.items())[:MAX_LABELS]
    return {capped(name, MAX_NAME_CHARACTERS): capped(value) for name, value in kept}

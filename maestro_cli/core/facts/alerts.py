"""One alert as Alertmanager or Prometheus tells it.

Invariant: the sender's fingerprint is kept; `ends_at` of a firing alert is only a resolve time-out,
so `firing` decides, never the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from maestro_cli.core.matchers import Matcher


@dataclass(frozen=True, slots=True)
class Alert:
    fingerprint: str
    firing: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None = None
    generator_url: str = ""
    suppressed_by: tuple[str, ...] = field(default=())  # silences and inhibitions
    source: str = ""  # "alertmanager-api", "alertmanager-webhook", "prometheus"

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "")


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence; `state` is pending, active or expired. An expired one stays known for a while."""

    id: str
    state: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str

    @property
    def is_over(self) -> bool:
        return self.state == "expired"


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """One delivery of a webhook: a notification group. `truncated` alerts were left out by the sender,
    so the API must be read again when it is not 0; `group_key` changes when routing does."""

    alerts: tuple[Alert, ...]
    truncated: int
    group_key: str
    status: str  # firing, resolved


_FNV_OFFSET, _FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """FNV-1a 64 over sorted `name\\xffvalue\\xff`, 16 hex digits: prometheus/common `model.LabelSet`.

    Only for senders that gave none.
    """
    value = _FNV_OFFSET
    for name in sorted(labels):
        for byte in (*name.encode(), 0xFF, *labels[name].encode("utf-8", "replace"), 0xFF):
            value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"

"""Rules that a Prometheus has loaded. Invariant: every text in one is untrusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """`kind` is `alert` or `record`; `error` is what its last evaluation failed with, or "".

    `hold_seconds` is its `for`; `keep_seconds` how long it goes on firing.
    """

    kind: str
    name: str
    query: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    hold_seconds: float = 0.0
    keep_seconds: float = 0.0
    group: str = ""
    file: str = ""
    error: str = ""

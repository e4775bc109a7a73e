"""What triage finds. Invariant: evidence says where it came from and when, also when it failed; facts are
plain JSON without NaN; a score is a strength of evidence from 0 to 1, not a promise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from maestro_cli.core.canonical import plain
from maestro_cli.incidents.intake.correlation import capped
from maestro_cli.incidents.model import Severity

CULPRIT_SCORE = 0.5
NO_CULPRIT = "no culprit found"
_MAX_ITEMS = 100
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Evidence:
    """Facts of one kind, with the query that produced them, the time and the source.

    `ok` is False when the collector failed; then `error` says why and `facts` is empty.
    """

    # alerts, changes, rollouts, config, pods, nodes, events, logs, errors, split, latency, quality, load,
    # memory, budget, impact, anomaly
    kind: str
    title: str
    query: str
    at: datetime
    source: str  # journal, cluster, prometheus
    summary: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    ok: bool = True
    error: str = ""
    seconds: float = 0.0

    def as_data(self) -> dict[str, Any]:
        """What the journal keeps of it: bounded, without NaN."""
        return {
            "kind": self.kind,
            "title": capped(self.title, 200),
            "query": capped(self.query),
            "at": self.at,
            "source": self.source,
            "summary": capped(self.summary, 500),
            "facts": bounded(plain(self.facts)),
            "ok": self.ok,
            "error": capped(self.error, 500),
            "seconds": round(self.seconds, 3),
        }


def bounded(value: Any, depth: int = 0) -> Any:
    """JSON with texts cut, lists and objects at most a hundred long, NaN and infinity as None."""
    if isinstance(value, str):
        return capped(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if depth >= _MAX_DEPTH and isinstance(value, (dict, list)):
        return "…(cut)"
    if isinstance(value, dict):
        items = list(value.items())[:_MAX_ITEMS]
        return {capped(str(key), 200): bounded(item, depth + 1) for key, item in items}
    if isinstance(value, list):
        return [bounded(item, depth + 1) for item in value[:_MAX_ITEMS]]
    return value


class SuspectKind(StrEnum):
    RELEASE = "release"
    POD = "pod"
    NODE = "node"
    LOAD = "load"
    DEPENDENCY = "dependency"
    CONFIG = "config"
    TRAFFIC = "traffic"
    CERTIFICATE = "certificate"
    KEY = "key"
    BACKUP = "backup"
    SCALE = "scale"
    DELETION = "deletion"


@dataclass(frozen=True, slots=True)
class SuggestedFix:
    """A change kind (`rollback`, `restart`, `scale`, `drain`) or a runbook, with its parameters."""

    kind: str  # change, runbook
    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suspect:
    """`strength` is what the reasons add up to, and what decides whether it is named; `score` is how often
    suspects of that strength were the true cause in drills. Until it is calibrated it is the strength itself.
    """

    kind: SuspectKind
    subject: str  # "ml/deploy/fraud revision 2", "pod ml/fraud-…", "node node-a"
    score: float
    reasons_for: tuple[str, ...]
    reasons_against: tuple[str, ...] = ()
    fix: SuggestedFix | None = None
    strength: float | None = None

    @property
    def is_strong(self) -> bool:
        """Whether the evidence is enough to name it."""
        return (self.score if self.strength is None else self.strength) >= CULPRIT_SCORE


@dataclass(frozen=True, slots=True)
class Onset:
    """When it began. `earliest` is the last instant known to be well; `basis` names the series it was
    read from, or `alert` when no metric shows a beginning."""

    at: datetime
    earliest: datetime
    basis: str  # errors, latency, wrong answers, requests, alert


@dataclass(frozen=True, slots=True)
class Proposal:
    """A severity and why; `unsure`: something that counts was not measured."""

    severity: Severity
    reasons: tuple[str, ...]
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Lacking:
    """Why a source is not there to be asked, in words; read only of one that is not."""

    cluster: str = "this context has no cluster"
    metrics: str = "this context has no Prometheus"


@dataclass(frozen=True, slots=True)
class TriageReport:
    incident: str
    started_at: datetime
    seconds: float
    onset: Onset
    evidence: tuple[Evidence, ...]
    suspects: tuple[Suspect, ...]
    severity: Proposal | None = None

    @property
    def culprit(self) -> Suspect | None:
        """The first suspect, when the evidence against it is strong enough to name it."""
        return self.suspects[0] if self.suspects and self.suspects[0].is_strong else None

    @property
    def conclusion(self) -> str:
        """One line; "no culprit found" is an answer."""
        culprit = self.culprit
        return f"{culprit.kind.value}: {culprit.subject}" if culprit is not None else NO_CULPRIT

    def suspects_as_data(self) -> dict[str, Any]:
        """What the journal keeps as `incident.suspects`."""
        culprit = self.culprit
        return {
            "onset": plain(self.onset),
            "suspects": bounded(plain(self.suspects)),
            "culprit": culprit.subject if culprit is not None else None,
            "conclusion": self.conclusion,
            "severity": plain(self.severity),
            "failed": [item.kind for item in self.evidence if not item.ok],
            "seconds": round(self.seconds, 3),
        }

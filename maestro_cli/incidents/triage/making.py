"""A suspect in the making, and what several kinds of suspect ask of a case.

Invariant: pure; nothing here names a suspect.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from maestro_cli.core.facts.cluster import Pod
from maestro_cli.incidents.triage.facts import CaseFacts, LogGroup, Rollout, Tally, tally_by
from maestro_cli.incidents.triage.model import SuggestedFix, Suspect, SuspectKind

RELEASE_WINDOW_SECONDS = 1800.0
_FEW_LINES = 3
_CRASHES = ("CrashLoopBackOff", "Error", "OOMKilled", "ErrImagePull", "ImagePullBackOff", "RunContainerError")
_SEASONED_REQUESTS = 200.0  # answered before the onset: what began then is not of this revision


@dataclass(slots=True)
class Making:
    """A suspect in the making."""

    score: float = 0.0
    reasons_for: list[str] = field(default_factory=list)
    reasons_against: list[str] = field(default_factory=list)
    supported: bool = False  # something beyond the time points at it

    def plus(self, weight: float, reason: str, *, supports: bool = True) -> None:
        self.score += weight
        self.reasons_for.append(reason)
        self.supported = self.supported or supports

    def minus(self, weight: float, reason: str) -> None:
        self.score -= weight
        self.reasons_against.append(reason)

    def done(self, kind: SuspectKind, subject: str, fix: SuggestedFix | None = None) -> Suspect:
        score = round(min(max(self.score, 0.0), 1.0), 2)
        return Suspect(kind, subject, score, tuple(self.reasons_for), tuple(self.reasons_against), fix)


def sickness(pod: Pod) -> str:
    """What is wrong with a pod's containers, "" when nothing is."""
    for container in pod.containers:
        if container.reason in _CRASHES:
            return container.reason
        if container.last_reason in ("OOMKilled", "Error") and container.restarts > 0:
            return f"{container.last_reason}, {container.restarts} restarts"
    return ""


def bad_groups(case: CaseFacts) -> list[LogGroup]:
    """Groups of lines of trouble that tell enough, new ones and frequent ones first."""
    found = [group for group in case.logs if group.is_bad and group.since >= _FEW_LINES]
    return sorted(found, key=lambda group: (not group.is_new, -group.since, group.shape))


def names(group: LogGroup, name: str) -> bool:
    words = "".join(c if c.isalnum() or c == "-" else " " for c in group.sample).split()
    return name in words


def concentrated(tallies: dict[str, Tally], name: str) -> bool:
    """Whether nearly all errors are of one of several that take requests."""
    own = tallies.get(name, Tally())
    every = sum(tallies.values(), Tally())
    serving = [item for item in tallies.values() if item.requests_since >= 1]
    if len(serving) < 2 or own.errors_since < 3 or every.errors_since <= 0:
        return False
    share = own.errors_since / every.errors_since
    return share >= 0.8 and own.requests_since <= 0.7 * every.requests_since


def recent(case: CaseFacts) -> list[Rollout]:
    earliest = case.onset.at - timedelta(seconds=RELEASE_WINDOW_SECONDS)
    return [
        rollout
        for rollout in case.rollouts
        if rollout.ref == case.workload and rollout.previous is not None and rollout.active_at >= earliest
    ]


def fresh_revisions(case: CaseFacts) -> set[str]:
    """Revisions of the workload that began lately and had hardly answered before the onset."""
    tallies = tally_by(case.split, "revision")
    lately = {str(item.revision) for item in recent(case)}
    return {name for name in lately if tallies.get(name, Tally()).requests_before < _SEASONED_REQUESTS}

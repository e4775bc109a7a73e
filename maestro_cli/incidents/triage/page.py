"""What every piece of evidence is written with.

Invariant: every collector that was asked leaves evidence, the failed ones with their error.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from maestro_cli.incidents.triage.facts import CaseFacts
from maestro_cli.incidents.triage.model import Evidence, Lacking


class Outcome(Protocol):
    """What a collector left."""

    @property
    def value(self) -> Any: ...

    @property
    def error(self) -> str: ...

    @property
    def seconds(self) -> float: ...


def failed(kind: str, title: str, query: str, at: datetime, source: str, error: str) -> Evidence:
    """Evidence that could not be collected."""
    return Evidence(kind, title, query, at, source, f"not collected: {error}", ok=False, error=error)


class Page:
    """The case that evidence is written of, when it was looked at, and since when; `unasked` says why a
    collector was not there to be asked."""

    def __init__(self, now: datetime, start: datetime, case: CaseFacts, unasked: Lacking) -> None:
        self._now = now
        self._start = start
        self._case = case
        self._unasked = unasked

    def _nothing(self, kind: str, title: str, source: str, error: str, query: str = "") -> Evidence:
        return failed(kind, title, query, self._now, source, error)

    def _made(
        self, kind: str, title: str, query: str, source: str, summary: str, facts: Any, seconds: float = 0.0
    ) -> Evidence:
        return Evidence(kind, title, query, self._now, source, summary, facts, seconds=seconds)

    def _cluster_outcome(
        self, outcomes: Mapping[str, Outcome], name: str, kind: str, title: str
    ) -> Outcome | Evidence:
        """What a cluster collector left, or the evidence that it failed."""
        outcome = outcomes.get(name)
        if outcome is None:
            return self._nothing(kind, title, "cluster", self._unasked.cluster)
        if outcome.error:
            return self._nothing(kind, title, "cluster", outcome.error, name)
        return outcome

"""What is known of a revision that a rollback may go to.

Invariant: frozen; what was not measured is None or missing, never zero and never good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from maestro_cli.core.clock import seconds_between
from maestro_cli.core.untrusted import Untrusted


class Standing(Enum):
    """`not proved`: nothing shows that the revision was bad, and too little that it was good."""

    GOOD = "good"
    BAD = "bad"
    NOT_PROVED = "not proved"


@dataclass(frozen=True, slots=True)
class Kept:
    """How one objective fared while a revision was live: events, and the share that may be bad."""

    objective: str
    budget: float
    total: float
    bad: float
    counts_bad: bool = True
    is_accuracy: bool = False

    @property
    def ratio(self) -> float | None:
        """The share of bad events; None without events."""
        return min(1.0, self.bad / self.total) if self.total > 0 else None

    @property
    def burn(self) -> float | None:
        """1.0 spends the budget exactly; None without events."""
        return None if self.ratio is None else self.ratio / self.budget

    @property
    def is_over(self) -> bool:
        return self.ratio is not None and self.ratio > self.budget


@dataclass(frozen=True, slots=True)
class Track:
    """What the metrics tell of one revision, over all the times that it was live.

    `lives` are the stretches in which its pods were measured, oldest first, as seen every `step_seconds`;
    `answering_seconds` of them it answered requests.
    """

    lives: tuple[tuple[datetime, datetime], ...]
    answering_seconds: float
    kept: tuple[Kept, ...]
    step_seconds: float = 0.0

    @property
    def live_seconds(self) -> float:
        return sum(seconds_between(begin, end) for begin, end in self.lives)

    def was_live(self, at: datetime) -> bool:
        """To the step that was looked at."""
        slack = timedelta(seconds=self.step_seconds)
        return any(begin - slack <= at <= end + slack for begin, end in self.lives)


@dataclass(frozen=True, slots=True)
class Tracks:
    """Tracks by the name of the revision's ReplicaSet; `why` says what could not be measured, if anything."""

    by_name: Mapping[str, Track] = field(default_factory=dict)
    why: str = ""
    lookback_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Judged:
    """Where a revision stands, and why; `doubted`: not proved, and what little was measured is not good."""

    revision: int
    standing: Standing
    reason: str
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """An incident about a workload; `drill`: it was rehearsed."""

    incident: str
    title: Untrusted
    started_at: datetime
    drill: bool


@dataclass(frozen=True, slots=True)
class Details:
    """What else the metrics tell, by the name of the ReplicaSet: `models` as `name=version@digest`."""

    p95_seconds: Mapping[str, float] = field(default_factory=dict)
    models: Mapping[str, tuple[Untrusted, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One revision with its record.

    `is_current`: it runs now; `is_target`: an unnamed rollback would go to it. `differs`: path, present value
    and its own value, as in the diff of a plan. `verified_by`: the change that brought it and was verified.
    `name`: of its ReplicaSet or ControllerRevision; the number goes to another one when it is returned to.
    """

    judged: Judged
    is_current: bool
    is_target: bool
    images: tuple[str, ...]
    change_cause: str
    track: Track | None
    p95_seconds: float | None
    models: tuple[Untrusted, ...]
    troubles: tuple[Trouble, ...]
    verified_by: str
    differs: tuple[tuple[Untrusted, Untrusted | None, Untrusted | None], ...]
    name: str = ""

    @property
    def requests(self) -> float | None:
        """The most events that an objective counted."""
        return max((kept.total for kept in self._kept), default=None)

    @property
    def error_ratio(self) -> float | None:
        """Of the objectives that count bad events."""
        return max((k.ratio for k in self._kept if k.counts_bad and k.ratio is not None), default=None)

    @property
    def burn(self) -> float | None:
        """Of the objective that fared worst."""
        return max((kept.burn for kept in self._kept if kept.burn is not None), default=None)

    @property
    def accuracy(self) -> float | None:
        """The share of good events of an objective with the label `sli: accuracy`."""
        return min((1 - k.ratio for k in self._kept if k.is_accuracy and k.ratio is not None), default=None)

    @property
    def _kept(self) -> tuple[Kept, ...]:
        return () if self.track is None else self.track.kept

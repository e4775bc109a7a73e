"""What every check of the guard answers. Invariant: what is not known allows nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from maestro_cli.changes.model import GateDecision, Plan
from maestro_cli.changes.policy import Policy
from maestro_cli.chaos.model import Candidate, Experiment, FaultOrder
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.core.errors import ExitCode


class Allows(Enum):
    YES = "allowed"
    NO = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one check says; `exit_code` is what the run ends with when it does not allow it."""

    check: str
    allows: Allows
    reason: str
    exit_code: ExitCode = ExitCode.POLICY_REFUSED
    fix: str = ""
    is_warning: bool = False  # it allows it, and somebody should know


@dataclass(frozen=True, slots=True)
class Chosen:
    """One fault of the proposal: all that could have been chosen, what was, its changes, what hinders it.

    `decisions` are what the gate of changes says to each of `plans` now; `control` are left alone. `fix` is
    of what it `lacks`, where that can be had.
    """

    order: FaultOrder
    candidates: tuple[Candidate, ...]
    targets: tuple[Candidate, ...]
    plans: tuple[Plan, ...] = ()
    decisions: tuple[GateDecision, ...] = ()
    control: tuple[Candidate, ...] = ()
    lacks: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Burn:
    """What an objective's budget would lose at worst (a share), and what is left of it; None: unknown.

    At least, whatever was not seen, and by what was seen alone, where gaps count for nothing; `words` is all
    of that, and `why` is why more is not known.
    """

    objective: str
    share: float | None
    left_at_least: float | None
    why: str = ""
    words: str = "not known"
    left_by_what_was_seen: float | None = None
    share_of_seen: float | None = None  # as `share`, where only what was seen of the window has a budget


@dataclass(frozen=True, slots=True)
class Proposal:
    """An experiment as it would run now, in this context."""

    experiment: Experiment
    policy: Policy
    chosen: tuple[Chosen, ...]
    burns: tuple[Burn, ...]
    seed: int
    at: datetime
    consented: bool = False  # somebody agreed; checks ask it where nothing bounds what the file does


class Check(Protocol):
    """One check; registered in CHECKS."""

    @property
    def name(self) -> str: ...

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        """Its answer; raises MaestroError where it cannot tell, which counts as UNKNOWN."""

"""What every fault answers: whom it can meet, how it is put in, and how its effect and its end are proved.

Invariant: a fault alters nothing itself. It names changes (`steps`), which the pipeline plans, gates,
journals with their undo, sends, and takes back; what `changes` has no kind for it brings as `kinds`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from maestro_cli.changes.kinds.kind import ChangeKind, Holds, Option
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.refs import ObjectRef


@dataclass(frozen=True, slots=True)
class Step:
    """One change that puts a fault into one target; parameters as its kind takes them."""

    kind: str
    ref: ObjectRef
    parameters: Mapping[str, Any]
    accepts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class InForce:
    """A fault that was put into these targets, by these changes; `before` it, so many were there."""

    order: FaultOrder
    targets: tuple[Candidate, ...]
    changes: tuple[str, ...]
    seconds: float  # how long it may be in force
    before: int


@dataclass(frozen=True, slots=True)
class Proof:
    """One look: YES, NOT_YET (look again), or NEVER, with what was seen."""

    holds: Holds
    text: str


class Fault(Protocol):
    """One way to hurt; registered in FAULTS. Reads raise Unreachable, Refused and NotFound."""

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str:
        """What it does, in a line."""

    @property
    def provider(self) -> str:
        """Through what it is put in: cluster, server, balancer, kubelet, chaos-mesh, region."""

    @property
    def options(self) -> Mapping[str, Option]:
        """The parameters that people give, by name."""

    def kinds(self, platform: Platform) -> Sequence[ChangeKind]:
        """The kinds of change that it brings; none where those of `changes` do."""

    def lacks(self, platform: Platform) -> str:
        """Why this context cannot have it; "" when it can."""

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        """Everything that the target rule matches, by name."""

    def steps(self, order: FaultOrder, targets: Sequence[Candidate], seconds: float) -> Sequence[Step]:
        """The changes that put it into these targets for so long, one a target or more."""

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        """Whether it does what it should."""

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        """Whether things are as before, once it was taken back."""

    def residue(self, platform: Platform, fault: InForce) -> Sequence[str]:
        """What of it is still there, in words; asked after the undo, and by a sweep."""

"""Faults that people look for and that no process can have, with where they are to be had instead.

Invariant: they are told in advance, in lists and plans, and never put into anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from maestro_cli.changes.kinds.kind import ChangeKind, Holds, Option
from maestro_cli.chaos.faults.fault import InForce, Proof, Step
from maestro_cli.chaos.model import Candidate, FaultOrder
from maestro_cli.chaos.ports import Platform


@dataclass(frozen=True, slots=True)
class NotHere:
    """One of them; `why` says also what to use."""

    name: str
    summary: str
    why: str
    provider: str = "kubelet"
    options: Mapping[str, Option] = field(default_factory=dict)

    def kinds(self, platform: Platform) -> Sequence[ChangeKind]:
        return ()

    def lacks(self, platform: Platform) -> str:
        return self.why

    def candidates(self, platform: Platform, order: FaultOrder) -> Sequence[Candidate]:
        return ()

    def steps(self, order: FaultOrder, targets: Sequence[Candidate], seconds: float) -> Sequence[Step]:
        return ()

    def effect(self, platform: Platform, fault: InForce) -> Proof:
        return Proof(Holds.NEVER, self.why)

    def recovery(self, platform: Platform, fault: InForce) -> Proof:
        return Proof(Holds.YES, "it was never put in")

    def residue(self, platform: Platform, fault: InForce) -> Sequence[str]:
        return ()


NOT_HERE = (
    NotHere(
        "pod-clock-skew",
        "the clock of chosen pods is wrong",
        "a process has the clock of its machine; where Chaos Mesh is: mesh-time-skew",
    ),
    NotHere(
        "pod-disk-error",
        "writes of chosen pods fail with ENOSPC",
        "no quota answers a process so: past its limit its pod is evicted (pod-disk); where Chaos Mesh is:"
        " mesh-io-fault",
    ),
)

"""One fault as an experiment carries it out: planned, put in, proved, taken back, looked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.changes.model import Consent
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.faults.fault import InForce, Proof
from maestro_cli.chaos.model import Candidate, Count, FaultOrder, TargetRule
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.refs import WorkloadRef
from tests.contract.cluster.running import until


@dataclass
class Injected:
    """A fault in a workload's first targets, by name; `put_in` and `take_back` move it."""

    platform: Platform
    pipeline: ChangePipeline
    order: FaultOrder
    seconds: float = 60.0
    in_force: InForce | None = None

    @property
    def candidates(self) -> list[Candidate]:
        return sorted(
            FAULTS[self.order.fault].candidates(self.platform, self.order), key=lambda one: str(one.ref)
        )

    def put_in(self) -> str:
        """What was seen of its effect."""
        fault = FAULTS[self.order.fault]
        assert fault.lacks(self.platform) == ""
        candidates = self.candidates
        targets = tuple(candidates[: self.order.target.count.of(len(candidates))])
        assert targets
        plans = [
            self.pipeline.plan(step.kind, step.ref, step.parameters)
            for step in fault.steps(self.order, targets, self.seconds)
        ]
        changes = tuple(plan.id for plan in plans)
        self.in_force = InForce(self.order, targets, changes, self.seconds, len(candidates))
        for plan in plans:
            self.pipeline.execute(plan, Consent(given=True, accepts=frozenset({"disruption-budget"})))
        return self.proved(lambda: fault.effect(self.platform, self.force), "an effect")

    @property
    def force(self) -> InForce:
        assert self.in_force is not None
        return self.in_force

    def take_back(self) -> str:
        """What was seen of its end; nothing of it is left."""
        fault = FAULTS[self.order.fault]
        for change in reversed(self.force.changes):
            self.pipeline.take_back(change, cause="the end of the fault")
        seen = self.proved(lambda: fault.recovery(self.platform, self.force), "a recovery")
        assert not fault.residue(self.platform, self.force)
        return seen

    def residue(self) -> list[str]:
        return list(FAULTS[self.order.fault].residue(self.platform, self.force))

    @staticmethod
    def proved(look: Callable[[], Proof], what: str) -> str:
        seen: list[str] = []

        def holds() -> bool:
            proof = look()
            seen.append(proof.text)
            assert proof.holds is not Holds.NEVER, proof.text
            return proof.holds is Holds.YES

        until(holds, what)
        return seen[-1]


def order(fault: str, ref: WorkloadRef, count: int = 1, **parameters: Any) -> FaultOrder:
    rule = TargetRule(ref.namespace, ref, "", Count(number=count))
    return FaultOrder(fault, fault, parameters, rule)

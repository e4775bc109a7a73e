"""What the steps of one change share. Invariant: whoever holds this holds the lease on the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from maestro_cli.changes.kinds.kind import ChangeKind
from maestro_cli.changes.ledger import Ledger, TargetLease
from maestro_cli.changes.model import Change, Plan
from maestro_cli.changes.policy import Policy
from maestro_cli.changes.ports import World
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.progress import Progress


@dataclass(frozen=True)
class Means:
    """Ports, rules and the lease; `ask` puts a question to the person at the terminal, if there is one.

    `plans` keeps payloads in memory by change id.
    """

    ledger: Ledger
    world: World
    kinds: Mapping[str, ChangeKind]
    policy: Policy
    clock: Clock
    progress: Progress
    cancellation: Cancellation
    lease: TargetLease
    ask: Callable[[str], bool] | None = None
    plans: dict[str, Plan] = field(default_factory=dict)

    def kind(self, change: Change) -> ChangeKind:
        return self.kinds[change.kind]

    def loaded(self, change: Change) -> Plan:
        """The change's plan with its payload; raises NotFound when the cluster no longer has it."""
        plan = self.plans.get(change.id)
        if plan is None or not plan.payload:
            plan = self.kind(change).reload(self.world, change.plan)
            self.plans[change.id] = plan
        return plan

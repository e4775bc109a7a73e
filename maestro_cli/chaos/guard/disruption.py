"""Disruption budgets can spare all the pods that end, counted together.

The gate of changes looks at one change at a time, and the cluster holds a budget against evictions alone: two
pods that end beside one another, or outright, may be one more than a service can spare.
"""

from __future__ import annotations

from collections import Counter

from maestro_cli.changes.model import BlastRadius, BudgetHeadroom
from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.quantities import counted


class DisruptionBudgets:
    """Read in advance, by name; one that cannot be read is not known to permit anything."""

    name = "disruption budgets"

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        ended: Counter[tuple[str, str]] = Counter()
        known: dict[tuple[str, str], BudgetHeadroom] = {}
        for plan in (plan for one in proposal.chosen for plan in one.plans):
            blast = plan.blast
            if not blast.replicas_ended:
                continue
            for word in blast.blind:
                if word.startswith("disruption budgets"):
                    return Answer(self.name, Allows.UNKNOWN, word, ExitCode.GATE_NOT_MET)
            for budget in blast.budgets:
                key = (budget.namespace or plan.target.ref.namespace, budget.name)
                known[key] = budget
                ended[key] += _at_once(blast)
        for key, budget in sorted(known.items()):
            if ended[key] > budget.allowed:
                return self._refused("/".join(key), budget, ended[key])
        names = ", ".join("/".join(key) for key in sorted(known))
        return Answer(
            self.name, Allows.YES, f"permit it: {names}" if names else "none is about what would end"
        )

    def _refused(self, name: str, budget: BudgetHeadroom, ended: int) -> Answer:
        state = (
            f"{budget.healthy} of {counted(budget.expected, 'pod')} healthy, {budget.desired_healthy} wanted"
        )
        what = f"{name} can spare {budget.allowed}, and {counted(ended, 'pod')} would end ({state})"
        fix = "lower count, or have more replicas than the budget wants"
        return Answer(self.name, Allows.NO, what, ExitCode.GATE_NOT_MET, fix=fix)


def _at_once(blast: BlastRadius) -> int:
    """A change that waits for the budget ends one pod after the other."""
    return 1 if blast.waits else blast.replicas_ended

"""Each change that a fault is made of gets past the gate that any change has to get past."""

from __future__ import annotations

from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.core.quantities import counted


class ChangeGate:
    """Access, policy, disruption budgets: asked with the plan, and again right before each call."""

    name = "changes"

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        for one in proposal.chosen:
            for plan, decision in zip(one.plans, one.decisions, strict=True):
                if not decision.allowed:
                    first = decision.reasons[0]
                    what = f"{plan.summary}: {first.what}{f' ({first.why})' if first.why else ''}"
                    return Answer(self.name, Allows.NO, what, first.exit_code, fix=first.fix)
        count = sum(len(one.plans) for one in proposal.chosen)
        return Answer(self.name, Allows.YES, f"{counted(count, 'change')} would be let through")

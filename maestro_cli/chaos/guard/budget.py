"""An experiment costs budget, and may cost more: enough has to be left of every objective it names."""

from __future__ import annotations

from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Verdict

# objectives are measured by whole minutes
UNKNOWN_FIX = "maestro slo budget (on a platform that began just now: try again in a minute)"
_ALLOWS = {Verdict.PASS: Allows.YES, Verdict.FAIL: Allows.NO, Verdict.INDETERMINATE: Allows.UNKNOWN}


class Budgets:
    """By the budget policy, which wants more to be left in production (a protected context)."""

    name = "budget"

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        guarded = proposal.experiment.guarded
        if guarded is None or not guarded.objectives:
            return Answer(self.name, Allows.YES, "it names no objective")
        said = surroundings.budget_gate(guarded.objectives)
        reason = "; ".join(f"{name}: {why}" for name, why in said.reasons)
        fix = UNKNOWN_FIX if said.verdict is Verdict.INDETERMINATE else "maestro slo budget"
        return Answer(self.name, _ALLOWS[said.verdict], reason, ExitCode.GATE_NOT_MET, fix=fix)

"""What would stop it can be measured, and is not the case already."""

from __future__ import annotations

from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.core.errors import ExitCode


class StopConditions:
    """A condition that nobody can measure would never stop anything."""

    name = "stop condition"

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        guarded = proposal.experiment.guarded
        for one in guarded.stop if guarded is not None else ():
            value = surroundings.value(one.query)
            if value is None:
                what = f"it cannot be measured now: {one.query}"
                return Answer(self.name, Allows.UNKNOWN, what, ExitCode.GATE_NOT_MET)
            if one.is_met(value):
                what = (
                    f"it is met already: {one.query} is {value:g}, and stops it at {one.sign} {one.bound:g}"
                )
                return Answer(self.name, Allows.NO, what, ExitCode.GATE_NOT_MET)
        return Answer(self.name, Allows.YES, "can be measured, and is not met")

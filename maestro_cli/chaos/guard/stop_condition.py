"""What would stop it can be measured, and is not the case already."""

from __future__ import annotations

from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.core.errors import ExitCode

_UNMEASURED = (
    "ask the context's Prometheus that query: it has to give one number; mend it in `stop`, or wait for data"
)
_MET = "wait until it is over, or raise the bound in `stop` if this is how things are when they are well"


class StopConditions:
    """A condition that nobody can measure would never stop anything."""

    name = "stop condition"

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        guarded = proposal.experiment.guarded
        if guarded is None or not guarded.stop:  # whether it has to have one is a matter of its bounds
            return Answer(self.name, Allows.YES, "it declares none, so there is nothing to measure")
        for one in guarded.stop:
            ask = surroundings.value_elsewhere if one.elsewhere else surroundings.value
            value = ask(one.query)
            if value is None:
                what = f"it cannot be measured now: {one.query}"
                return Answer(self.name, Allows.UNKNOWN, what, ExitCode.GATE_NOT_MET, fix=_UNMEASURED)
            if one.is_met(value):
                what = (
                    f"it is met already: {one.query} is {value:g}, and stops it at {one.sign} {one.bound:g}"
                )
                return Answer(self.name, Allows.NO, what, ExitCode.GATE_NOT_MET, fix=_MET)
        return Answer(self.name, Allows.YES, "can be measured, and is not met")

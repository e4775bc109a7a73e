"""Something is there to be hurt, and this context can."""

from __future__ import annotations

from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.core.errors import ExitCode

UNKNOWN = "whom its own actions meet, and how many, is not known"


class Targets:
    """Each fault can be had here and has a match; zero targets is an error, never a success."""

    name = "targets"

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        for one in proposal.chosen:
            if one.lacks:
                return Answer(
                    self.name, Allows.NO, f"{one.order.fault} cannot be had here: {one.lacks}",
                    ExitCode.GATE_NOT_MET, fix=one.fix or "maestro chaos list --faults",
                )  # fmt: skip
            if not one.targets:
                what = f"nothing that serves matches {one.order.target}, for {one.order.name}"
                return Answer(self.name, Allows.NO, what, ExitCode.ACTION_FAILED, fix="maestro pod list -A")
        named = [str(target.ref) for one in proposal.chosen for target in one.targets]
        known = ", ".join(dict.fromkeys(named)) or "it declares no fault"
        if proposal.experiment.unbound:
            return Answer(self.name, Allows.YES, f"{known}; {UNKNOWN}", is_warning=True)
        return Answer(self.name, Allows.YES, known)

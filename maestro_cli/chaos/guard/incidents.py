"""Nobody is hurt on purpose while people are hurt already."""

from __future__ import annotations

from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.core.errors import ExitCode


class Incidents:
    """No open incident of sev1 or sev2 in the namespaces; one that names no place may be anywhere."""

    name = "incidents"

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        if not proposal.experiment.acts:
            return Answer(self.name, Allows.YES, "it only looks")
        namespaces = sorted({one.order.target.namespace for one in proposal.chosen})
        found = surroundings.grave_incidents(namespaces)
        if found:
            fix = "maestro incident list, then resolve it"
            return Answer(self.name, Allows.NO, f"open: {', '.join(found)}", ExitCode.GATE_NOT_MET, fix=fix)
        return Answer(self.name, Allows.YES, "no incident of sev1 or sev2 is open there")

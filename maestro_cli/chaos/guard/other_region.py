"""Where a region is lost on purpose, the one that takes over is well."""

from __future__ import annotations

from maestro_cli.chaos.faults.region_failover import FAILOVER
from maestro_cli.chaos.faults.region_outage import OUTAGE
from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.facts.entrances import SERVICE_LABEL

_ABOUT_REGIONS = {OUTAGE, FAILOVER}


class OtherRegion:
    """Else both would be lost. Asked again right before each fault."""

    name = "other region"

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        faults = {one.order.fault for one in proposal.chosen}
        if not faults & _ABOUT_REGIONS:
            return Answer(self.name, Allows.YES, "no region is lost")
        why = surroundings.other_region_ails()
        if why:
            what = f"the region that takes over is not well: {why}"
            fix = "mend it first: with it all would be lost"
            return Answer(self.name, Allows.NO, what, ExitCode.GATE_NOT_MET, fix=fix)
        well = "the region that takes over answers"
        if FAILOVER in faults and not surroundings.failover_service():
            what = f"{well}; what the failover takes counts for no objective: nobody says of which service"
            fix = f"experiments.failover.service of the context, or {SERVICE_LABEL} at the entrance's slice"
            return Answer(self.name, Allows.YES, what, fix=fix, is_warning=True)
        return Answer(self.name, Allows.YES, well)

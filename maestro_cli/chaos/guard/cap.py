"""Never more than the cap of the context, and never all that serve beside one another.

What is whole by its nature (a workload scaled to zero, a config map) is met where the context says so.
"""

from __future__ import annotations

from maestro_cli.chaos.experiments.declared import read_count
from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.core.quantities import counted

DEFAULT = "25%"


class Cap:
    """Counted over what could have been chosen, each fault by itself."""

    name = "cap"

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        rules = surroundings.rules
        cap = read_count(DEFAULT if rules is None else rules.cap)
        for one in proposal.chosen:
            there, wanted = len(one.candidates), len(one.targets)
            most = cap.of(there)
            if wanted and all(target.whole for target in one.targets):
                if rules is None or not rules.whole:
                    what = f"{one.order.name} would meet the whole of {one.targets[0].ref}"
                    fix = f"if that is meant: contexts.{proposal.policy.context}.experiments.whole: true"
                    return Answer(self.name, Allows.NO, what, fix=fix)
                continue
            if wanted and wanted >= there:
                what = f"{one.order.name} would meet all of {one.order.target}: {counted(there, 'target')}"
                return Answer(self.name, Allows.NO, what, fix="lower count, or have more replicas")
            if wanted > most:
                what = f"{one.order.name} would meet {wanted} of {there}, and the cap of {cap} allows {most}"
                fix = f"lower count, or raise contexts.{proposal.policy.context}.experiments.cap"
                return Answer(self.name, Allows.NO, what, fix=fix)
        return Answer(self.name, Allows.YES, f"at most {cap} of those that serve beside one another")

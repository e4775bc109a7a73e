"""Not in a freeze of the policy, and not in a blackout of the context."""

from __future__ import annotations

from maestro_cli.changes.rules import freezes_of_everything
from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.config.experiments import holds


class Blackouts:
    """Freezes of some kinds or targets are judged with the changes, by their own gate."""

    name = "blackout"

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        if not proposal.experiment.acts:
            return Answer(self.name, Allows.YES, "it only looks")
        if proposal.policy.rules is not None:
            for judged in freezes_of_everything(proposal.policy.rules, proposal.at):
                return Answer(
                    self.name, Allows.NO, f"{judged.place}: {judged.why}", fix="wait until it is over"
                )
        for one in surroundings.rules.blackouts if surroundings.rules is not None else ():
            if holds(one, proposal.at):
                what = f"the blackout {one.name!r} holds, {one.duration} from {one.cron} {one.zone}"
                return Answer(self.name, Allows.NO, what, fix="wait until it is over")
        return Answer(self.name, Allows.YES, "no freeze and no blackout holds now")

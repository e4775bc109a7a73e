"""Only where the context allows it, and never where nothing may be changed."""

from __future__ import annotations

from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.ports import Surroundings


class Place:
    """A context that says nothing of experiments allows none that hurts something."""

    name = "place"

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        policy, experiment = proposal.policy, proposal.experiment
        if policy.read_only:  # whatever the file says: who performs it is a process that could do more
            fix = "unset --read-only, MAESTRO_READ_ONLY or read_only of the context"
            return Answer(self.name, Allows.NO, f"context {policy.context} is read-only", fix=fix)
        if not experiment.acts:
            return Answer(self.name, Allows.YES, "it only looks")
        rules = surroundings.rules
        if experiment.guarded is None:
            return Answer(self.name, Allows.YES, "it says nothing of where it acts")
        allowed = () if rules is None else rules.namespaces
        wanted = sorted({one.order.target.namespace for one in proposal.chosen})
        outside = [namespace for namespace in wanted if namespace not in allowed]
        if outside or not allowed:
            fix = f"if that is meant: contexts.{policy.context}.experiments.namespaces: {wanted or ['NAME']}"
            where = f" in {', '.join(outside)}" if outside else ""
            why = f"context {policy.context} allows no experiments{where}"
            return Answer(self.name, Allows.NO, why, fix=fix)
        return Answer(self.name, Allows.YES, f"experiments are allowed in {', '.join(wanted or allowed)}")

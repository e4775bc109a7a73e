"""Only where the context allows it, and never where nothing may be changed."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.model import Experiment
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.chaos.reach import CLUSTER, asks_cluster
from maestro_cli.config.experiments import ExperimentRules


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
        wanted = sorted({one.order.target.namespace for one in proposal.chosen})
        allowed = () if rules is None else rules.namespaces
        outside = [namespace for namespace in wanted if namespace not in allowed]
        if outside or is_nowhere(experiment, rules):
            where = f" in {', '.join(outside)}" if outside else ""
            why = f"context {policy.context} allows no experiments{where}"
            return Answer(self.name, Allows.NO, why, fix=allowing(policy.context, wanted))
        if not surroundings.has_cluster and asks_cluster(experiment.document):
            why = f"context {policy.context} has no cluster, and {CLUSTER} would act on whichever it finds"
            return Answer(self.name, Allows.NO, why, fix=f"set contexts.{policy.context}.cluster")
        told = f"experiments are allowed in {', '.join(wanted or allowed)}"
        if experiment.unbound:  # what it meets is known to nobody but the file
            told = f"{told}; where its own actions act, nothing bounds"
        return Answer(self.name, Allows.YES, told, is_warning=bool(experiment.unbound))


def is_nowhere(experiment: Experiment, rules: ExperimentRules | None) -> bool:
    """Whether it may act, and the context says of no namespace that something may be hurt there."""
    return experiment.acts and (rules is None or not rules.namespaces)


def allowing(context: str, namespaces: Sequence[str] = ()) -> str:
    """What allows it, for who means that."""
    named = ", ".join(namespaces or ["NAME"])
    return f"if that is meant: contexts.{context}.experiments.namespaces: [{named}]"

"""What hurts has an end, and something that ends it earlier."""

from __future__ import annotations

from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.ports import Surroundings

UNBOUND = "nothing bounds what its actions do, and nobody but the file itself takes it back"


class Bounds:
    """A duration and a stop condition; a plain file that acts has neither and needs somebody's word."""

    name = "bounds"

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        experiment = proposal.experiment
        if not experiment.acts:
            return Answer(self.name, Allows.YES, "it only looks")
        guarded = experiment.guarded
        if guarded is None:
            return self._unbound(proposal)
        missing = [] if guarded.duration_seconds is not None else ["a duration"]
        missing += [] if guarded.stop else ["a stop condition"]
        if missing:
            fix = 'add to the extension maestro: duration: 60s, stop: [{query: …, when: "> 0.05"}]'
            return Answer(self.name, Allows.NO, f"it does not declare {' and '.join(missing)}", fix=fix)
        return Answer(
            self.name, Allows.YES, f"{guarded.duration_seconds:g} s, and {len(guarded.stop)} to stop it"
        )

    def _unbound(self, proposal: Proposal) -> Answer:
        if proposal.policy.protected:
            fix = "declare faults, targets, duration and stop in its extension maestro"
            return Answer(
                self.name, Allows.NO, f"{UNBOUND}; context {proposal.policy.context} is protected", fix=fix
            )
        if not proposal.consented:
            return Answer(self.name, Allows.NO, UNBOUND, fix="if that is meant: --yes")
        return Answer(self.name, Allows.YES, f"{UNBOUND}; somebody agreed")

"""What hurts has an end, and something that ends it earlier."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.ports import Surroundings

MOST_NAMED = 3


class Bounds:
    """A duration and a stop condition; what only the file bounds needs somebody's word, and no production."""

    name = "bounds"

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        experiment, guarded = proposal.experiment, proposal.experiment.guarded
        if not experiment.acts:
            return Answer(self.name, Allows.YES, "it only looks")
        if guarded is not None:
            missing = [] if guarded.duration_seconds is not None else ["a duration"]
            missing += [] if guarded.stop else ["a stop condition"]
            if missing:
                fix = 'add to the extension maestro: duration: 60s, stop: [{query: …, when: "> 0.05"}]'
                what = f"it does not declare {' and '.join(missing)}"
                return Answer(self.name, Allows.NO, what, fix=fix)
        if guarded is None or experiment.unbound:
            return self._unbound(proposal)
        bounds = f"{guarded.duration_seconds:g} s, and {len(guarded.stop)} to stop it"
        return Answer(self.name, Allows.YES, bounds)

    def _unbound(self, proposal: Proposal) -> Answer:
        who = _named(proposal.experiment.unbound) or "it"
        what = f"nothing bounds what {who} may do, and nobody but the file itself takes it back"
        if proposal.policy.protected:
            told = f"{what}; context {proposal.policy.context} is protected"
            fix = (
                "declare faults, targets, duration and stop in its extension maestro, and inject those alone"
            )
            return Answer(self.name, Allows.NO, told, fix=fix)
        if not proposal.consented:
            return Answer(self.name, Allows.NO, what, fix="if that is meant: --yes")
        return Answer(self.name, Allows.YES, f"{what}: it takes somebody's word", is_warning=True)


def _named(parts: Sequence[str]) -> str:
    shown = ", ".join(dict.fromkeys(parts[:MOST_NAMED]))
    return f"{shown} and {len(parts) - MOST_NAMED} more" if len(parts) > MOST_NAMED else shown

"""One experiment at a time in a context: two would be blamed for one another."""

from __future__ import annotations

from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.core.errors import ExitCode


class Alone:
    """Nothing is running, and nothing was left by one that was killed."""

    name = "alone"

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        others = surroundings.others()
        if others:
            fix = f"maestro chaos status {others[0]}; what a dead one left: maestro chaos sweep"
            return Answer(self.name, Allows.NO, f"not over: {', '.join(others)}", ExitCode.BUSY, fix=fix)
        return Answer(self.name, Allows.YES, "no other experiment is under way")

"""What an experiment would burn at worst is little of what is left of every budget that it names.

At worst is share · minutes / (window in minutes · (1 − target)) of a budget (planning): every request to a
target is bad for as long as its fault may be in force.
"""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.chaos.burned import left_that_counts
from maestro_cli.chaos.guard.budget import UNKNOWN_FIX
from maestro_cli.chaos.guard.check import Allows, Answer, Burn, Proposal
from maestro_cli.chaos.ports import Surroundings
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.quantities import format_share
from maestro_cli.slo.words import left_phrase, left_words

MOST_OF_LEFT = 0.05  # of what is left of a budget, in one experiment
LEAST_PROTECTED = 0.25  # of a budget has to be left in a protected context


class PredictedBurn:
    """One that names no objective has no known cost: refused where the context is protected, else told."""

    name = "burn"

    def examine(self, proposal: Proposal, surroundings: Surroundings) -> Answer:
        if not proposal.experiment.acts:
            return Answer(self.name, Allows.YES, "it only looks")
        if not proposal.burns:
            return self._unpriced(proposal)
        by_seen = surroundings.rules is not None and surroundings.rules.budgets == "seen"
        answers = [self._judged(one, by_seen, proposal.policy.protected) for one in proposal.burns]
        against = [one for one in answers if one.allows is not Allows.YES]
        if against:
            return min(against, key=lambda one: one.allows is Allows.UNKNOWN)
        told = "; ".join(one.reason for one in answers)
        return Answer(self.name, Allows.YES, told, is_warning=any(one.is_warning for one in answers))

    def _unpriced(self, proposal: Proposal) -> Answer:
        what, fix = (
            "it names no objective: what it costs is not known",
            "add to its extension: objectives: […]",
        )
        if proposal.policy.protected:
            what = f"{what}, and context {proposal.policy.context} is protected"
            return Answer(self.name, Allows.NO, what, fix=fix)
        return Answer(self.name, Allows.YES, what, fix=fix, is_warning=True)

    def _judged(self, burn: Burn, by_seen: bool, is_protected: bool) -> Answer:
        told = "; ".join(_against(burn, by_seen, is_protected))
        if told:
            fix = "lower duration or count, or wait until the budget recovers: maestro slo budget"
            return Answer(self.name, Allows.NO, f"{burn.objective}: {told}", ExitCode.GATE_NOT_MET, fix=fix)
        left = left_that_counts(burn, by_seen)
        if burn.share is None or left is None:
            what = f"{burn.objective}: what it would burn of what is left is not known: {burn.why}"
            return Answer(self.name, Allows.UNKNOWN, what, ExitCode.GATE_NOT_MET, fix=UNKNOWN_FIX)
        by = f" by what was seen alone: {burn.why or 'not all was'}" if left != burn.left_at_least else ""
        spent = f"at worst {format_share(burn.share)} of a budget of which {format_share(left)} is left{by}"
        may_overspend = by_seen and burn.share_of_seen is not None and burn.share_of_seen > left
        after = "; counted by what was seen so far it may be overspent then, and nothing more be let through"
        told = f"{burn.objective}: {spent}{after if may_overspend else ''}"
        return Answer(self.name, Allows.YES, told, is_warning=may_overspend)


def _against(burn: Burn, by_seen: bool, is_protected: bool) -> Iterator[str]:
    left = left_that_counts(burn, by_seen)
    if left is None:
        return
    if is_protected and left < LEAST_PROTECTED:
        yield f"{left_phrase(left, 'of its budget')}, and {LEAST_PROTECTED:.0%} has to be left"
    if burn.share is not None and burn.share > MOST_OF_LEFT * left:
        spent = f"it would burn {format_share(burn.share)} of its budget at worst"
        limit = f"more than {MOST_OF_LEFT:.0%} of the {format_share(left)} that is left"
        yield f"{spent}, {limit}" if left > 0 else f"{spent}, and none is left: {left_words(left)}"

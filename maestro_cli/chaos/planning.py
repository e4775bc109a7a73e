"""What an experiment would do now: which targets, by which changes, at which cost at worst.

Invariant: reads alone. The same seed over the same candidates chooses the same targets. What is run is what
was planned: each change is bound to its target's uid, and a stale one is refused, never re-aimed.

The burn at worst is share · duration / (window · (1 − target)): as if every request to a target was bad for
as long as its fault may be in force, and each of the candidates got as many. That is of a window which all
has such traffic: of what was seen of it so far, it is as many times more as the window is longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from maestro_cli.changes.left import Left
from maestro_cli.changes.model import Consent
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.guard.check import Burn, Chosen, Proposal
from maestro_cli.chaos.model import Candidate, Experiment, FaultOrder
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.canonical import digest
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import MaestroError
from maestro_cli.slo.objectives import Objective

DEFAULT_SECONDS = 60.0  # of an experiment that declares none, which its guard refuses
VERIFY_SECONDS = 30.0  # for one change of a fault to be in effect


class Planner:
    """Proposals in one context; `pipeline` knows the kinds of change that faults bring."""

    def __init__(self, platform: Platform, pipeline: ChangePipeline, clock: Clock) -> None:
        self._platform, self._pipeline, self._clock = platform, pipeline, clock

    def propose(self, experiment: Experiment, seed: int, consent: Consent) -> Proposal:
        """What would be done; what hinders a fault is told in it, and raised by nobody."""
        guarded = experiment.guarded
        orders = guarded.faults if guarded is not None else ()
        seconds = (guarded and guarded.duration_seconds) or DEFAULT_SECONDS
        control = guarded.control if guarded is not None else 0
        chosen = tuple(self._chosen(order, seed, seconds, control, consent) for order in orders)
        return Proposal(
            experiment=experiment,
            policy=self._pipeline.policy,
            chosen=chosen,
            burns=tuple(self._burns(experiment, chosen, seconds)),
            seed=seed,
            at=self._clock.now(),
            consented=consent.given,
        )

    def _chosen(self, order: FaultOrder, seed: int, seconds: float, control: int, consent: Consent) -> Chosen:
        fault = FAULTS[order.fault]
        try:
            lacks = fault.lacks(self._platform)
            if lacks:
                return Chosen(order, (), (), lacks=lacks)
            candidates = tuple(fault.candidates(self._platform, order))
            targets = choose(candidates, order, seed)
            plans = tuple(
                self._pipeline.plan(step.kind, step.ref, step.parameters, timeout_seconds=VERIFY_SECONDS)
                for step in fault.steps(order, targets, seconds)
            )
            decisions = tuple(self._pipeline.decide(plan, consent) for plan in plans)
        except MaestroError as error:
            lacks = "; ".join(filter(None, (error.what, error.why)))
            return Chosen(order, (), (), lacks=lacks, fix=error.fix)
        untouched = tuple(one for one in candidates if one not in targets)[:control]
        return Chosen(order, candidates, targets, plans, decisions, untouched)

    def _burns(self, experiment: Experiment, chosen: Sequence[Chosen], seconds: float) -> Iterator[Burn]:
        share = max((len(one.targets) / len(one.candidates) for one in chosen if one.candidates), default=0.0)
        for name in experiment.guarded.objectives if experiment.guarded is not None else ():
            try:
                objective = self._platform.objectives[name]
            except (KeyError, MaestroError) as error:
                why = error.what if isinstance(error, MaestroError) else "the context has no such objective"
                yield Burn(name, None, None, why)
                continue
            left, worst = self._platform.budget_left(objective), burn_at_worst(objective, share, seconds)
            low = left.share if left.low is None else left.low
            of_seen = worst / left.coverage if worst is not None and left.coverage else None
            yield Burn(name, worst, low, left.why, _left_words(left), left.seen, of_seen)


def _left_words(left: Left) -> str:
    """With what counts where gaps count for nothing, where nothing happened that could have burned any."""
    return f"{left.words} (nothing happened: all of it by what was seen)" if left.is_idle else left.words


def proposal_digest(proposal: Proposal) -> str:
    """SHA-256 (hex) over what would be done to whom: the file, and the uids that each fault would meet."""
    met = [(one.order.name, [target.uid for target in one.targets]) for one in proposal.chosen]
    return digest([proposal.experiment.digest, met])


def burn_at_worst(objective: Objective, share: float, seconds: float) -> float | None:
    """The share of the error budget (1 is all of it); None where it has none."""
    allowed = objective.window_seconds * objective.budget
    return share * seconds / allowed if allowed > 0 else None


def choose(candidates: Sequence[Candidate], order: FaultOrder, seed: int) -> tuple[Candidate, ...]:
    """As many as the order wants, as the seed draws them, by name."""
    ordered = sorted(candidates, key=lambda one: str(one.ref))
    eligible = [one for one in ordered if one.eligible]
    wanted = min(order.target.count.of(len(ordered)), len(eligible))
    drawn = Random(f"{seed}/{order.name}").sample(eligible, wanted)
    return tuple(sorted(drawn, key=lambda one: str(one.ref)))

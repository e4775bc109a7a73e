"""Runs of experiments as drills have them. Satisfies chaos.drills.ports.Experiments.

Invariant: they are runs as any: planned, guarded, journalled, taken back and swept by the same use cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.changes.model import Consent
from maestro_cli.chaos.drilled import Drilled
from maestro_cli.chaos.drills.ports import PutIn
from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.faults.fault import InForce
from maestro_cli.chaos.guard.check import Answer, Proposal
from maestro_cli.chaos.ledger import events_of, in_force_of
from maestro_cli.chaos.model import Experiment
from maestro_cli.chaos.running import Means, RunReport, Wanted, propose, run
from maestro_cli.chaos.sweeping import sweep
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.progress import Progress, Quiet
from maestro_cli.journal.model import Event

_QUIET = Quiet()


class ExperimentsUnderGuard:
    """With the means of one context; `cancellation` ends its runs early."""

    def __init__(self, means: Means, cancellation: Cancellation) -> None:
        self._means, self._cancellation = means, cancellation

    def plan(self, experiment: Experiment, seed: int) -> tuple[Proposal, Sequence[Answer]]:
        return propose(self._means, self._wanted(experiment, seed, None))

    def run(
        self,
        experiment: Experiment,
        seed: int,
        drilled: Drilled,
        *,
        agreed: str = "",
        progress: Progress = _QUIET,
    ) -> RunReport:
        wanted = replace(self._wanted(experiment, seed, drilled), agreed=agreed)
        return run(self._means, wanted, progress=progress, cancellation=self._cancellation)

    def _wanted(self, experiment: Experiment, seed: int, drilled: Drilled | None) -> Wanted:
        """Who begins a drill has agreed to it."""
        agreed = Consent(given=True, typed_context=self._means.pipeline.policy.context)
        return Wanted(experiment, seed, agreed, drilled=drilled)

    def put_in(self, run: str) -> PutIn | None:
        events: Mapping[str, Event] = {event.kind: event for event in events_of(self._means.journal, run)}
        intended = events.get("experiment.intended")
        if intended is None:
            return None
        injected, undone = events.get("experiment.injected"), events.get("experiment.undone")
        is_undone = undone is not None and not undone.data["error"]
        return PutIn(
            in_force_of(intended.data),
            from_rfc3339(intended.time),
            injected is not None and injected.data["outcome"] == "effective",
            str(undone.data["by"]) if undone is not None and is_undone else "",
        )

    def is_over(self, fault: InForce) -> bool:
        return FAULTS[fault.order.fault].recovery(self._means.platform, fault).holds is Holds.YES

    def sweep(self, run: str) -> Sequence[str]:
        """One that the journal has nothing of put in nothing."""
        means = self._means
        if not events_of(means.journal, run):
            return ()
        swept = sweep(means.journal, means.platform, means.pipeline, means.clock, run=run)
        return tuple(text for one in swept for text in one.residue)

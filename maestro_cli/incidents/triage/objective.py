"""Which objective an incident spends the budget of.

Invariant: never one of another workload, and never a guess between several: what cannot be told is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.model import Signal
from maestro_cli.slo.objectives import Objective

_OBJECTIVE_LABEL, _SERVICE_LABEL = "objective", "service"


@dataclass(frozen=True, slots=True)
class Choice:
    """The objective, or None and why there is none."""

    objective: Objective | None
    why: str = ""


def choose_objective(
    objectives: Sequence[Objective], workload: WorkloadRef, signals: Sequence[Signal]
) -> Choice:
    """The one for the workload; of several the one whose alert fired, else the one that counts errors."""
    if not objectives:
        return Choice(None, "no objective is given")
    services = {signal.labels.get(_SERVICE_LABEL, "") for signal in signals} - {""}
    fitting = [one for one in objectives if one.is_watched and one.is_for(workload, services)]
    if not fitting:
        return Choice(None, f"none of {len(objectives)} objectives is for {workload}")
    by_name = {one.name: one for one in fitting}
    for signal in signals:
        if (fired := by_name.get(signal.labels.get(_OBJECTIVE_LABEL, ""))) is not None:
            return Choice(fired)
    counting_errors = [one for one in fitting if one.counts_errors]
    for several in (fitting, counting_errors):
        if len(several) == 1:
            return Choice(several[0])
    names = ", ".join(sorted(by_name))
    return Choice(None, f"{names} are for {workload}, and no alert of theirs fired")

"""How a response did against faults that really were injected. Pure.

Invariant: times count from the fault's true start, and it was mitigated when it truly ended, as its server
recorded both. Where the truth is not known,
or nothing was there to be noticed, the verdict is INDETERMINATE, never PASS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from maestro_cli.chaos.drills.faults import InjectedFault
from maestro_cli.chaos.drills.model import Outcome, PhaseScore
from maestro_cli.chaos.drills.scorecard import blamed, phases_since
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.verdict import Judgement, Verdict

ECHO_SECONDS = 120.0  # an alert over a window still fires a while after its cause is gone
_BY_ITSELF = "time"


@dataclass(frozen=True, slots=True)
class FaultScore:
    """A judged response. `fault` is what it responded to, `others` were on beside it."""

    incident: str
    judgement: Judgement
    fault: InjectedFault | None = None
    others: tuple[InjectedFault, ...] = ()
    phases: tuple[PhaseScore, ...] = ()
    blamed: str = "nobody"
    cause_is_right: bool | None = None
    misses: tuple[str, ...] = ()


def score_faults(
    faults: Sequence[InjectedFault], outcome: Outcome, target: WorkloadRef | None, now: datetime
) -> FaultScore:
    """Judge what was done about the earliest of the faults that were on when the incident was opened."""
    on = _on_at(faults, outcome.detected_at)
    if not on or target is None:
        why = "no fault was on when the incident was opened" if not on else "the incident names no workload"
        return FaultScore(outcome.incident, _unknown(why))
    fault, *others = on
    is_ended = fault.ended is not None and fault.ended_because != _BY_ITSELF
    truly = replace(outcome, mitigated_at=fault.ended if is_ended else None)
    phases = phases_since(truly, fault.began)
    is_right = any(_names(one, outcome, target) for one in on)
    late = [phase.miss for phase in phases if phase.miss and (is_ended or phase.name != "mitigated")]
    misses = (*late, *(() if is_right else ("the wrong cause was blamed",)), *_left(fault, now))
    return FaultScore(
        outcome.incident,
        _judge(fault, misses, now),
        fault,
        tuple(others),
        phases,
        blamed(outcome),
        is_right,
        misses,
    )


def _judge(fault: InjectedFault, misses: Sequence[str], now: datetime) -> Judgement:
    if misses:
        return Judgement(Verdict.FAIL, 1.0, "; ".join(misses))
    if fault.ended is None and fault.ends <= now:
        return _unknown("its server died before it recorded how the fault ended")
    return Judgement(Verdict.PASS, 1.0, "in time, and right")


def _unknown(why: str) -> Judgement:
    return Judgement(Verdict.INDETERMINATE, 0.0, why)


def _on_at(faults: Sequence[InjectedFault], detected_at: datetime | None) -> list[InjectedFault]:
    """Those that met somebody and were on then, or had been until a moment before; oldest first."""
    if detected_at is None:
        return []
    return [
        fault
        for fault in sorted(faults, key=lambda one: one.began)
        if not fault.met_nobody
        and fault.began <= detected_at
        and seconds_between(fault.over_at, detected_at) <= ECHO_SECONDS
    ]


def _names(fault: InjectedFault, outcome: Outcome, target: WorkloadRef) -> bool:
    """Whether the suspect is where the fault was: in the target's pods, in what they depend on when that was
    played, or, for a fault of one version alone, in the release that brought the version.
    """
    if fault.kind == "dependency":
        return outcome.suspect_kind == "dependency"
    if outcome.suspect_kind == "release":
        return fault.version is not None and outcome.suspect_subject == str(target)
    pod = f"pod {target.namespace}/{target.name}-"
    return outcome.suspect_kind == "pod" and outcome.suspect_subject.startswith(pod)


def _left(fault: InjectedFault, now: datetime) -> tuple[str, ...]:
    """Whether the responders left it to itself."""
    if fault.ended_because == _BY_ITSELF:
        return ("nobody ended the fault: its time was over",)
    if fault.ended is None and now < fault.ends:
        return ("the fault is still on",)
    return ()

"""One outcome as test cases: gate, inject, during, after, rollback, residue.

Invariant: something failed if and only if something speaks against a pass, and whatever speaks against it is
in one of the cases. What was not reached is skipped, never passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from maestro_cli.chaos.ci.outcome import GUARD, Against, Outcome
from maestro_cli.chaos.refusing import said_no
from maestro_cli.chaos.verdict import AFTERWARDS, Steady, raised_of, steady_of
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.quantities import counted


class State(Enum):
    """`failed`: what was measured was bad. `error`: it could not be measured, or not be done."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Case:
    """`exit_code`: what a run ends with for what is bad in this very case."""

    name: str
    state: State
    why: str = ""
    seconds: float | None = None
    exit_code: ExitCode | None = None


HOUR = "hour"  # a miss that is not to be blamed on the fault
GATE, DURING, AFTER = "gate.steady-state", "during.steady-state", "after.steady-state"
# Where a rule of the verdict is told.
_PLACES: Mapping[str, str] = {
    GUARD: "gate.guard", "gate": GATE, "injection": "inject.fault", "worker": "inject.performance",
    "during": DURING, "deviated": DURING, HOUR: DURING, "stop": "during.stop-condition",
    "interrupted": "during.to-its-end", "blind": "during.data", "no data": "during.data",
    "after": AFTER, "recovery": "after.recovery", "failover": "after.failover", "undo": "rollback.undo",
    "residue": "residue",
}  # fmt: skip
_ACTIVITY_CODES = {"inject": ExitCode.ACTION_FAILED, "rollback": ExitCode.UNDO_FAILED}
_MEASURED = (ExitCode.CONDITION_NOT_MET, ExitCode.UNDO_FAILED, ExitCode.STOP_CONDITION)


def cases_of(outcome: Outcome) -> tuple[Case, ...]:
    """Every case, in the order of a run."""
    cases = {case.name: case for case in _untold(outcome)}
    for against in outcome.against:
        name = _place(against, cases)
        state = State.FAILED if _was_measured(against, outcome) else State.ERROR
        before = cases.get(name)
        if before is not None and against.rule != HOUR and before.state in (State.FAILED, State.ERROR):
            state = State.FAILED if State.FAILED in (state, before.state) else State.ERROR
            code = against.exit_code if before.exit_code is None else before.exit_code
            told = f"{before.why}\n{against.what}".lstrip("\n")
            cases[name] = replace(before, state=state, why=told, exit_code=code)
        elif before is not None:
            cases[name] = replace(before, state=state, why=against.what, exit_code=against.exit_code)
        else:
            cases[name] = Case(name, state, against.what, exit_code=against.exit_code)
    return tuple(cases.values())


def count(cases: Sequence[Case], state: State) -> int:
    return sum(case.state is state for case in cases)


def _place(against: Against, cases: Mapping[str, Case]) -> str:
    place = _PLACES.get(against.rule, f"gate.{against.rule.replace(' ', '-')}")
    if against.rule == HOUR and against.what.startswith(AFTERWARDS):
        return AFTER
    if against.rule in ("injection", "recovery"):
        stem = "inject." if against.rule == "injection" else "after.recovery."
        text = against.what.removeprefix("an action failed: ")
        named = [name for name in cases if name.startswith(stem) and text.startswith(name[len(stem) :])]
        return max(named, key=len, default=place)
    return place


def _was_measured(against: Against, outcome: Outcome) -> bool:
    if against.rule == "gate":
        return steady_of(_states(outcome).get("before")) is Steady.MISSED
    return against.exit_code in _MEASURED or against.rule == GUARD


def _untold(outcome: Outcome) -> Iterator[Case]:
    """The cases as they are when nothing speaks against them."""
    if outcome.journal is None:
        yield Case("gate.guard", State.SKIPPED)
        for name in (GATE, *_injected(outcome), DURING, "during.data", AFTER, "rollback.undo", "residue"):
            yield Case(name, State.SKIPPED)
        return
    states, journal = _states(outcome), outcome.journal
    before = states.get("before")
    yield Case("gate.guard", State.PASSED)
    yield _steady(GATE, before, State.ERROR)
    is_begun = before is None or steady_of(before) is Steady.MET
    begun = State.PASSED if is_begun else State.SKIPPED
    yield from _injections(outcome)
    during = [steady_of(one) for one in states.get("during") or ()]
    missed, met = during.count(Steady.MISSED), during.count(Steady.MET)
    told = f"{met} of {counted(len(during), 'look')} met, {missed} missed"
    yield Case(DURING, State.PASSED if met or missed else State.SKIPPED, told if during else "")
    is_watched = is_begun and bool(outcome.faults)
    yield Case("during.stop-condition", State.PASSED if is_watched else State.SKIPPED)
    yield Case("during.data", begun)
    yield _steady(AFTER, states.get("after"), State.SKIPPED)
    for one in outcome.ours.get("proof_of_recovery") or ():
        unproved = State.ERROR if one.get("is_cut_short") else State.FAILED
        state = State.PASSED if one["recovered"] else unproved
        code = ExitCode.NO_DATA if state is State.ERROR else None
        yield Case(f"after.recovery.{one['name']}", state, str(one["why"]), one.get("seconds"), code)
    for run in journal.get("rollbacks") or ():
        yield _activity("rollback", run)
    yield Case("rollback.undo", State.PASSED if is_watched else State.SKIPPED)
    unfinished = [str(one) for one in outcome.ours.get("undo_failures") or ()]
    if unfinished:  # what was not taken back is still there, whatever is found of it
        left = "\n".join(f"not taken back: {one}" for one in unfinished)
        yield Case("residue", State.FAILED, left, exit_code=ExitCode.UNDO_FAILED)
    else:
        yield Case("residue", begun)


def _steady(name: str, state: Mapping[str, Any] | None, unlooked: State) -> Case:
    if state is None:
        return Case(name, unlooked, "" if unlooked is State.SKIPPED else "nobody looked")
    seen = {Steady.MET: State.PASSED, Steady.MISSED: State.FAILED, Steady.NO_DATA: State.ERROR}
    found = steady_of(state)
    code = ExitCode.NO_DATA if found is Steady.NO_DATA and name != GATE else None
    return Case(name, seen[found], exit_code=code)


def _injected(outcome: Outcome) -> tuple[str, ...]:
    return tuple(f"inject.{name}" for name in outcome.faults) or ("inject.method",)


def _injections(outcome: Outcome) -> Iterator[Case]:
    """Each fault with the proof of its effect; without maestro's part, each action."""
    proofs = {str(one["name"]): one for one in outcome.ours.get("proof_of_effect") or ()}
    for name in dict.fromkeys((*outcome.faults, *proofs)):
        proof = proofs.get(name)
        if proof is None:
            yield Case(f"inject.{name}", State.SKIPPED)
            continue
        is_in = proof["outcome"] == "effective"
        state, code = (State.PASSED, None) if is_in else (State.ERROR, ExitCode.ACTION_FAILED)
        yield Case(f"inject.{name}", state, str(proof["why"]), proof.get("seconds"), code)
    if not proofs:
        for run in (outcome.journal or {}).get("run") or ():
            if (run.get("activity") or {}).get("type") == "action":
                yield _activity("inject", run)


def _activity(part: str, run: Mapping[str, Any]) -> Case:
    name = str((run.get("activity") or {}).get("name") or "an activity")
    seen = {"succeeded": State.PASSED, "failed": State.ERROR}
    seconds = run.get("duration")
    known = float(seconds) if isinstance(seconds, int | float) and 0 <= seconds < 1e9 else None
    no = said_no(run)
    state = State.ERROR if no else seen.get(str(run.get("status")), State.SKIPPED)
    if state is not State.ERROR:
        return Case(f"{part}.{name}", state, "", known)
    why = no or raised_of(run) or "it failed, and does not say why"
    return Case(f"{part}.{name}", state, why, known, _ACTIVITY_CODES[part])


def _states(outcome: Outcome) -> Mapping[str, Any]:
    return (outcome.journal or {}).get("steady_states") or {}

"""How one experiment came out, as a gate sees it. Invariant: what was not run has not passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maestro_cli.chaos.model import Experiment, Findings
from maestro_cli.chaos.refusing import said_no
from maestro_cli.chaos.verdict import judge
from maestro_cli.core.errors import ExitCode, MaestroError, NotKept
from maestro_cli.core.verdict import Verdict, verdict_of

GUARD, ERROR, NOT_RUN = "guard", "error", "not run"  # rules beside those of a verdict
_LEVELS = {"high": 3, "medium": 2, "low": 1, "none": 0}
_UNSAID = 2  # of an experiment that says nothing of what it contributes to
# What refuses an experiment before anything is done.
_REFUSALS = (
    ExitCode.POLICY_REFUSED, ExitCode.REFUSED, ExitCode.ACTION_FAILED, ExitCode.WAITING_APPROVAL,
    ExitCode.GATE_NOT_MET, ExitCode.BUSY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Against:
    """One thing that speaks against a pass, by the rule of the verdict that found it."""

    rule: str
    what: str
    exit_code: ExitCode


@dataclass(frozen=True, slots=True)
class Outcome:
    """One experiment. `journal` is Chaos Toolkit's with maestro's part, None when nothing was begun."""

    name: str
    title: str
    file: str
    verdict: Verdict
    exit_code: ExitCode
    against: tuple[Against, ...]
    journal: Mapping[str, Any] | None = None
    run: str = ""
    faults: tuple[str, ...] = ()
    weight: int = _UNSAID

    @property
    def was_run(self) -> bool:
        """Whether there is something to judge: of what was refused, or has no record, there is not."""
        return self.journal is not None

    @property
    def ours(self) -> Mapping[str, Any]:
        """Maestro's part of the journal."""
        return (self.journal or {}).get("maestro") or {}

    @property
    def seconds(self) -> float:
        """How long it took; 0 when nothing was begun."""
        found = (self.journal or {}).get("duration")
        return float(found) if isinstance(found, int | float) and 0 <= found < 1e9 else 0.0


def outcome_of(name: str, file: str, journal: Mapping[str, Any]) -> Outcome:
    """Of a run that ended. A journal that Chaos Toolkit wrote alone is judged by what its activities say.

    Raises ValueError where maestro's part of it says what cannot be, or what the rest does not bear out.
    """
    experiment, ours = journal.get("experiment") or {}, journal.get("maestro")
    if ours is None:
        judged = judge(journal, Findings())
        verdict, code = judged.verdict, judged.exit_code
        against = tuple(Against(one.rule, one.what, one.exit_code) for one in judged.reasons)
    else:
        verdict, code = Verdict(ours["verdict"]), ExitCode(ours["code"])
        against = tuple(
            Against(str(one["rule"]), str(one["what"]), ExitCode(one["code"])) for one in ours["reasons"]
        )
        if (verdict is Verdict.PASS) != (code is ExitCode.OK) or bool(against) != bool(code):
            raise ValueError(f"a verdict {verdict.value} with exit code {int(code)} cannot be")
        if verdict is Verdict.PASS and (bad := _speaking_against(journal)):
            raise ValueError(f"it says PASS, and {bad}")
    return Outcome(
        name=name,
        title=str(experiment.get("title") or name),
        file=file,
        verdict=verdict,
        exit_code=code,
        against=against,
        journal=journal,
        run=str((ours or {}).get("run") or ""),
        faults=_declared(experiment),
        weight=weight_of(experiment),
    )


def _speaking_against(journal: Mapping[str, Any]) -> str:
    """What of Chaos Toolkit's own part cannot be of a run that passed, or ""."""
    for part in ("run", "rollbacks"):
        for one in journal.get(part) or ():
            activity = one.get("activity") or {}
            if activity.get("type") == "action" and one.get("status") != "succeeded":
                return f"its action {str(activity.get('name'))!r} {one.get('status') or 'has no end'}"
            if no := said_no(one):
                return f"its action {str(activity.get('name'))!r} failed: {no}"
    for when in ("before", "after"):
        state = (journal.get("steady_states") or {}).get(when)
        if state is not None and state.get("steady_state_met") is not True:
            return f"its steady state {when} the method was not met"
    return ""


def unrecorded(outcome: Outcome, status: str) -> Outcome:
    """Of a run whose end the journal has not: what it found stands where that is no pass."""
    if outcome.exit_code is not ExitCode.OK:
        return outcome
    what = f"the run is {status}: its end was never recorded, and without a record no pass counts"
    code = ExitCode.NO_DATA
    return replace(outcome, verdict=verdict_of(code), exit_code=code, against=(Against(ERROR, what, code),))


def is_refusal(error: MaestroError) -> bool:
    """Whether nothing was begun for it."""
    return error.exit_code in _REFUSALS and not isinstance(error, NotKept)


def refused(experiment: Experiment, error: MaestroError) -> Outcome:
    """Of one that was not begun, or whose run could not be told."""
    rule = GUARD if is_refusal(error) else ERROR
    what = "; ".join(filter(None, (error.what, error.why)))
    return _unrun(experiment, Against(rule, what, error.exit_code))


def not_run(experiment: Experiment, why: str) -> Outcome:
    """Of one that nothing was begun of, for how another one ended."""
    return _unrun(experiment, Against(NOT_RUN, why, ExitCode.NO_DATA))


def _unrun(experiment: Experiment, against: Against) -> Outcome:
    return Outcome(
        name=experiment.name,
        title=experiment.title,
        file=experiment.file,
        verdict=verdict_of(against.exit_code),
        exit_code=against.exit_code,
        against=(against,),
        faults=_declared(experiment.document),
        weight=weight_of(experiment.document),
    )


def weight_of(experiment: Mapping[str, Any]) -> int:
    """The most that it contributes to anything, 0 to 3, from `contributions` of the file."""
    found = experiment.get("contributions") or {}
    levels: Sequence[int] = [_LEVELS.get(str(one), _UNSAID) for one in found.values()]
    return max(levels, default=_UNSAID)


def _declared(experiment: Mapping[str, Any]) -> tuple[str, ...]:
    """The faults of its extension, by name."""
    for extension in experiment.get("extensions") or ():
        if isinstance(extension, Mapping) and extension.get("name") == "maestro":
            return tuple(str(one.get("name")) for one in extension.get("faults") or ())
    return ()

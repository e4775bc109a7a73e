"""The verdict over one run of an experiment: from its Chaos Toolkit journal, and what maestro found besides.

Invariant: pure, and three-valued. The status that the journal gives itself decides nothing that its own
activities do not say: Chaos Toolkit calls a run completed whose gate was missed, whose fault was never in, or
which deviated and came back. What failed to be measured is no data, never a pass and never a deviation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from maestro_cli.chaos.arms import Blame
from maestro_cli.chaos.model import Findings, Injected, Kind, Tolerated
from maestro_cli.chaos.reach import ACTIONS
from maestro_cli.chaos.refusing import said_no
from maestro_cli.chaos.tolerances import is_of_status
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.quantities import counted, format_duration
from maestro_cli.core.verdict import Verdict, verdict_of

Journal = Mapping[str, Any]
AFTERWARDS = "not in a steady state afterwards"
STOPPED = ": interrupted"  # what an activity ends with that waited in the parent for what was stopped


class Steady(Enum):
    """One look at the steady state."""

    MET = "met"
    MISSED = "missed"
    NO_DATA = "no data"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks against a pass, and what the run ends with because of it."""

    rule: str
    what: str
    exit_code: ExitCode
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """`reasons` in order, the gravest first; `coverage`: the share of looks that told something (0 to 1)."""

    verdict: Verdict
    exit_code: ExitCode
    reasons: tuple[Reason, ...]
    coverage: float

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASS


def judge(journal: Journal, findings: Findings) -> Judged:
    """The gravest rule that applies decides; every reason is told."""
    reasons = tuple(reason for rule in RULES for reason in rule(journal, findings))
    coverage = _coverage(journal)
    if not reasons:
        return Judged(Verdict.PASS, ExitCode.OK, (), coverage)
    return Judged(reasons[0].verdict, reasons[0].exit_code, reasons, coverage)


def steady_of(state: Mapping[str, Any] | None) -> Steady:
    """What one entry of `steady_states` says. Chaos Toolkit stops at the first probe that is not met."""
    if state is None or state.get("steady_state_met") is None:
        return Steady.NO_DATA
    if state["steady_state_met"]:
        return Steady.MET
    last = (state.get("probes") or [{}])[-1]
    return Steady.MISSED if last.get("status") == "succeeded" or _is_down(last) else Steady.NO_DATA


# What chaoslib raises where nobody listens, somebody hung up, or no answer came in the time of the probe.
_DOWN = ("Connection refused", "Connection aborted", "Connection reset", "activity took too long to complete")


def _is_down(probe: Mapping[str, Any]) -> bool:
    """Whether a service that was asked for its status, over HTTP, does not serve: an answer, and a miss.

    Who asks for what is in the answer asks an instrument: without one, nothing is known of what it measures.
    """
    activity = probe.get("activity") or {}
    provider = activity.get("provider") or {}
    if provider.get("type") != "http" or not is_of_status(activity.get("tolerance")):
        return False
    raised = str((probe.get("exception") or [""])[-1])
    return any(one in raised for one in _DOWN)


def _residue(journal: Journal, findings: Findings) -> Iterator[Reason]:
    """Undo failed, or something of a fault is still there."""
    for failed in (*findings.undo_failures, *_failed(journal.get("rollbacks"))):
        yield _reason("undo", f"undo failed: {failed}", ExitCode.UNDO_FAILED)
    for name in _never_ended(journal):
        why = f": {findings.worker}" if findings.worker else ""
        what = f"undo failed: {name} was not carried out to its end{why}"
        yield _reason("undo", what, ExitCode.UNDO_FAILED)
    for left in findings.residue:
        yield _reason("residue", f"left behind: {left}", ExitCode.UNDO_FAILED)


def _never_ended(journal: Journal) -> Iterator[str]:
    """Rollbacks that are declared, where anything of the method began. Maestro's own faults are taken back by
    maestro, and what it could not take back is told apart.
    """
    if not journal.get("run"):
        return
    runs = journal.get("rollbacks") or ()
    ended = Counter((run.get("activity") or {}).get("name") for run in runs if run.get("status"))
    for one in (journal.get("experiment") or {}).get("rollbacks") or ():
        name = one.get("ref") or one.get("name")
        ended[name] -= 1
        if ended[name] < 0 and (one.get("provider") or {}).get("module") != ACTIONS:
            yield str(name)


def _stopped(journal: Journal, findings: Findings) -> Iterator[Reason]:
    stop = findings.stop
    if stop is not None and stop.kind in (Kind.CONDITION, Kind.BURN):
        yield _reason("stop", f"{stop.kind.value}: {stop.why}", ExitCode.STOP_CONDITION)


_INTERRUPTED = {
    Kind.ASKED: ExitCode.SIGINT,
    Kind.SIGINT: ExitCode.SIGINT,
    Kind.SIGTERM: ExitCode.SIGTERM,
    Kind.DEADLINE: ExitCode.TIMEOUT,
}


def _interrupted(journal: Journal, findings: Findings) -> Iterator[Reason]:
    """By somebody, by its deadline, or by the experiment itself."""
    stop = findings.stop
    if stop is not None and stop.kind in _INTERRUPTED:
        by = f" by {stop.by}" if stop.by else ""
        yield _reason("interrupted", f"{stop.kind.value}{by}: {stop.why}", _INTERRUPTED[stop.kind])
    elif stop is None and journal.get("status") == "interrupted":
        yield _reason("interrupted", "one of its own activities or controls ended it", ExitCode.SIGINT)


def _gate(journal: Journal, findings: Findings) -> Iterator[Reason]:
    """The steady state before the method, and the guard right before a fault: nothing was injected."""
    if _is_untouched(findings):
        for one in findings.injections:
            yield _reason("gate", f"{one.name}: when it was to be put in: {one.why}", ExitCode.GATE_NOT_MET)
    before = _states(journal).get("before")
    if before is None:
        return
    seen = steady_of(before)
    if seen is Steady.MISSED:
        what = f"not in a steady state before anything was done: {_probe(before)}"
        yield Reason("gate", what, ExitCode.GATE_NOT_MET, Verdict.FAIL)
    elif seen is Steady.NO_DATA:
        yield _reason("gate", f"no data before anything was done: {_probe(before)}", ExitCode.GATE_NOT_MET)


def _is_untouched(findings: Findings) -> bool:
    """Whether every fault was refused before its first call."""
    return all(one.outcome is Injected.REFUSED for one in findings.injections)


def _injection(journal: Journal, findings: Findings) -> Iterator[Reason]:
    """What was to be done was not, or had no effect: nothing was learned."""
    for one in findings.injections:
        if one.outcome is not Injected.EFFECTIVE and not _is_untouched(findings):
            yield _reason("injection", f"{one.name}: {one.outcome.value}: {one.why}", ExitCode.ACTION_FAILED)
    known = {one.name for one in findings.injections if one.outcome is not Injected.EFFECTIVE}
    runs = journal.get("run") or ()
    if any(not one.recovered for one in findings.recoveries):  # that is told by itself
        runs = [run for run in runs if not _asks_for_recovery(run)]
    if findings.stop is not None:  # what was stopped did not say no by itself
        runs = [run for run in runs if not said_no(run)]
    for failed in _failed(runs, "action"):
        is_stopped = findings.stop is not None and failed.endswith(STOPPED)
        if not known and not is_stopped:
            yield _reason("injection", f"an action failed: {failed}", ExitCode.ACTION_FAILED)
    yield from _never_put_in(journal, findings)
    if findings.worker and findings.stop is None:
        yield _reason("worker", findings.worker, ExitCode.ACTION_FAILED)
    elif journal.get("status") == "aborted" and findings.stop is None:
        yield _reason("worker", "Chaos Toolkit aborted it", ExitCode.ACTION_FAILED)


def _asks_for_recovery(run: Mapping[str, Any]) -> bool:
    provider = (run.get("activity") or {}).get("provider") or {}
    return (provider.get("module"), provider.get("func")) == (ACTIONS, "recovered")


def _never_put_in(journal: Journal, findings: Findings) -> Iterator[Reason]:
    """What was declared, and asked for by no action though nothing hindered it."""
    before = _states(journal).get("before")
    if findings.stop is not None or (before is not None and steady_of(before) is not Steady.MET):
        return
    known = {one.name for one in findings.injections}
    for name in findings.declared:
        if name not in known:
            yield _reason("injection", f"{name}: no action put it in", ExitCode.ACTION_FAILED)


def _deviated(journal: Journal, findings: Findings) -> Iterator[Reason]:
    """Seen during the method alone, after it, or not over in time. A bad hour is not blamed on the fault."""
    if not _was_bad_hour(findings):
        yield from _misses(journal, findings)
    for one in findings.recoveries:
        if not one.recovered and not one.is_cut_short:
            yield _bad("recovery", f"{one.name}: {one.why}")


def _hour(journal: Journal, findings: Findings) -> Iterator[Reason]:
    """The steady state was missed, and by what was left alone as well."""
    if findings.arms is not None and _was_bad_hour(findings):
        for missed in _misses(journal, findings):
            yield _reason("hour", f"{missed.what}; {findings.arms.words}", ExitCode.NO_DATA)


def _was_bad_hour(findings: Findings) -> bool:
    return findings.arms is not None and findings.arms.blame is Blame.HOUR


def _misses(journal: Journal, findings: Findings) -> Iterator[Reason]:
    """Each way in which the steady state was not met after the gate."""
    states = _states(journal)
    during = [(steady_of(one), one) for one in states.get("during") or ()]
    told = deviation([seen for seen, _ in during], findings.tolerated)
    if told:
        missed = next(one for seen, one in during if seen is Steady.MISSED)
        yield _bad("during", f"{told}: {_probe(missed)}")
    after = states.get("after")
    if after is not None and steady_of(after) is Steady.MISSED:
        yield _bad("after", f"{AFTERWARDS}: {_probe(after)}")
    said = journal.get("deviated") and (after is None or steady_of(after) is Steady.MET)
    if said:
        yield _bad("deviated", "the Chaos Toolkit journal says that it deviated")


def _blind(journal: Journal, findings: Findings) -> Iterator[Reason]:
    """What was not seen decides nothing."""
    stop = findings.stop
    if stop is not None and stop.kind is Kind.BLIND:
        yield _reason("blind", f"blind: {stop.why}", ExitCode.NO_DATA)
    for one in findings.recoveries:
        if one.is_cut_short:
            yield _reason("no data", f"whether {one.name} is over: {one.why}", ExitCode.NO_DATA)
    asked = {one.name for one in findings.recoveries}
    for injected in findings.injections:
        if injected.outcome is Injected.EFFECTIVE and injected.name not in asked:
            yield _reason("no data", f"whether {injected.name} is over: nobody proved it", ExitCode.NO_DATA)
    states = _states(journal)
    gated = states.get("before") is not None and steady_of(states["before"]) is not Steady.MET
    if gated:
        return
    for failed in _failed(journal.get("run"), "probe"):
        yield _reason("no data", f"a probe of the method failed: {failed}", ExitCode.NO_DATA)
    during = [one for one in states.get("during") or () if steady_of(one) is Steady.NO_DATA]
    if during:
        what = f"{counted(len(during), 'look')} during the method told nothing: {_probe(during[0])}"
        yield _reason("no data", what, ExitCode.NO_DATA)
    if states.get("before") is None:
        yield _reason("no data", "no steady state was looked at before the method", ExitCode.NO_DATA)
    after = states.get("after")
    if after is None:
        why = "" if stop is None else ": it was ended before"
        what = f"the steady state was not looked at after the method{why}"
        yield _reason("no data", what, ExitCode.NO_DATA)
    elif steady_of(after) is Steady.NO_DATA:
        yield _reason("no data", f"no data after the method: {_probe(after)}", ExitCode.NO_DATA)
    if findings.injections and not states.get("during"):
        yield _reason("no data", "nobody looked while the fault was there", ExitCode.NO_DATA)
    if stop is None:
        yield from _unwatched(findings)


def _unwatched(findings: Findings) -> Iterator[Reason]:
    """What could have ended it, and nobody could tell, all the while or in the end."""
    for one in findings.watched:
        if one.tail:
            which = f"the last {counted(one.tail, 'look')}" if one.answers else "no look"
            said = "told nothing" if one.answers else "told anything"
            yield _reason(
                "no data", f"{which} while the fault was there {said}: {one.what}", ExitCode.NO_DATA
            )


def _failover(journal: Journal, findings: Findings) -> Iterator[Reason]:
    """A failover that took too long, or lost too much; what is not known of it is never a pass."""
    found = findings.failover
    if found is None:
        return
    for name, seconds, most, why in (
        ("RTO", found.rto_seconds, found.bounds.rto_seconds, found.why[0]),
        ("RPO", found.rpo_seconds, found.bounds.rpo_seconds, found.why[1]),
    ):
        if seconds is not None and most is not None and seconds > most:
            yield _bad("failover", f"{name} over {format_duration(most)}: {why}")
        elif seconds is None and name == "RTO" and found.is_felt:
            yield _bad("failover", why)
        elif seconds is None:
            yield _reason("no data", f"the {name} is not known: {why}", ExitCode.NO_DATA)


# The order is the precedence: 13, 14, 130/143, 11, 12, 10, 15.
RULES: tuple[Callable[[Journal, Findings], Iterator[Reason]], ...] = (
    _residue, _stopped, _interrupted, _gate, _injection, _deviated, _failover,
    _hour, _blind,
)  # fmt: skip


def deviation(looks: Sequence[Steady], tolerated: Tolerated) -> str:
    """How looks in a row deviate more than is tolerated, in words; "" when they do not. Gaps are skipped."""
    known = [one for one in looks if one is not Steady.NO_DATA]
    missed = sum(one is Steady.MISSED for one in known)
    if not missed:
        return ""
    if missed / len(known) > tolerated.misses:
        return f"{missed} of {counted(len(known), 'look')} during the method missed the steady state"
    row = longest = 0
    for one in known:
        row = row + 1 if one is Steady.MISSED else 0
        longest = max(longest, row)
    return f"the steady state was missed {longest} times in a row" if longest >= tolerated.in_a_row else ""


def _bad(rule: str, what: str) -> Reason:
    return _reason(rule, what, ExitCode.CONDITION_NOT_MET)


def _reason(rule: str, what: str, code: ExitCode) -> Reason:
    return Reason(rule, what, code, verdict_of(code))


def _states(journal: Journal) -> Mapping[str, Any]:
    return journal.get("steady_states") or {}


def _failed(runs: Sequence[Mapping[str, Any]] | None, kind: str = "") -> Iterator[str]:
    """Activities that failed, by name, with what they told; one that was interrupted has no status."""
    for run in runs or ():
        activity = run.get("activity") or {}
        if kind not in ("", activity.get("type")):
            continue
        told, no = f"{activity.get('name', 'an activity')}", said_no(run)
        if run.get("status") == "failed":
            yield f"{told}{_raised(run)}"
        elif no:
            yield f"{told}: {no}"


def _probe(state: Mapping[str, Any] | None) -> str:
    """The probe that a state ended with, in words."""
    probes = (state or {}).get("probes") or ()
    if not probes:
        return "there is no probe"
    last = probes[-1]
    return f"{(last.get('activity') or {}).get('name', 'a probe')}{_raised(last) or _output(last)}"


# How Python begins what chaoslib and maestro raise; the class says nothing that the words do not.
_CLASSES = re.compile(r"^((chaoslib\.exceptions\.)?ActivityFailed: |RuntimeError: )+(?=\S)")


def raised_of(run: Mapping[str, Any]) -> str:
    """What an activity of a journal raised, in words; "" where it raised nothing."""
    lines = run.get("exception") or ()
    return _CLASSES.sub("", str(lines[-1]).strip(), count=1)[:300] if lines else ""


def _raised(run: Mapping[str, Any]) -> str:
    words = raised_of(run)
    return f": {words}" if words else ""


def _output(run: Mapping[str, Any]) -> str:
    return f" gave {str(run.get('output'))[:120]}" if "output" in run else ""


def _coverage(journal: Journal) -> float:
    states = _states(journal)
    looks = [states.get("before"), *(states.get("during") or ()), states.get("after")]
    return sum(steady_of(one) is not Steady.NO_DATA for one in looks) / len(looks)

"""Suspects among what people configured: an edit that the workload uses, or other versions that answer.

Invariant: pure. The time of an edit alone points at nothing: something has to have begun after it, and an
edit that began later than the trouble is no suspect. What a release explains is not blamed on the routing.
"""

from __future__ import annotations

from maestro_cli.core.clock import seconds_between
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.core.quantities import format_duration
from maestro_cli.incidents.triage.configuration import ConfigEdit
from maestro_cli.incidents.triage.facts import CaseFacts, Tally, tally_by
from maestro_cli.incidents.triage.making import (
    RELEASE_WINDOW_SECONDS,
    Making,
    bad_groups,
    concentrated,
    fresh_revisions,
    names,
    sickness,
)
from maestro_cli.incidents.triage.model import SuggestedFix, Suspect, SuspectKind

_SLACK_SECONDS = 15.0
_ENOUGH_REQUESTS = 20.0
_SHIFT = 0.1  # of the requests: so much more of them a version has to answer than before
_NO_VERSIONS = frozenset({"", "constant", "_unknown"})
_WORSE = 0.02
_READY_SECONDS = 10.0  # a pod that is not ready after that has something that keeps it from it


def config_suspects(case: CaseFacts, window_seconds: float = RELEASE_WINDOW_SECONDS) -> list[Suspect]:
    """One for each object that was edited before the onset; routing documents are traffic's."""
    found: dict[str, Suspect] = {}
    for edit in case.edits:
        if edit.routing or not _is_before(case, edit, window_seconds):
            continue
        making = Making()
        _time(case, making, edit, window_seconds)
        making.plus(0.2, edit.uses, supports=False)
        _beginning(case, making, edit)
        _logs(case, making, edit)
        _reach(case, making, edit)
        _newcomers(case, making, edit)
        if making.supported:
            making.reasons_for += [f"it changed {line}" for line in edit.changes[:2]]
            suspect = making.done(SuspectKind.CONFIG, edit.subject, _fix(edit, "set-config"))
            known = found.get(edit.subject)
            found[edit.subject] = suspect if known is None else max(known, suspect, key=lambda one: one.score)
    return list(found.values())


def traffic_suspects(case: CaseFacts, window_seconds: float = RELEASE_WINDOW_SECONDS) -> list[Suspect]:
    """The routing, when it was edited or when versions answer that did not before."""
    edits = [edit for edit in case.edits if edit.routing and _is_before(case, edit, window_seconds)]
    edit = edits[0] if edits else None  # the newest before the onset
    making = Making()
    if edit is not None:
        _time(case, making, edit, window_seconds)
    _versions(case, making, edit is not None)
    if edit is not None:
        _beginning(case, making, edit)
        _reach(case, making, edit)
        making.reasons_for += [f"it changed {line}" for line in edit.changes[:2]]
    if not making.supported:
        return []
    if edit is None and case.uses:
        making.minus(0.1, "no edit of a routing document is known")
    subject = edit.subject if edit is not None else _place(case)
    return [making.done(SuspectKind.TRAFFIC, subject, _fix(edit, "set-routing"))]


def _place(case: CaseFacts) -> str:
    return f"routing of {case.workload}"


def _is_before(case: CaseFacts, edit: ConfigEdit, window_seconds: float) -> bool:
    begun = seconds_between(edit.earliest, case.onset.at)
    return begun >= -_SLACK_SECONDS and seconds_between(edit.at, case.onset.at) <= window_seconds


_IN_FORCE_SECONDS = 180.0  # a file that pods follow is in force by then


def _time(case: CaseFacts, making: Making, edit: ConfigEdit, window_seconds: float) -> None:
    before = max(seconds_between(edit.at, case.onset.at), 0.0)
    verb = "was created" if edit.created else "was edited"
    who = f" by {edit.by}" if edit.by else ""
    making.plus(
        0.25 * (1.0 - 0.7 * before / window_seconds),
        f"{edit.subject} {verb}{who} {format_duration(before)} before the onset",
        supports=False,
    )
    if before > _IN_FORCE_SECONDS and edit.uses.endswith("mounts it"):
        making.minus(0.15, f"it was in force for {format_duration(before)} before anything began")
    if _was_edited_again(case, edit):
        making.minus(0.5, "it was edited again before the first alert began")


def _was_edited_again(case: CaseFacts, edit: ConfigEdit) -> bool:
    """Whether another edit of the object came after the trouble began and before the first alert."""
    alert_at = case.alert_at
    return alert_at is not None and any(
        one.subject == edit.subject and one.at > max(edit.at, case.onset.at) and one.at < alert_at
        for one in case.edits
    )


def _beginning(case: CaseFacts, making: Making, edit: ConfigEdit) -> None:
    """Whether users felt something begin after it, and nothing else was done meanwhile."""
    if case.onset.basis != "alert":
        after = format_duration(max(seconds_between(edit.earliest, case.onset.at), 0.0))
        making.plus(0.15, f"{case.onset.basis} left their baseline {after} after it at most")
    if fresh_revisions(case) and not _restarts_alone(case):
        making.minus(0.2, "a release happened as well")
    else:
        making.plus(0.1, "nothing was released around that time", supports=False)


def _restarts_alone(case: CaseFacts) -> bool:
    fresh = fresh_revisions(case)
    return all(
        rollout.is_restart
        for rollout in case.rollouts
        if rollout.ref == case.workload and str(rollout.revision) in fresh
    )


def _logs(case: CaseFacts, making: Making, edit: ConfigEdit) -> None:
    """New lines of trouble, surer where they name the object, or one of its keys."""
    name = edit.subject.rpartition("/")[2]
    words = [name, *(field.partition(".")[2] for field in edit.fields)]
    new = [group for group in bad_groups(case) if group.is_new]
    for group in new:
        if any(word and names(group, word) for word in words):
            making.plus(0.25, f"new error lines name it: {group.shape[:160]}")
            return
    if new:
        making.plus(0.1, f"a new error line since then: {new[0].shape[:160]}")


def _reach(case: CaseFacts, making: Making, edit: ConfigEdit) -> None:
    """An edit reaches every pod that uses it, and only those that started since where it is no file."""
    tallies = tally_by(case.split, "pod")
    if _in_one_pod(case):
        making.minus(0.3, "the errors sit in one pod; every pod uses it")
    else:
        serving = [one for one in tallies.values() if one.requests_since >= 1]
        if len(serving) > 1 and all(one.errors_since >= 1 for one in serving):
            making.plus(0.1, f"all {len(serving)} pods that answer fail requests", supports=False)
    if edit.uses.endswith("reads it"):
        started = [pod for pod in case.pods if pod.created_at >= edit.earliest or pod.restarts]
        if not started:
            making.minus(0.25, "no pod has started since: those that run do not see it yet")


def _newcomers(case: CaseFacts, making: Making, edit: ConfigEdit) -> None:
    """Whether every pod that started since the edit is unwell, and none that runs since before it.

    A release that came as well explains as much; pods that were only started again read what was edited.
    """
    pods = [pod for pod in case.pods if not pod.deleting]
    since = [pod for pod in pods if pod.created_at >= edit.earliest]
    before = [pod for pod in pods if pod.created_at < edit.earliest]
    unwell = [words for pod in since if (words := _unwell(case, pod))]
    if not since or len(unwell) < len(since) or not before or any(_unwell(case, pod) for pod in before):
        return
    is_released = bool(fresh_revisions(case)) and not _restarts_alone(case)
    making.plus(
        0.1 if is_released else 0.45,
        f"all {len(since)} pods that started since then are unwell ({unwell[0]}), those from before are well",
    )


def _unwell(case: CaseFacts, pod: Pod) -> str:
    """What is wrong with a pod, or that it was not ready long after it was made; "" when nothing is."""
    if words := sickness(pod):
        return words
    late = case.alert_at is not None and seconds_between(pod.created_at, case.alert_at) > _READY_SECONDS
    return "not ready" if late and not pod.ready else ""


def _in_one_pod(case: CaseFacts) -> bool:
    tallies = tally_by(case.split, "pod")
    return any(concentrated(tallies, pod) for pod in tallies)


def _shifted(case: CaseFacts) -> list[tuple[str, float, float]]:
    """Versions that answer far more than before, with their shares, and that no release brought."""
    tallies = {name: one for name, one in tally_by(case.split, "version").items() if name not in _NO_VERSIONS}
    since = sum(one.requests_since for one in tallies.values())
    before = sum(one.requests_before for one in tallies.values())
    if since < _ENOUGH_REQUESTS or before < _ENOUGH_REQUESTS:
        return []
    found = []
    for version, one in sorted(tallies.items()):
        shares = one.requests_since / since, one.requests_before / before
        if shares[0] - shares[1] >= _SHIFT and not _released(case, version):
            found.append((version, *shares))
    return found


def _released(case: CaseFacts, version: str) -> bool:
    """Whether a new revision, and no other, answers with this version."""
    rows = [row for row in case.split if row.version == version and row.tally.requests_since >= 1]
    revisions = {row.revision for row in rows if row.revision}
    return bool(revisions) and revisions <= fresh_revisions(case)


def _versions(case: CaseFacts, making: Making, was_edited: bool) -> None:
    """What other versions that answer tell: that they do worse, or are not declared, points at the routing.

    That the declared version answers all again, or that the same ones answer as before, points away from it.
    """
    shifted = _shifted(case)
    worse = "" if _in_one_pod(case) else _worse_version(case, {version for version, _, _ in shifted})
    for version, since, before in shifted[:3]:
        undeclared = _undeclared(case, version)
        making.plus(
            0.3 if worse or undeclared else 0.1,
            f"version {version} answers {since:.0%} of the requests, {before:.0%} before the onset",
            supports=bool(worse or undeclared),
        )
        if undeclared:
            making.plus(0.2, undeclared)
    if worse:
        making.plus(0.3, worse)
    elif shifted:
        making.minus(0.1, "what answers now does no worse than what did before")
    elif was_edited and _answered(case):
        making.minus(0.2, "the same versions answer as before")


def _answered(case: CaseFacts) -> bool:
    """Whether known versions answered nearly all requests since the onset: the routing sends none astray."""
    tallies = tally_by(case.split, "version")
    every = sum(one.requests_since for one in tallies.values())
    known = sum(one.requests_since for name, one in tallies.items() if name not in _NO_VERSIONS)
    return every >= _ENOUGH_REQUESTS and known >= (1.0 - _SHIFT) * every


def _undeclared(case: CaseFacts, version: str) -> str:
    """That the workload declares others, in words; "" where it declares this one, or none."""
    declared = sorted({str(number) for _, number in case.declared})
    if not declared or version in declared:
        return ""
    return f"{case.workload} declares version {', '.join(declared)}, not {version}"


def _worse_version(case: CaseFacts, versions: set[str]) -> str:
    """How much worse these versions do than the others; "" where they do not, or nobody knows."""
    if not versions:
        return ""
    failing = ("requests fail", tally_by(case.split, "version")), ("answers are wrong", case.judged)
    for what, tallies in failing:
        own = sum((one for name, one in tallies.items() if name in versions), Tally())
        rest = sum((one for name, one in tallies.items() if name not in versions), Tally())
        side = rest.requests_since >= _ENOUGH_REQUESTS
        other = rest.ratio_since if side else rest.ratio_before
        bad = own.ratio_since if own.requests_since >= _ENOUGH_REQUESTS else None
        if bad is not None and other is not None and bad - other > max(_WORSE, other):
            return f"{bad:.1%} of its {what}, {other:.1%} {'of the others' if side else 'before'}"
    return _slower_version(case, versions)


def _slower_version(case: CaseFacts, versions: set[str]) -> str:
    latency = next((item for item in case.latency if item.dimension == "version"), None)
    if latency is None:
        return ""
    own = max((latency.since[name] for name in versions if name in latency.since), default=0.0)
    others = [value for name, value in latency.since.items() if name not in versions]
    others = others or [value for name, value in latency.before.items() if name not in versions]
    other = max(others, default=0.0)
    if other <= 0 or own <= 2 * other or own - other <= 0.02:
        return ""
    return f"its p95 is {1000 * own:.0f} ms, {1000 * other:.0f} ms of the others"


def _fix(edit: ConfigEdit | None, kind: str) -> SuggestedFix | None:
    """The change that it was is taken back; of an edit by others the target is named."""
    if edit is None:
        return None
    if edit.change:
        return SuggestedFix("change", "undo", {"change": edit.change})
    word, _, place = edit.subject.partition(" ")
    if word != "configmap":
        return None
    namespace, _, name = place.partition("/")
    return SuggestedFix("change", kind, {"target": f"{namespace}/configmap/{name}"})

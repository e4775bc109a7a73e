"""Ranking of suspects from the facts of a case.

Invariant: pure. A release is a suspect only when a revision began to run within a window before the
onset *and* something else points at it; without a release none is blamed. Scores add up the weights in
the tables below and are cut to 0..1; reasons against are kept and lower the score.
"""

from __future__ import annotations

from maestro_cli.core.clock import seconds_between
from maestro_cli.core.quantities import format_duration
from maestro_cli.incidents.triage.configured import config_suspects, traffic_suspects
from maestro_cli.incidents.triage.facts import CaseFacts, Rollout, Tally, tally_by
from maestro_cli.incidents.triage.making import (
    RELEASE_WINDOW_SECONDS,
    Making,
    bad_groups,
    concentrated,
    fresh_revisions,
    names,
    sickness,
)
from maestro_cli.incidents.triage.memory import hunger_of
from maestro_cli.incidents.triage.model import SuggestedFix, Suspect, SuspectKind
from maestro_cli.incidents.triage.outside import dependency_suspects, load_suspects
from maestro_cli.incidents.triage.places import (
    concentration,
    explained_by_revision,
    node_suspects,
    zone_suspects,
)
from maestro_cli.incidents.triage.platform_suspects import platform_suspects
from maestro_cli.incidents.triage.quality import worse_answers

_SLACK_SECONDS = 15.0  # how far the clocks and steps of cluster and metrics may differ
_ENOUGH_REQUESTS = 20.0
_EXPECTED_ERRORS = 10.0  # so many that their absence is no accident
_FAINTEST = 0.1  # below this a suspect only distracts
_KILLED = "OOMKilled"  # alone among several: it leaks, whatever else changed


def rank_suspects(
    case: CaseFacts, *, release_window_seconds: float = RELEASE_WINDOW_SECONDS
) -> tuple[Suspect, ...]:
    """Every suspect that the facts support, strongest first; empty when they support none."""
    suspects = [
        *_releases(case, release_window_seconds),
        *node_suspects(case),
        *zone_suspects(case),
        *_pods(case),
        *load_suspects(case),
        *dependency_suspects(case),
        *config_suspects(case, release_window_seconds),
        *traffic_suspects(case, release_window_seconds),
        *platform_suspects(case),
    ]
    return tuple(
        sorted(
            (item for item in suspects if item.score >= _FAINTEST),
            key=lambda item: (-item.score, item.subject),
        )
    )


def _percent(ratio: float | None) -> str:
    return "?" if ratio is None else f"{100 * ratio:.1f} %"


# Releases


def _releases(case: CaseFacts, window_seconds: float) -> list[Suspect]:
    found = []
    for rollout in case.rollouts:
        before_onset = seconds_between(rollout.active_at, case.onset.at)
        if not -_SLACK_SECONDS <= before_onset <= window_seconds or rollout.previous is None:
            continue
        if rollout.ref == case.workload:
            found += _own_release(case, rollout, max(before_onset, 0.0), window_seconds)
        else:
            found += _other_release(case, rollout, max(before_onset, 0.0))
    return found


def _own_release(
    case: CaseFacts, rollout: Rollout, before_onset: float, window_seconds: float
) -> list[Suspect]:
    making = Making()
    near = 1.0 - 0.7 * before_onset / window_seconds
    making.plus(
        0.25 * near,
        f"revision {rollout.revision} began {format_duration(before_onset)} before the onset",
        supports=False,
    )
    revision = str(rollout.revision)
    _errors_of_revision(case, making, revision)
    _latency_of_revision(case, making, revision)
    if worse := worse_answers(case, revision):
        making.plus(0.45, worse)
    _logs_of_revision(case, making, revision)
    _pods_of_revision(case, making, revision)
    if not making.supported:
        return []
    if rollout.is_restart:
        making.minus(0.3, "its pods were only started again: nothing in them changed")
    elif rollout.changes:
        making.reasons_for.append(f"it changed {rollout.changes[0]}")
    fix = None
    if rollout.current and rollout.previous is not None:
        fix = SuggestedFix(
            "change", "rollback", {"workload": str(rollout.ref), "to_revision": str(rollout.previous)}
        )
    elif not rollout.current:
        making.reasons_against.append("it is not the current revision any more")
    return [making.done(SuspectKind.RELEASE, rollout.subject, fix)]


def _errors_of_revision(case: CaseFacts, making: Making, revision: str) -> None:
    tallies = tally_by(case.split, "revision")
    own = tallies.get(revision, Tally())
    rest = sum((item for name, item in tallies.items() if name != revision), Tally())
    bad = own.ratio_since
    if bad is None or own.errors_since < 1:
        if own.requests_since >= _ENOUGH_REQUESTS:
            making.minus(0.1, f"revision {revision} answers without errors")
        return
    was_well = own.requests_before * bad >= _EXPECTED_ERRORS and (own.ratio_before or 0.0) < 0.2 * bad
    if was_well:
        making.minus(
            0.3, f"revision {revision} served {own.requests_before:.0f} requests well before the onset"
        )
    side = rest.ratio_since
    # A moment's overlap while pods were replaced is not "side by side".
    if side is not None and rest.requests_since >= max(_ENOUGH_REQUESTS, 0.05 * own.requests_since):
        if side < 0.2 * bad:
            making.plus(
                0.5,
                f"{_percent(bad)} of revision {revision}'s requests fail, "
                f"{_percent(side)} of the others' at the same time",
            )
        elif side > 0.6 * bad:
            making.minus(0.4, f"other revisions fail as often ({_percent(side)}) at the same time")
        return
    earlier = rest.ratio_before
    if (
        not was_well
        and earlier is not None
        and rest.requests_before >= _ENOUGH_REQUESTS
        and earlier < 0.2 * bad
    ):
        making.plus(
            0.35,
            f"{_percent(bad)} of revision {revision}'s requests fail; before it {_percent(earlier)} did",
        )


def _latency_of_revision(case: CaseFacts, making: Making, revision: str) -> None:
    latency = next((item for item in case.latency if item.dimension == "revision"), None)
    own = latency.since.get(revision) if latency is not None else None
    if latency is None or own is None:
        return
    side = [value for name, value in latency.since.items() if name != revision]
    earlier = [value for name, value in latency.before.items() if name != revision]
    was_well = 0.0 < latency.before.get(revision, 0.0) < 0.5 * own
    if was_well and not side:
        return  # it became slow later, as any other would have
    other, when = (
        (max(side), "the others at the same time") if side else (max(earlier, default=0.0), "before")
    )
    if other > 0 and own > 2 * other and own - other > 0.02:
        making.plus(
            0.45 if side else 0.35,
            f"p95 of revision {revision} is {1000 * own:.0f} ms, {1000 * other:.0f} ms {when}",
        )
    elif side and own > 0.05 and other > 0.6 * own:
        making.reasons_against.append(f"other revisions are as slow (p95 {1000 * other:.0f} ms)")


def _logs_of_revision(case: CaseFacts, making: Making, revision: str) -> None:
    read = {pod for group in case.logs for pod in group.counts}
    others = {pod for pod in read if case.revision_of(pod) not in ("", revision)}
    for group in bad_groups(case):
        owners = {case.revision_of(pod) for pod, (before, since) in group.counts.items() if before or since}
        if owners == {revision} and group.is_new:
            side = " and from no other pod" if others else ""
            making.plus(
                0.25 if others else 0.15,
                f"new log line, {group.since} times from revision {revision}{side}: {group.shape[:160]}",
            )
            return


def _pods_of_revision(case: CaseFacts, making: Making, revision: str) -> None:
    own = [pod for pod in case.pods if case.revision_of(pod.name) == revision and not pod.deleting]
    rest = [pod for pod in case.pods if case.revision_of(pod.name) not in ("", revision)]
    sick = [pod for pod in own if sickness(pod)]
    if not own or not sick:
        return
    well = bool(rest) and not any(map(sickness, rest))
    making.plus(
        0.45 if well else 0.35,
        f"{len(sick)} of {len(own)} pods of revision {revision} are unwell ({sickness(sick[0])})"
        + (", those of the others are well" if well else ""),
    )


def _other_release(case: CaseFacts, rollout: Rollout, before_onset: float) -> list[Suspect]:
    """Another workload's release counts only when this one's new error lines name it."""
    for group in bad_groups(case):
        if group.is_new and names(group, rollout.ref.name):
            making = Making()
            making.plus(0.2, f"released {format_duration(before_onset)} before the onset", supports=False)
            making.plus(0.35, f"new error lines name {rollout.ref.name}: {group.shape[:160]}")
            making.reasons_against.append("it is another workload; only log lines point at it")
            fix = None
            if rollout.current and rollout.previous is not None:
                fix = SuggestedFix(
                    "change", "rollback", {"workload": str(rollout.ref), "to_revision": str(rollout.previous)}
                )
            return [making.done(SuspectKind.RELEASE, rollout.subject, fix)]
    return []


# Pods


def _pods(case: CaseFacts) -> list[Suspect]:
    found = []
    tallies = tally_by(case.split, "pod")
    sick = {pod.name: sickness(pod) for pod in case.pods if sickness(pod)}
    slow, why_slow = _slow_pod(case)
    namespace = case.workload.namespace if case.workload is not None else ""
    hungry = {pod.name: why for pod in case.pods if (why := hunger_of(pod.name, case.memory))}
    for name in sorted({*tallies, *sick, *hungry, *([slow] if slow else [])}):
        making = Making()
        if name == slow:
            making.plus(0.5, why_slow)
            if case.revision_of(name) in fresh_revisions(case):
                making.minus(0.3, "it runs a new revision, which explains as much")
        if concentrated(tallies, name):
            making.plus(0.5, concentration(tallies, name, f"pod {name}"))
        if name in sick:
            alone = len(sick) == 1 and len(case.pods) > 1
            much = 0.55 if sick[name].startswith(_KILLED) else 0.35
            making.plus(much if alone else 0.2, f"it is unwell ({sick[name]})")
        if name in hungry:
            making.plus(0.55, hungry[name])
        if not making.supported:
            continue
        explained_by_revision(case, making, "pod", name)
        fix = SuggestedFix("change", "restart", {"workload": str(case.workload), "pod": name})
        found.append(making.done(SuspectKind.POD, f"pod {namespace}/{name}", fix))
    return found


def _slow_pod(case: CaseFacts) -> tuple[str, str]:
    """The one pod that is far slower than every other, and how much; "" where errors are what began."""
    latency = next((item for item in case.latency if item.dimension == "pod"), None)
    if latency is None or len(latency.since) < 2 or case.onset.basis == "errors":
        return "", ""
    (_, other), (name, own) = sorted(latency.since.items(), key=lambda item: item[1])[-2:]
    if own <= 3 * other or own - other <= 0.05:
        return "", ""
    return name, f"p95 of pod {name} is {1000 * own:.0f} ms, {1000 * other:.0f} ms or less of every other"

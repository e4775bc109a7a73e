"""Suspects outside the workload: more requests than usual, or something that it depends on. Pure."""

from __future__ import annotations

from maestro_cli.incidents.triage.facts import CaseFacts, tally_by
from maestro_cli.incidents.triage.making import Making, bad_groups, concentrated, fresh_revisions, names
from maestro_cli.incidents.triage.model import SuggestedFix, Suspect, SuspectKind
from maestro_cli.incidents.triage.saturation import idle_while_failing, strained


def load_suspects(case: CaseFacts) -> list[Suspect]:
    factor = case.load_factor
    if factor is None or factor < 1.8:
        return []
    making = Making()
    making.plus(min(0.3 + 0.1 * factor, 0.7), f"requests rose to {factor:.1f} times the usual rate")
    if fresh_revisions(case):
        making.minus(0.15, "a release happened as well; retries of failed requests can raise the rate")
    tallies = tally_by(case.split, "pod")
    if any(concentrated(tallies, name) for name in tallies):
        making.minus(0.25, "the errors sit in one pod, a surge would spread them")
    if strain := strained(case):
        making.plus(0.1, strain)
    elif idle := idle_while_failing(case):
        making.minus(0.25, idle)
    fix = None
    if case.workload is not None and case.pods:
        replicas = max(len([pod for pod in case.pods if not pod.deleting]) + 1, 2)
        fix = SuggestedFix("change", "scale", {"workload": str(case.workload), "replicas": str(replicas)})
    return [making.done(SuspectKind.LOAD, f"load on {case.workload}", fix)]


def dependency_suspects(case: CaseFacts) -> list[Suspect]:
    """New error lines from every pod, whatever its revision, point outside the workload."""
    pods = {pod for group in case.logs for pod in group.counts}
    serving = [item for item in tally_by(case.split, "pod").values() if item.requests_since >= 1]
    failing = [item for item in serving if item.errors_since >= 1]
    for group in bad_groups(case):
        writers = {pod for pod, (_, since) in group.counts.items() if since}
        if not group.is_new or len(pods) < 2 or writers != pods:
            continue
        making = Making()
        named = sorted(name for name in case.services if names(group, name))
        making.plus(0.3, f"a new error line from all {len(pods)} pods: {group.shape[:160]}")
        if _speaks_of_connections(group.shape):
            making.plus(0.2, "it speaks of a connection")
        if named:
            making.plus(0.15, f"it names {', '.join(named)}")
        if serving and len(failing) == len(serving):
            making.plus(0.1, "every pod fails requests")
        revisions = {case.revision_of(pod) for pod in writers}
        fresh = fresh_revisions(case)
        if fresh and revisions <= fresh:
            making.minus(0.35, "all those pods run a new revision, which explains as much")
        subject = f"dependency {named[0]}" if named else f"something that {case.workload} depends on"
        return [making.done(SuspectKind.DEPENDENCY, subject)]
    return []


def _speaks_of_connections(text: str) -> bool:
    words = text.lower()
    return any(
        word in words
        for word in (
            "connection",
            "refused",
            "timeout",
            "timed out",
            "unreachable",
            "reset",
            "dns",
            "upstream",
            "does not answer",
        )
    )

"""Suspects around a workload: its certificate, somebody's key, its backup, its scale, or that it is gone.

Invariant: pure. What an alert says alone is no proof: each is measured, or seen in the cluster, as well.
"""

from __future__ import annotations

import re

from maestro_cli.core.clock import seconds_between
from maestro_cli.core.quantities import format_duration
from maestro_cli.incidents.triage.facts import CaseFacts, tally_by
from maestro_cli.incidents.triage.making import RELEASE_WINDOW_SECONDS, Making, bad_groups, fresh_revisions
from maestro_cli.incidents.triage.model import SuggestedFix, Suspect, SuspectKind
from maestro_cli.incidents.triage.surroundings import Certificate, FailedJob, Refusals, Scaling

SOON_SECONDS = 14 * 86400.0
_FEW_REFUSALS = 10.0
_UNKNOWN_KEY = "_unknown"
_SLACK_SECONDS = 15.0
_NUMBER = re.compile(r"(?:-\d{1,14})?(?:-check)?$")
_TLS_WORDS = ("certificate", "x509", "tls", "handshake")


def platform_suspects(case: CaseFacts) -> list[Suspect]:
    """Every one that the facts around the workload support."""
    found = [
        *(_certificate(case, one) for one in case.around.certificates),
        *(_key(case, one) for one in case.around.refusals),
        *(_backup(case, one) for one in case.around.failed_jobs),
        _scale(case),
        _deletion(case),
    ]
    return [one for one in found if one is not None]


def _certificate(case: CaseFacts, one: Certificate) -> Suspect | None:
    """One that ends soon, when an alert names it, it has ended, or lines of trouble speak of certificates."""
    if one.seconds_left > SOON_SECONDS:
        return None
    making = Making()
    subject = f"secret {one.namespace}/{one.secret}"
    if one.seconds_left <= 0:
        ended = format_duration(-one.seconds_left)
        making.plus(0.45, f"the certificate in {subject} ended {ended} ago")
    else:
        left = format_duration(one.seconds_left)
        making.plus(0.35, f"the certificate in {subject} ends in {left}", supports=False)
    if one.secret in case.around.named("secret_name"):
        making.plus(0.4, "a firing alert names it")
    spoken = [
        group
        for group in bad_groups(case)
        if group.is_new and any(word in group.shape.lower() for word in _TLS_WORDS)
    ]
    if spoken:
        making.plus(0.25, f"a new error line speaks of it: {spoken[0].shape[:160]}")
    if not making.supported:
        return None
    return making.done(SuspectKind.CERTIFICATE, subject, SuggestedFix("runbook", "certificate-expiry"))


def _key(case: CaseFacts, one: Refusals) -> Suspect | None:
    """One that is refused far more often than before."""
    if one.since < _FEW_REFUSALS or not one.key:
        return None
    unknown = one.key == _UNKNOWN_KEY
    name = "unknown" if unknown else one.key
    what = "nobody knows" if unknown else "may not do this"
    making = Making()
    making.plus(
        0.55, f"{one.since:.0f} requests of key {name} were refused ({one.code}: {what}) since the onset"
    )
    past = format_duration(one.seconds_before)
    told = f"{one.before:.0f} in {past} before it" if one.before else "none is known before it"
    if one.is_usual:
        making.minus(0.3, f"{told}, as fast")
    else:
        making.plus(0.15, told, supports=False)
    if one.key in case.around.named("key"):
        making.plus(0.15, "a firing alert names it")
    fresh = fresh_revisions(case)
    if one.revisions and one.revisions <= fresh:
        making.minus(0.3, "a new revision alone refuses it, which explains as much")
    return making.done(SuspectKind.KEY, f"key {name}", SuggestedFix("runbook", "security-incident"))


def _backup(case: CaseFacts, job: FailedJob) -> Suspect | None:
    """A failed job that an alert about a backup names, or that is a backup by its name."""
    named = job.name in case.around.named("job_name")
    backup = job.backup or _NUMBER.sub("", job.name)
    if not named or not (job.backup or "backup" in job.name.lower()):
        return None
    making = Making()
    making.plus(0.4, f"job {job.namespace}/{job.name} failed")
    making.plus(0.3, "a firing alert names it")
    if job.told:
        making.plus(0.15, f"its last line of trouble: {job.told[:200]}")
    fix = SuggestedFix("runbook", "backup-failure")
    return making.done(SuspectKind.BACKUP, f"backup {job.namespace}/{backup}", fix)


def _scale(case: CaseFacts) -> Suspect | None:
    """Other numbers of replicas: more than the load needs and the budget pays, or fewer than it needs."""
    around, workload = case.around, case.workload
    if workload is None:
        return None
    last = _last_scaling(case)
    over = around.spend is not None and around.budget is not None and around.spend > around.budget > 0
    making = Making()
    if over:
        making.plus(0.35, f"it costs {around.spend:.2f} an hour, its budget is {around.budget:.2f}")
    if last is not None:
        before = format_duration(max(seconds_between(last.at, case.onset.at), 0.0))
        making.plus(
            0.2, f"from {last.before} to {last.after} replicas {before} before the onset", supports=False
        )
        if last.after < last.before:
            _too_few(case, making, last)
        elif over:
            making.plus(0.15, "the replicas were raised before it")
    if over and case.load_factor is not None:
        if case.load_factor < 1.3:
            making.plus(0.2, f"its load is {case.load_factor:.1f} times the usual")
        else:
            making.minus(0.3, f"its load rose to {case.load_factor:.1f} times the usual")
    if not making.supported:
        return None
    replicas = {"replicas": str(last.before)} if last is not None else {}
    fix = SuggestedFix("change", "scale", {"workload": str(workload), **replicas})
    return making.done(SuspectKind.SCALE, str(workload), fix)


def _too_few(case: CaseFacts, making: Making, last: Scaling) -> None:
    """Fewer replicas matter where something began for users, and no release or lost pod explains it."""
    if case.onset.basis not in ("errors", "latency"):
        return
    making.plus(0.25, f"{case.onset.basis} left their baseline after replicas were taken away")
    if last.after < 0.5 * last.before:
        making.plus(0.1, "more than half of them")
    if fresh_revisions(case):
        making.minus(0.2, "a release happened as well")


def _last_scaling(case: CaseFacts) -> Scaling | None:
    """The last one that began before the onset, within the window that a release has."""
    fitting = [
        one
        for one in case.around.scalings
        if seconds_between(one.earliest, case.onset.at) >= -_SLACK_SECONDS
        and seconds_between(one.at, case.onset.at) <= RELEASE_WINDOW_SECONDS
    ]
    return fitting[-1] if fitting else None


def _deletion(case: CaseFacts) -> Suspect | None:
    """The workload is not in the cluster, though it answered or was seen there."""
    workload = case.workload
    if workload is None or not case.around.gone:
        return None
    making = Making()
    making.plus(0.4, f"there is no {workload} in the cluster")
    answered = sum(one.requests_before for one in tally_by(case.split, "pod").values())
    if answered >= 1:
        making.plus(0.35, f"it answered {answered:.0f} requests before the onset")
    if case.around.scalings or case.around.was_seen:
        making.plus(0.2, "the metrics saw it there lately")
    if not answered and not case.around.was_seen:
        making.reasons_against.append("nothing shows that it was ever there")
    fix = SuggestedFix("runbook", "disaster-recovery")
    return making.done(SuspectKind.DELETION, str(workload), fix)

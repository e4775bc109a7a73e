"""Causes around a workload: certificates, keys, backups, scale, and workloads that are gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from maestro_cli.incidents.triage.facts import CaseFacts, SplitRow, Tally
from maestro_cli.incidents.triage.model import CULPRIT_SCORE, Onset, SuspectKind
from maestro_cli.incidents.triage.surroundings import Around, Certificate, FailedJob, Refusals, Scaling
from maestro_cli.incidents.triage.suspects import rank_suspects
from tests.unit.incidents.platform import FRAUD, at

DAY = 86400.0


def case(*, basis: str = "alert", around: Around | None = None, **more: Any) -> CaseFacts:
    return CaseFacts(workload=FRAUD, onset=Onset(at(0), at(-1), basis), around=around or Around(), **more)


def ranked(facts: CaseFacts) -> dict[tuple[SuspectKind, str], float]:
    return {(one.kind, one.subject): one.score for one in rank_suspects(facts)}


def certificate(days: float, **labels: str) -> CaseFacts:
    signals = (labels,) if labels else ()
    return case(around=Around(certificates=(Certificate("ml", "fraud-tls", days * DAY),), signals=signals))


def test_a_certificate_that_ends_soon_and_that_an_alert_names_is_the_culprit() -> None:
    found = ranked(certificate(5, secret_name="fraud-tls"))
    assert found[SuspectKind.CERTIFICATE, "secret ml/fraud-tls"] >= CULPRIT_SCORE


@pytest.mark.parametrize(
    ("days", "labels"), [(5.0, {}), (5.0, {"secret_name": "another"}), (200.0, {"secret_name": "fraud-tls"})]
)
def test_a_certificate_that_nothing_points_at_or_that_lasts_is_none(
    days: float, labels: dict[str, str]
) -> None:
    assert ranked(certificate(days, **labels)) == {}


def test_one_that_has_ended_is_suspected_without_an_alert_about_it() -> None:
    assert (SuspectKind.CERTIFICATE, "secret ml/fraud-tls") in ranked(certificate(-1))


def refused(since: float, before: float = 0.0, key: str = "partner") -> CaseFacts:
    one = Refusals(key, "403", before, since, frozenset({"1"}), seconds_before=3600, seconds_since=60)
    return case(around=Around(refusals=(one,), signals=({"key": key},)))


def test_a_key_that_is_refused_again_and_again_is_the_culprit() -> None:
    assert ranked(refused(120))[SuspectKind.KEY, "key partner"] >= CULPRIT_SCORE
    assert (SuspectKind.KEY, "key unknown") in ranked(refused(500, key="_unknown"))


def test_what_began_a_moment_before_its_alert_is_not_usual() -> None:
    assert ranked(refused(120, before=25))[SuspectKind.KEY, "key partner"] >= CULPRIT_SCORE


def test_a_few_refusals_and_those_that_were_always_there_are_none() -> None:
    assert ranked(refused(3)) == {}
    assert (
        ranked(refused(120, before=20_000))[SuspectKind.KEY, "key partner"]
        < ranked(refused(120))[SuspectKind.KEY, "key partner"]
    )


def failed_job(**labels: str) -> CaseFacts:
    job = FailedJob("ml", "model-backup-1795", labels.pop("backup", ""), "error: no such folder: modles")
    return case(around=Around(failed_jobs=(job,), signals=(labels,) if labels else ()))


def test_a_failed_backup_that_an_alert_names_is_the_culprit() -> None:
    assert (
        ranked(failed_job(job_name="model-backup-1795"))[SuspectKind.BACKUP, "backup ml/model-backup"] >= 0.8
    )
    found = ranked(failed_job(job_name="model-backup-1795", backup="models"))
    assert (SuspectKind.BACKUP, "backup ml/models") in found
    assert ranked(failed_job()) == {}
    assert ranked(failed_job(job_name="another")) == {}


def spending(spend: float, budget: float | None, load: float = 1.0, after: int = 8) -> CaseFacts:
    scaling = Scaling(at(-60), at(-61), 3, after)
    return case(around=Around(spend=spend, budget=budget, scalings=(scaling,)), load_factor=load)


def test_a_workload_that_was_scaled_beyond_its_budget_is_the_culprit_unless_its_load_rose() -> None:
    key = SuspectKind.SCALE, "ml/deploy/fraud"
    assert ranked(spending(0.4, 0.38))[key] >= CULPRIT_SCORE
    assert ranked(spending(0.4, 0.38, load=4.0))[key] < CULPRIT_SCORE
    assert key not in ranked(spending(0.3, 0.38))
    assert key not in ranked(spending(0.3, None))


def test_replicas_that_were_taken_away_before_users_felt_it_are_suspected() -> None:
    around = Around(scalings=(Scaling(at(-20), at(-21), 6, 1),))
    assert (SuspectKind.SCALE, "ml/deploy/fraud") in ranked(case(basis="latency", around=around))
    assert ranked(case(around=around)) == {}
    later = Around(scalings=(Scaling(at(60), at(59), 6, 1),))
    assert ranked(case(basis="latency", around=later)) == {}


def test_a_workload_that_is_gone_is_the_culprit_where_it_was_there_before() -> None:
    key = SuspectKind.DELETION, "ml/deploy/fraud"
    rows = (SplitRow("fraud-1-a", "node-a", "1", "1", Tally(requests_before=900)),)
    gone = case(around=Around(gone=True), split=rows)
    assert ranked(gone)[key] >= CULPRIT_SCORE
    assert ranked(case(around=Around(gone=True, was_seen=True)))[key] >= CULPRIT_SCORE
    assert ranked(case(around=Around(gone=True)))[key] < CULPRIT_SCORE
    assert key not in ranked(replace(gone, around=Around()))

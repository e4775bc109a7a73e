"""When what runs now counts as a new release: only where that is certain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maestro_cli.changes.candidates.novelty import HISTORY, against_an_old_release, released_since
from maestro_cli.changes.kinds.kind import seconds_of
from maestro_cli.changes.template import RESTARTED_AT
from maestro_cli.core.errors import GateNotMet, UsageError
from maestro_cli.core.facts.cluster import ClusterEvent, Revision, Workload
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import LONG_AGO, REF, template

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = 3600.0


def noted(version: int, **annotations: str) -> dict[str, Any]:
    made = template(version)
    return {**made, "metadata": {**made.get("metadata", {}), "annotations": annotations}}


def revision(
    number: int, pods: Mapping[str, Any], minutes_ago: float, *, name: str = "", former: str = ""
) -> Revision:
    created = NOW - timedelta(minutes=minutes_ago)
    history = {HISTORY: former} if former else {}
    return Revision(number, name or f"rs-{number}", created, 0, 0, (), "", pods, "", annotations=history)


def running(pods: Mapping[str, Any], number: int) -> Workload:
    return Workload(REF, "uid", "1", 1, 1, number, 3, 3, 3, 3, 3, False, "app=fraud", LONG_AGO, template=pods)


def scaled(text: str, minutes_ago: float) -> ClusterEvent:
    at = NOW - timedelta(minutes=minutes_ago)
    return ClusterEvent(
        "ml", text, "Normal", "ScalingReplicaSet", f"Scaled {text}", "Deployment", "fraud", at, at, 1
    )


def refusals(revisions: list[Revision], *events: ClusterEvent, within: float = HOUR) -> list[str]:
    newest = max(revisions, key=lambda one: one.number)
    workload = running(newest.template, newest.number)
    return [one.why for one in against_an_old_release(workload, revisions, events, NOW, within)]


OLD = revision(1, template(1), 9000)
OLDER_TWO = [OLD, revision(2, template(2), 4000)]


def test_a_release_of_the_last_hour_is_new_and_one_from_before_is_not() -> None:
    assert refusals([OLD, revision(2, template(2), 59)]) == []
    assert refusals([OLD, revision(2, template(2), 61)]) == ["what it runs came with revision 2, 1h01m ago"]


@pytest.mark.parametrize("note", [{RESTARTED_AT: "2026-03-01T11:59:00Z"}, {"team.example/owner": "ml"}])
def test_a_restart_or_a_note_makes_no_release_of_what_ran_before(note: dict[str, str]) -> None:
    again = revision(3, noted(2, **note), 1)
    assert refusals([*OLDER_TWO, again]) == [
        "what it runs came with revision 2 (those after it differ in annotations alone), 2d18h ago"
    ]
    assert refusals([OLD, revision(2, template(2), 30), again]) == []


def test_a_first_release_that_was_only_restarted_is_not_new() -> None:
    restarted = noted(1, **{RESTARTED_AT: "2026-03-01T11:59:00Z"})
    assert refusals([OLD, revision(2, restarted, 1)]) == [
        "every revision that it keeps, from 1 on, runs the same"
    ]


def test_where_the_revision_before_is_gone_nobody_can_tell() -> None:
    """What is gone may have run the same, for as long as anybody remembers."""
    assert refusals([OLD, revision(3, template(2), 1)]) == [
        "revision 2 is gone, and may have run the same as 3"
    ]


def test_what_its_controller_has_not_numbered_yet_is_not_dated() -> None:
    workload = running(template(7), 2)
    since, why = released_since(workload, OLDER_TWO, [])
    assert (since, why) == (None, "the cluster has not made a revision of what it is to run yet")


BACK = [revision(2, template(2), 4000), revision(3, template(1), 9000, name="rs-1", former="1")]
ROSE, FELL = "up replica set rs-1 from 0 to 1", "down replica set rs-2 from 3 to 2"


def test_a_replica_set_that_came_back_is_not_dated_by_its_creation() -> None:
    assert refusals(BACK) == [
        "revision 3 is one that came back, and no event tells when; its predecessor was made 2d18h ago"
    ]
    assert refusals([revision(2, template(2), 20), BACK[1]]) == [], "later than its predecessor was made"


@pytest.mark.parametrize("rose", [ROSE, "up replica set rs-1 to 1 from 0"])
def test_it_is_dated_by_the_events_of_its_rollout(rose: str) -> None:
    assert refusals(BACK, scaled(rose, 20), scaled(FELL, 19)) == []
    late = refusals(BACK, scaled(rose, 20), scaled(FELL, 19), within=600.0)
    assert late == ["what ran before came back as revision 3, 20m00s ago"]


def test_one_that_was_made_last_and_came_back_is_dated_by_its_events_too() -> None:
    again = [
        revision(3, template(1), 9000, name="rs-1", former="1"),
        revision(4, template(2), 4000, name="rs-2", former="2"),
    ]
    rollout = scaled("up replica set rs-2 from 0 to 1", 20), scaled("down replica set rs-1 from 3 to 2", 19)
    assert refusals(again, *rollout) == []
    assert len(refusals(again)) == 1


def test_events_of_an_earlier_life_do_not_make_it_older_than_its_predecessor() -> None:
    back = [revision(2, template(2), 20), BACK[1]]
    assert refusals(back, scaled(ROSE, 40), scaled(FELL, 39), within=1800.0) == []


@pytest.mark.parametrize(
    "events",
    [
        [scaled(ROSE, 20)],
        [scaled(FELL, 21), scaled(ROSE, 20)],
        [scaled("up replica set rs-1 from 2 to 3", 20), scaled(FELL, 19)],
        [scaled("up replica set rs-1 to 1", 20), scaled(FELL, 19)],
        [scaled("up replica set rs-9 from 0 to 1", 20), scaled(FELL, 19)],
        [scaled(ROSE, 20), scaled("down replica set rs-9 from 3 to 2", 19)],
    ],
)
def test_what_was_only_scaled_did_not_come_back(events: list[ClusterEvent]) -> None:
    assert len(refusals(BACK, *events)) == 1


def test_a_rollback_may_ask_that_it_was_released_lately(bench: Bench) -> None:
    """The releases of the bench are two months old."""
    pipeline = bench.pipeline()
    plan = pipeline.plan("rollback", REF, {"only_if_released_within": HOUR})
    with pytest.raises(GateNotMet, match=r"nothing shows that .*fraud was released within 1h") as raised:
        pipeline.execute(plan, YES)
    assert (raised.value.exit_code, bench.cluster.marks) == (11, [])
    assert "name the revision to go back to (to_revision)" in raised.value.fix
    assert pipeline.plan("rollback", REF, {"only_if_released_within": 1e9}).objections == ()


def test_whoever_names_the_revision_has_looked(bench: Bench) -> None:
    named = {"only_if_released_within": HOUR, "to_revision": 1}
    assert bench.pipeline().plan("rollback", REF, named).objections == ()


@pytest.mark.parametrize("within", [0, -1, True, "1h"])
def test_a_time_that_is_none_is_a_usage_error(bench: Bench, within: Any) -> None:
    with pytest.raises(UsageError, match="no time within which"):
        bench.pipeline().plan("rollback", REF, {"only_if_released_within": within})


@pytest.mark.parametrize("text", ["", "1", "1hour", "0s", "-1h"])
def test_its_text_in_a_runbook_is_a_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        seconds_of(text)

"""Where an unnamed rollback goes: what was good while it was live, else what nothing speaks against."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maestro_cli.changes.candidates.judging import judge_revisions
from maestro_cli.changes.candidates.measuring import read_tracks, window_of
from maestro_cli.changes.candidates.model import Judged, Standing, Tracks
from maestro_cli.changes.kinds.rollback import choose_revision
from maestro_cli.changes.model import plan_digest
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.records import plan_from_data, plan_to_data
from maestro_cli.changes.template import release_digest
from maestro_cli.core.errors import ActionFailed
from maestro_cli.core.facts.cluster import Revision, Workload
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.slo.objectives import Counters, Objective
from tests.unit.changes.bench import POLICY, YES, Bench
from tests.unit.changes.fake_cluster import LONG_AGO, REF, FakeCluster, template
from tests.unit.changes.fake_metrics import OBJECTIVES, FakeMetrics, Life
from tests.unit.changes.some_world import SomeWorld

HALF_HOUR, HOUR, DAY = 30, 60, 24 * 60
NOW = LONG_AGO.replace(month=3)


def revision(number: int, version: int | None = None) -> Revision:
    version = version or number
    return Revision(number, f"fraud-{version}", LONG_AGO, 0, 0, (), "", template(version), f"hash{version}")


def workload(number: int) -> Workload:
    return Workload(
        REF, "uid", "1", 1, 1, number, 3, 3, 3, 3, 3, False, "app=fraud", LONG_AGO, template=template(number)
    )


def judged(
    metrics: FakeMetrics | None, numbers: int = 3, objectives: dict[str, Objective] | None = None
) -> dict[int, Judged]:
    """Revisions 1 to `numbers`, of which the last one runs."""
    revisions = [revision(number) for number in range(1, numbers + 1)]
    world = SomeWorld(FakeCluster(), metrics, OBJECTIVES if objectives is None else objectives)
    tracks = read_tracks(world, workload(numbers), revisions, NOW)
    found = judge_revisions(workload(numbers), revisions, tracks, {})
    return {one.revision: one for one in found}


def chosen(metrics: FakeMetrics, numbers: int = 3) -> int:
    revisions = [revision(number) for number in range(1, numbers + 1)]
    found = judged(metrics, numbers)
    return choose_revision(workload(numbers), revisions, list(found.values()))[0].number


def test_the_newest_that_was_good_is_chosen_and_not_the_one_before() -> None:
    metrics = FakeMetrics({"fraud-1": [Life(DAY, 20 * HOUR)], "fraud-2": [Life(3 * HOUR, 2 * HOUR, bad=2.0)]})
    found = judged(metrics)
    assert [found[number].standing for number in (1, 2)] == [Standing.GOOD, Standing.BAD]
    assert found[1].reason.startswith("met fraud-availability for 19h")
    assert found[2].reason.startswith("fraud-availability: 20.00% of 7")
    assert chosen(metrics) == 1


def test_a_good_one_is_chosen_before_a_newer_one_that_is_not_proved() -> None:
    metrics = FakeMetrics({"fraud-1": [Life(DAY, HOUR)], "fraud-2": [Life(HOUR, 10)]})
    assert judged(metrics)[2].standing is Standing.NOT_PROVED
    assert chosen(metrics) == 1


@pytest.mark.parametrize(("minutes", "standing"), [(30, Standing.NOT_PROVED), (35, Standing.GOOD)])
def test_half_an_hour_of_answers_is_the_proof(minutes: int, standing: Standing) -> None:
    """To the step that is looked at: of half an hour at two minutes a step less is certain."""
    found = judged(FakeMetrics({"fraud-1": [Life(DAY, minutes)]}), 2)[1]
    assert found.standing is standing


def test_time_without_requests_proves_nothing() -> None:
    found = judged(FakeMetrics({"fraud-1": [Life(DAY, 10 * HOUR, rate=0.0)]}), 2)[1]
    assert found.standing is Standing.NOT_PROVED
    assert found.reason == "it answered requests for 0.0s, of 30m00s that it takes"


def test_the_times_it_was_live_are_added_up() -> None:
    twice = [Life(DAY, 20), Life(3 * HOUR, 20)]
    assert judged(FakeMetrics({"fraud-1": twice}), 2)[1].standing is Standing.GOOD


def test_too_few_bad_events_condemn_nobody_and_prove_nothing() -> None:
    metrics = FakeMetrics({"fraud-1": [Life(DAY, HOUR, rate=0.1, bad=0.002)]})
    found = judged(metrics, 2)[1]
    assert (found.standing, found.doubted) == (Standing.NOT_PROVED, True)
    assert found.reason.endswith("too few to tell")


def test_of_two_unproved_the_one_with_bad_figures_comes_last() -> None:
    metrics = FakeMetrics({"fraud-1": [Life(DAY, 10)], "fraud-2": [Life(HOUR, 10, bad=5.0)]})
    assert [found.standing for found in judged(metrics).values()] == [Standing.NOT_PROVED] * 2
    assert chosen(metrics) == 1


@pytest.mark.parametrize(
    ("metrics", "objectives", "why"),
    [
        (None, None, "context test has no prometheus"),
        (FakeMetrics({}, down=True), None, "Prometheus does not answer"),
        (FakeMetrics({}), {}, "the context has no objective for ml/deploy/fraud"),
        (FakeMetrics({}), None, "nothing of it was measured in the last 7d00h"),
    ],
)
def test_what_cannot_be_told_is_said_for_each(
    metrics: FakeMetrics | None, objectives: dict[str, Objective] | None, why: str
) -> None:
    found = judged(metrics, 3, objectives)
    assert {one.standing for one in found.values()} == {Standing.NOT_PROVED}
    assert {one.reason for one in found.values()} == {why}


def test_an_objective_that_nothing_counts_for_is_no_proof() -> None:
    other = replace(
        OBJECTIVES["fraud-availability"], name="other", indicator=Counters("other_total", "other_bad")
    )
    metrics = FakeMetrics({"fraud-1": [Life(DAY, HOUR)]})
    real = metrics.query_range
    metrics.query_range = lambda promql, *rest: () if "other" in promql else real(promql, *rest)  # type: ignore[method-assign]
    assert judged(metrics, 2, {**OBJECTIVES, "other": other})[1].standing is Standing.NOT_PROVED


def test_series_are_told_apart_by_the_hash_where_they_have_no_pod() -> None:
    metrics = FakeMetrics({"hash1": [Life(DAY, HOUR)]}, label="pod_template_hash")
    assert judged(metrics, 2)[1].standing is Standing.GOOD


@pytest.mark.parametrize(
    ("kind", "says"), [("StatefulSet", True), ("DaemonSet", True), ("Deployment", False)]
)
def test_what_the_series_of_a_set_lack_is_said_and_how_they_get_it(kind: str, says: bool) -> None:
    """The name of its pod (`ranking-0`) tells nothing of a revision, as that of a ReplicaSet does."""
    found = replace(workload(2), ref=WorkloadRef(kind, "ml", "fraud"))
    metrics = FakeMetrics({"fraud": [Life(DAY, HOUR)]})
    world = SomeWorld(FakeCluster(), metrics, OBJECTIVES)
    total, bad = (f'http_requests_total{{namespace="ml"{more}}}' for more in ("", ', code=~"5.."'))
    objectives = {"all": replace(OBJECTIVES["fraud-availability"], indicator=Counters(total, bad))}
    tracks = read_tracks(replace(world, objectives=objectives), found, [revision(1), revision(2)], NOW)
    assert ("give them the label controller_revision_hash" in tracks.why) is says
    (first,) = judge_revisions(found, [revision(1), revision(2)], tracks, {})
    assert ("relabelling __meta_kubernetes_pod_label_controller_revision_hash" in first.reason) is says
    told = FakeMetrics({"hash1": [Life(DAY, HOUR)]}, label="controller_revision_hash")
    world = SomeWorld(FakeCluster(), told, objectives)
    assert read_tracks(world, found, [revision(1), revision(2)], NOW).why == ""


def test_series_that_tell_nobody_apart_count_while_one_revision_was_alone() -> None:
    alone = FakeMetrics({"fraud-1": [Life(DAY, HOUR)], "fraud-2": [Life(HOUR, HOUR)]}, label="")
    assert judged(alone, 2)[1].standing is Standing.GOOD
    together = FakeMetrics({"fraud-1": [Life(DAY, HOUR)], "fraud-2": [Life(DAY, DAY)]}, label="")
    assert judged(together, 2)[1].standing is Standing.NOT_PROVED


def test_what_is_looked_at_is_bounded() -> None:
    young = replace(revision(1), created_at=NOW)
    assert (NOW - window_of([young], NOW).start).total_seconds() == 7200
    window = window_of([revision(1)], NOW)
    assert (NOW - window.start).days == 7
    assert (NOW - window.start).total_seconds() / window.step_seconds <= 5000


def test_nothing_worth_going_to_says_what_speaks_against_each() -> None:
    bad = {"fraud-1": [Life(DAY, HOUR, bad=5.0)], "fraud-2": [Life(HOUR, 40, bad=5.0)]}
    with pytest.raises(ActionFailed, match="no earlier revision") as raised:
        chosen(FakeMetrics(bad))
    assert "revision 2: fraud-availability: 50.00%" in raised.value.why
    assert "revision 1: fraud-availability: 50.00%" in raised.value.why


def test_without_tracks_nothing_is_good() -> None:
    found = judge_revisions(workload(2), [revision(1), revision(2)], Tracks(), {})
    assert [one.standing for one in found] == [Standing.NOT_PROVED]


def measured(bench: Bench, metrics: FakeMetrics) -> ChangePipeline:
    world = SomeWorld(bench.cluster, metrics, OBJECTIVES)
    return ChangePipeline(bench.journal, world, policy=POLICY, clock=bench.clock, actor="ada")


def test_the_plan_says_what_it_chose_from_and_that_the_choice_is_not_proved(bench: Bench) -> None:
    plan = bench.pipeline().plan("rollback", REF)
    assert [(one.revision, one.standing) for one in plan.considered] == [(1, Standing.NOT_PROVED)]
    why = f"the context has no objective for {REF}"
    after = "it is the newest earlier one that nothing else speaks against"
    assert plan.notes[0] == f"revision 1 is not proved good: {why}; {after}"
    proved = measured(bench, FakeMetrics({"fraud-1": [Life(HOUR, 50)]})).plan("rollback", REF)
    assert [one.standing for one in proved.considered] == [Standing.GOOD]
    assert not any("not proved" in note for note in proved.notes)


BAD_LIVES = {"fraud-1": [Life(DAY, 20 * HOUR, bad=3.0)], "fraud-2": [Life(HOUR, 50)]}


def test_a_plan_to_a_named_revision_that_broke_an_objective_warns_with_its_figures(bench: Bench) -> None:
    pipeline = measured(bench, FakeMetrics(BAD_LIVES))
    plan = pipeline.plan("rollback", REF, {"to_revision": 1})
    said = plan.cautions[0]
    assert said.startswith("revision 1 is known to be bad: fraud-availability: 30.00% of")
    assert "; revision 2, which runs now, is good: met fraud-availability" in said
    assert [(one.revision, one.standing) for one in plan.considered] == [(1, Standing.BAD)]
    decision = pipeline.decide(plan, YES)
    assert decision.allowed
    assert decision.warnings[0] == said


def test_the_warning_names_the_last_known_good_where_what_runs_is_bad_too(bench: Bench) -> None:
    bench.cluster.ship(template(3), "release 3")
    lives = {"fraud-1": [Life(DAY, 9 * HOUR)], "fraud-2": [Life(9 * HOUR, 8 * HOUR, bad=3.0)]}
    plan = measured(bench, FakeMetrics(lives)).plan("rollback", REF, {"to_revision": 2})
    way = "the last known good one is revision 1 (met fraud-availability"
    assert way in plan.cautions[0]
    assert plan.cautions[0].endswith(f"maestro rollback {REF} --to-revision 1")


def test_nothing_is_warned_of_that_is_not_known_to_be_bad(bench: Bench) -> None:
    down = measured(bench, FakeMetrics({}, down=True)).plan("rollback", REF, {"to_revision": 1})
    assert (down.cautions, [one.standing for one in down.considered]) == ((), [Standing.NOT_PROVED])
    good = measured(bench, FakeMetrics({"fraud-1": [Life(DAY, HOUR)]}))
    assert good.plan("rollback", REF, {"to_revision": 1}).cautions == ()


def test_what_a_rollback_just_left_is_warned_of_by_the_change_that_left_it(bench: Bench) -> None:
    pipeline = bench.pipeline()
    done = pipeline.execute(pipeline.plan("rollback", REF), YES)
    for again in (pipeline.plan("rollback", REF, {"to_revision": 2}), pipeline.plan_undo(done.id)):
        assert again.cautions[0].startswith("revision 2 is known to be bad: a rollback left it at ")
        assert f"({done.id} by " in again.cautions[0]


def test_an_undo_asks_no_metrics(bench: Bench) -> None:
    metrics = FakeMetrics({}, down=True)
    template_of_one = {"to_revision": 1, "template": release_digest(template(1))}
    plan = measured(bench, metrics).plan("rollback", REF, template_of_one)
    assert (plan.considered, plan.cautions, metrics.asked) == ((), (), [])


def test_a_caution_is_part_of_what_is_agreed_to_and_comes_back_from_the_journal(bench: Bench) -> None:
    pipeline = measured(bench, FakeMetrics(BAD_LIVES))
    plan = pipeline.plan("rollback", REF, {"to_revision": 1})
    assert plan_digest(replace(plan, cautions=())) != plan.digest
    assert plan_from_data(plan_to_data(plan)).cautions == plan.cautions


def test_after_good_bad_good_again_and_bad_it_goes_to_the_third(bench: Bench) -> None:
    """r1 good, r2 bad, r3 = r1 again, r4 bad."""
    bench.cluster.ship(template(1), "release 3")
    bench.cluster.ship(template(4), "release 4")
    lives = {
        "fraud-1": [Life(DAY, HOUR), Life(5 * HOUR, 4 * HOUR)],
        "fraud-2": [Life(9 * HOUR, HOUR, bad=3.0)],
    }
    plan = measured(bench, FakeMetrics(lives)).plan("rollback", REF)
    assert plan.parameters["to_revision"] == 3
    assert plan.payload == {"template": template(1)}
    assert [(one.revision, one.standing.value) for one in plan.considered] == [(3, "good"), (2, "bad")]


def test_what_was_considered_comes_back_from_the_journal(bench: Bench) -> None:
    pipeline = bench.pipeline()
    change = pipeline.execute(pipeline.plan("rollback", REF), YES)
    assert change.plan.considered[0].standing is Standing.NOT_PROVED
    assert change.plan.notes

"""Which revision a rollback goes to, and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from maestro_cli.changes.candidates.judging import judge_revisions
from maestro_cli.changes.candidates.model import Tracks
from maestro_cli.changes.kinds import kind_named
from maestro_cli.changes.kinds.rollback import choose_revision, named_revision
from maestro_cli.changes.template import template_digest
from maestro_cli.core.errors import ActionFailed, GateNotMet, NotFound, UsageError
from maestro_cli.core.facts.cluster import Revision, Workload
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import LONG_AGO, REF, template


def revision(number: int, version: int, *, replicas: int = 0, ready: int = 0) -> Revision:
    return Revision(number, f"rs-{number}", LONG_AGO, replicas, ready, (), "", template(version))


def workload(number: int, version: int) -> Workload:
    return Workload(
        REF, "uid", "1", 1, 1, number, 3, 3, 3, 3, 3, False, "app=fraud", LONG_AGO, template=template(version)
    )


HISTORY = [revision(1, 1), revision(2, 2), revision(4, 1), revision(5, 5, replicas=3, ready=3)]


def chosen(now: Workload, history: list[Revision], abandoned: Mapping[str, str] | None = None) -> int:
    judged = judge_revisions(now, history, Tracks(), abandoned or {})
    return choose_revision(now, history, judged)[0].number


def test_the_newest_earlier_template_that_differs_is_chosen() -> None:
    assert chosen(workload(5, 5), HISTORY) == 4
    assert chosen(workload(4, 1), HISTORY[:3]) == 2


def test_what_a_rollback_left_or_could_not_verify_is_passed_over() -> None:
    assert chosen(workload(5, 5), HISTORY, {template_digest(template(1)): "chg-1 left it"}) == 2


def test_a_revision_whose_pods_are_not_all_ready_is_passed_over() -> None:
    history = [revision(1, 1), revision(2, 2, replicas=2, ready=1), revision(3, 3)]
    assert chosen(workload(3, 3), history) == 1


def test_a_named_revision_is_taken_whatever_speaks_against_it() -> None:
    assert named_revision(workload(5, 5), HISTORY, {"to_revision": 2}).number == 2


def test_a_template_wins_over_a_number_that_moved_on() -> None:
    wanted = {"to_revision": 1, "template": template_digest(template(1))}
    assert named_revision(workload(5, 5), HISTORY, wanted).number == 4


@pytest.mark.parametrize("history", [[revision(3, 1)], [revision(1, 1), revision(3, 1)], []])
def test_nowhere_to_go_is_zero_targets(history: list[Revision]) -> None:
    with pytest.raises(ActionFailed, match="no earlier revision") as raised:
        chosen(workload(3, 1), history)
    assert raised.value.exit_code == 12


def test_a_missing_revision_is_not_found() -> None:
    with pytest.raises(NotFound, match="no revision 9") as raised:
        named_revision(workload(5, 5), HISTORY, {"to_revision": 9})
    assert raised.value.why == "it keeps: 1, 2, 4, 5"


def test_the_same_template_is_refused() -> None:
    with pytest.raises(GateNotMet, match="already"):
        named_revision(workload(5, 1), HISTORY, {"to_revision": 4})


@pytest.mark.parametrize(
    "parameters", [{"to_revision": -1}, {"to_revision": "2"}, {"to_revision": True}, {"to": 2}]
)
def test_parameters_are_checked(bench: Bench, parameters: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        bench.pipeline().plan("rollback", REF, parameters)


def test_an_unknown_kind_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no kind of change 'erase'"):
        kind_named("erase")


def test_a_second_rollback_within_the_hour_needs_a_revision(bench: Bench) -> None:
    pipeline = bench.pipeline()
    first = pipeline.execute(pipeline.plan("rollback", REF), YES)
    bench.cluster.ship(template(4), "release 4")
    plan = pipeline.plan("rollback", REF)
    with pytest.raises(GateNotMet, match=first.id) as raised:
        pipeline.execute(plan, YES)
    assert raised.value.fix == (
        f"say where to: maestro rollback {REF} --to-revision 3 (what this plan chose);"
        f" while nothing was shipped since, take {first.id} back: maestro change undo {first.id};"
        f" the record of each revision: maestro rollback plan {REF}"
    )
    pinned = pipeline.plan("rollback", REF, {"to_revision": 3})
    assert pipeline.execute(pinned, YES).plan.blast.recent[0].id == first.id


def test_after_the_hour_it_does_not_go_back_to_what_was_left(bench: Bench) -> None:
    """History r1 good, r2 bad, r3 = r1 again, r4 bad: the second goes to r3's template, never to r2's."""
    pipeline = bench.pipeline()
    pipeline.execute(pipeline.plan("rollback", REF), YES)
    bench.cluster.ship(template(4), "release 4")
    bench.clock.pass_time(hours=2)
    assert pipeline.plan("rollback", REF).payload == {"template": template(1)}
    pipeline.execute(pipeline.plan("rollback", REF), YES)
    bench.clock.pass_time(hours=2)
    with pytest.raises(ActionFailed, match="no earlier revision") as raised:
        pipeline.plan("rollback", REF)
    assert "revision 2: a rollback left it at " in raised.value.why


def test_the_undo_names_what_is_there_now(bench: Bench) -> None:
    plan = bench.pipeline().plan("rollback", REF)
    assert plan.undo is not None
    assert plan.undo.parameters == {"to_revision": 2, "template": template_digest(template(2))}


def test_only_replicas_that_are_not_on_it_yet_are_restarted(bench: Bench) -> None:
    plan = bench.pipeline().plan("rollback", REF)
    assert (plan.blast.workloads, plan.blast.replicas_now, plan.blast.replicas_ended) == (1, 3, 3)
    assert plan.blast.namespace_share == 1.0

"""The share of the replicas behind a Service that one of two Deployments has."""

from __future__ import annotations

import pytest

from maestro_cli.changes.kinds.set_weight import replicas_for
from maestro_cli.core.errors import ActionFailed, UsageError
from tests.unit.changes.bench import YES, Bench
from tests.unit.changes.fake_cluster import REF

ASKED = {"share": 0.25, "beside": "stable"}


@pytest.mark.parametrize(
    ("share", "others", "replicas"),
    [(0.5, 3, 3), (0.25, 3, 1), (0.1, 9, 1), (0.1, 3, 1), (0.01, 3, 1), (0.4, 3, 2), (0.9, 1, 9), (0, 3, 0)],
)
def test_whole_replicas_come_as_near_to_the_share_as_they_can(
    share: float, others: int, replicas: int
) -> None:
    """A share above nothing has a replica at least, or it would be none."""
    assert replicas_for(share, others) == replicas


def test_the_plan_tells_the_share_it_comes_to_and_the_undo_puts_the_number_back(bench: Bench) -> None:
    pipeline = bench.pipeline()
    plan = pipeline.plan("set-weight", REF, {**ASKED, "share": 0.4})
    assert plan.summary.startswith("give ml/deploy/fraud 0.4 of the replicas beside stable")
    pipeline.execute(plan, YES)
    assert bench.cluster.get_workload(REF).replicas_wanted == 2
    pipeline.execute(pipeline.plan_undo(plan.id), YES)
    assert bench.cluster.get_workload(REF).replicas_wanted == 3


def test_there_must_be_something_to_be_a_share_of(bench: Bench) -> None:
    bench.cluster.set(ready=0)
    with pytest.raises(ActionFailed) as raised:
        bench.pipeline().plan("set-weight", REF, ASKED)
    assert raised.value.exit_code == 12


@pytest.mark.parametrize(
    "asked", [{"beside": "stable"}, {**ASKED, "share": 1.0}, {**ASKED, "share": -1}, {"share": 0.1},
              {**ASKED, "beside": "fraud"}],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(bench: Bench, asked: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        bench.pipeline().plan("set-weight", REF, asked)


def test_what_an_autoscaler_sets_is_not_weighed(bench: Bench) -> None:
    bench.cluster.set(autoscalers=[["fraud", "Deployment", "fraud", 1, 5]])
    plan = bench.pipeline().plan("set-weight", REF, ASKED)
    assert [reason.code for reason in plan.objections] == ["autoscaler"]

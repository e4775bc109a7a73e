"""The share of the replicas behind a Service that one of two Deployments has."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_cli.changes.kinds.set_weight import replicas_for
from maestro_cli.changes.model import State
from maestro_cli.changes.policy_file import load_policy
from maestro_cli.core.errors import ActionFailed, GateNotMet, PolicyRefused, UsageError
from maestro_cli.core.refs import WorkloadRef
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
    assert plan.summary.startswith("give ml/deploy/fraud 0.4 of the replicas beside stable behind fraud:")
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
    "asked",
    [
        {"beside": "stable"},
        {"share": 0.1},
        *({**ASKED, "share": share} for share in (1.0, -1)),
        *({**ASKED, "beside": name} for name in ("fraud", "../stable", "shop/deploy/x", "a\x1b[2J")),
    ],
)
def test_what_makes_no_sense_is_refused(bench: Bench, asked: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        bench.pipeline().plan("set-weight", REF, asked)


def test_what_an_autoscaler_sets_is_not_weighed(bench: Bench) -> None:
    bench.cluster.set(autoscalers=[["fraud", "Deployment", "fraud", 1, 5]])
    plan = bench.pipeline().plan("set-weight", REF, ASKED)
    assert [reason.code for reason in plan.objections] == ["autoscaler"]
    also = [["fraud", "Deployment", "fraud", 1, 5], ["other", "Deployment", "stable", 1, 5]]
    bench.cluster.set(autoscalers=also)
    plan = bench.pipeline().plan("set-weight", REF, ASKED)
    assert plan.notes[-1].startswith("the autoscaler other sets the replicas of ml/deploy/stable")


@pytest.mark.parametrize("selector", [{"app": "other"}, {"app": "fraud", "track": "canary"}, {}])
def test_two_that_no_service_has_behind_it_are_not_weighed(bench: Bench, selector: dict[str, str]) -> None:
    """A Service without a selector has whatever somebody else puts behind it."""
    bench.cluster.set(services={"fraud": selector})
    pipeline = bench.pipeline()
    with pytest.raises(GateNotMet, match="no Service has the pods of both ml/deploy/fraud and ml/deploy/sta"):
        pipeline.execute(pipeline.plan("set-weight", REF, ASKED), YES)
    ended = pipeline.execute(pipeline.plan("set-weight", REF, {**ASKED, "share": 0}), YES)
    assert (ended.state, bench.cluster.get_workload(REF).replicas_wanted) == (State.VERIFIED, 0)


@pytest.mark.parametrize(
    ("share", "ready", "fix"),
    [(0.1, 3, "maestro scale ml/deploy/stable --replicas 9"), (0.05, 3, "--replicas 19"), (0.2, 3, None),
     (0.3, 3, None), (0.1, 9, None), (0.25, 1, "--replicas 3"), (0.9, 1, None)],
)  # fmt: skip
def test_a_share_that_whole_replicas_cannot_be_is_refused(
    bench: Bench, share: float, ready: int, fix: str | None
) -> None:
    bench.cluster.set(ready=ready)
    plan = bench.pipeline().plan("set-weight", REF, {**ASKED, "share": share})
    found = [reason.fix for reason in plan.objections if reason.code == "share-out-of-reach"]
    assert len(found) == (fix is not None)
    assert all(str(fix) in one for one in found)


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_only_deployments_are_weighed(bench: Bench, kind: str) -> None:
    with pytest.raises(UsageError, match="set-weight is not for a") as raised:
        bench.pipeline().plan("set-weight", WorkloadRef(kind, "ml", "fraud"), ASKED)
    assert raised.value.exit_code == 2


def test_a_rule_about_the_one_beside_it_holds_it_too(bench: Bench, tmp_path: Path) -> None:
    """Whoever may scale another one behind the Service could take the requests of one that is held."""
    policy = tmp_path / "policy.yaml"
    rule = "{name: stable, targets: ['ml/deploy/stable'], who: []}"
    policy.write_text(f"schema: maestro.policy/1\nrules: [{rule}]\n")
    pipeline = bench.pipeline(rules=load_policy(policy))
    with pytest.raises(PolicyRefused, match="the policy's rule 'stable'"):
        pipeline.execute(pipeline.plan("set-weight", REF, ASKED), YES)
    assert bench.cluster.marks == []

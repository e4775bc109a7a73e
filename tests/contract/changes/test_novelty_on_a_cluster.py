"""What a cluster's own controllers leave behind tells a new release from a restart, on both clusters."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from maestro_cli.changes.candidates.novelty import released_since
from maestro_cli.changes.model import Consent
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import GateNotMet
from maestro_cli.core.facts.cluster import Revision
from maestro_cli.core.refs import WorkloadRef
from tests.contract.changes.conftest import Pipeline
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.objects import deployment
from tests.contract.cluster.running import until
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.contract
WITHIN = {"only_if_released_within": 3600.0}


class TwoHoursLater(SystemClock):
    def now(self) -> datetime:
        return super().now() + timedelta(hours=2)


def ship(kubectl: Kubectl, release: int, replicas: int = 1) -> None:
    env = {"env": [{"name": "RELEASE", "value": str(release)}]}
    kubectl.apply(deployment("web", replicas=replicas, container_fields=env))
    rolled_out(kubectl)


def rolled_out(kubectl: Kubectl) -> None:
    kubectl("rollout", "status", "deployment/web", f"--timeout={PATIENCE_SECONDS:g}s")


def at_most_an_hour_old(changes: ChangePipeline, ref: WorkloadRef) -> bool:
    return not changes.plan("rollback", ref, WITHIN).objections


def newest(changes: ChangePipeline, ref: WorkloadRef) -> Revision:
    return max(changes.world.cluster.list_revisions(ref), key=lambda one: one.number)


def test_a_restart_a_scale_and_a_note_do_not_make_an_old_release_new(
    pipeline: Pipeline, kubectl: Kubectl, namespace: str
) -> None:
    ref = WorkloadRef("Deployment", namespace, "web")
    changes = pipeline("admin")
    ship(kubectl, 1)
    ship(kubectl, 2)
    released = newest(changes, ref)
    assert at_most_an_hour_old(changes, ref)

    kubectl("rollout", "restart", "deployment/web")
    rolled_out(kubectl)
    kubectl("scale", "deployment/web", "--replicas=2")
    kubectl("annotate", "deployment/web", "team.example/note=seen")
    rolled_out(kubectl)
    cluster = changes.world.cluster
    assert newest(changes, ref).number == released.number + 1
    since, why = released_since(cluster.get_workload(ref), cluster.list_revisions(ref), [])
    assert (since, why) == (
        released.created_at,
        "what it runs came with revision 2 (those after it differ in annotations alone),",
    )
    changes.clock = TwoHoursLater()
    plan = changes.plan("rollback", ref, WITHIN)
    with pytest.raises(GateNotMet, match="was released within 1h") as raised:
        changes.execute(plan, Consent(given=True))
    assert "came with revision 2" in raised.value.why
    assert changes.plan("rollback", ref, {**WITHIN, "to_revision": 1}).objections == ()


def test_a_release_that_came_back_is_dated_by_the_events_of_its_rollout(
    pipeline: Pipeline, kubectl: Kubectl, namespace: str
) -> None:
    ref = WorkloadRef("Deployment", namespace, "web")
    changes = pipeline("admin")
    for release in (1, 2, 1):
        ship(kubectl, release)
    cluster = changes.world.cluster
    revisions = cluster.list_revisions(ref)
    back = newest(changes, ref)
    assert back.created_at <= min(one.created_at for one in revisions), "its ReplicaSet is the first one"

    _, why = released_since(cluster.get_workload(ref), revisions, [])
    assert "no event tells when" in why
    until(lambda: "came back as revision 3" in told(changes, ref), "the events of the rollout to be recorded")


def told(changes: ChangePipeline, ref: WorkloadRef) -> str:
    cluster = changes.world.cluster
    events = cluster.list_events(ref.namespace)
    return released_since(cluster.get_workload(ref), cluster.list_revisions(ref), events)[1]

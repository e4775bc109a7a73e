"""Users of a service that is updated, broken and rerouted under them: what they lose, not what they wait."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.disturbance import Disturbance, Load, lost_without_a_kill
from tests.e2e.session import Session, eventually, platform_up

pytestmark = pytest.mark.e2e

RATE = 40.0
PATIENCE_SECONDS = 60.0  # late is not lost, on a busy machine
# From SIGKILL until the process is gone and the load balancer has heard of it, on a busy machine.
DYING_SECONDS = 5.0


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with platform_up(tmp_path_factory.mktemp("disturbed")) as session:
        yield session


def test_a_rolling_update_loses_no_request(session: Session) -> None:
    disturbance = Disturbance(session)
    with Load(disturbance.url, disturbance.key, RATE, patience_seconds=PATIENCE_SECONDS) as load:
        for _ in range(2):
            disturbance.start_rollout()
            disturbance.await_rollout()
            disturbance.await_only()
    assert len(load.requests) > 100
    assert [request for request in load.requests if request.is_lost] == []


def test_only_what_a_killed_replica_was_answering_is_lost_while_all_is_changed_at_once(
    session: Session,
) -> None:
    disturbance = Disturbance(session)
    with Load(disturbance.url, disturbance.key, RATE, patience_seconds=PATIENCE_SECONDS) as load:
        disturbance.await_only()
        for _ in range(3):
            before = disturbance.routing_in_force()
            disturbance.change_routing()
            eventually(disturbance.kill_a_replica)
            eventually(lambda before=before: disturbance.routing_in_force() not in ("", before))
            disturbance.await_only()
        disturbance.start_rollout()
        disturbance.await_rollout()
        disturbance.await_only()
    assert len(disturbance.kills) == 3
    assert len(load.requests) > 300
    assert lost_without_a_kill(load.requests, disturbance.kills, DYING_SECONDS) == []
    lost = sum(request.is_lost for request in load.requests)
    assert lost <= len(load.requests) / 100, f"{lost} of {len(load.requests)} requests were lost"

"""One process that performs, approves or recovers a change; the tests kill it.

`python -m tests.crash.changes.worker JOURNAL CLUSTER perform|recover|approve KEY ACTOR [KIND]`: CLUSTER is
the file of a fake cluster, or a kubeconfig (`*.kubeconfig`) of a real one; KIND is performed as in
`every_kind`. Prints the change or the error as JSON and exits as maestro would.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from maestro_cli.changes.approvals import Approvals
from maestro_cli.changes.model import Consent
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.policy import Policy
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import MaestroError
from maestro_cli.journal.store import Journal
from maestro_cli.sources.kube import KubeCluster
from tests.unit.changes.every_kind import example_of
from tests.unit.changes.fake_cluster import FakeCluster
from tests.unit.changes.some_world import SomeWorld


def world_at(place: str) -> SomeWorld:
    if place.endswith(".kubeconfig"):
        return SomeWorld(KubeCluster(ClusterEndpoint(kubeconfig=place)))
    return SomeWorld(FakeCluster(Path(place)))


def main(journal_path: str, place: str, action: str, key: str, actor: str, kind: str = "rollback") -> int:
    clock = SystemClock()
    journal = Journal(Path(journal_path), projections=[ChangesProjection()], clock=clock)
    policy = Policy(
        context="test",
        protected="guarded" in key,
        poll_seconds=0.02,
        verify_timeout_seconds=1.0 if "brief" in key else 60.0,
    )
    pipeline = ChangePipeline(journal, world_at(place), policy=policy, clock=clock, actor=actor)
    try:
        if action == "perform":
            example = example_of(kind)
            consent = Consent(given=True, typed_context="test")
            change = pipeline.perform(kind, example.ref, example.parameters, consent, key=key)
        elif action == "approve":
            approvals = Approvals(journal, pipeline.world, policy=policy, clock=clock, actor=actor)
            (waiting,) = approvals.list_waiting()
            change = approvals.approve(approvals.check(waiting.id))
        else:
            change = pipeline.recover(key)
    except MaestroError as error:
        print(json.dumps({"error": error.what, "why": error.why}))  # noqa: T201  # read by the test
        return int(error.exit_code)
    print(json.dumps({"id": change.id, "state": change.state.value}))  # noqa: T201  # read by the test
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

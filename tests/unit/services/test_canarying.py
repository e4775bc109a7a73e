"""A canary answers alone only once it has replicas enough that are ready."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maestro_cli.core.errors import GateNotMet
from maestro_cli.services.canarying import refuse_alone
from tests.unit.changes.fake_cluster import REF, FakeCluster, template


@pytest.mark.parametrize(
    ("ready", "wanted", "is_refused"),
    [(10, 10, False), (2, 10, True), (1, 10, True), (0, 3, True), (1, 0, False)],
    ids=["grown", "growing", "as many as are ready of the other", "none", "handed over"],
)
def test_ready_replicas_are_held_against_what_the_stable_one_shall_have(
    ready: int, wanted: int, is_refused: bool
) -> None:
    cluster = FakeCluster()
    cluster.ship(template(1), "release 1")
    found = cluster.get_workload(REF)
    canary = replace(found, replicas_wanted=10, replicas_ready=ready)
    stable = replace(found, replicas_wanted=wanted, replicas_ready=min(wanted, 1))
    if not is_refused:
        refuse_alone(canary, stable)
        return
    with pytest.raises(GateNotMet, match="would answer alone"):
        refuse_alone(canary, stable)

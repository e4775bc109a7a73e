"""A kubelet that somebody else stopped meanwhile is not let go on by the end of a fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.kinds.kind import ChangeKind
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.faults.fault import InForce
from maestro_cli.chaos.faults.kubelet_kinds import ResumeKubelet, StopKubelet
from maestro_cli.chaos.model import Candidate, FaultOrder, TargetRule
from maestro_cli.chaos.ports import EmbeddedHooks, Platform
from maestro_cli.journal.store import Journal
from tests.unit.changes.bench import POLICY, YES, TickingClock
from tests.unit.changes.fake_cluster import FakeCluster, template
from tests.unit.changes.fake_nodes import NODE
from tests.unit.changes.some_world import SomeWorld


@dataclass
class Kubelets:
    """A FAKE of what stops kubelets: for whom each is stopped."""

    stopped: dict[str, str] = field(default_factory=dict)
    with_pods: list[str] = field(default_factory=list)

    def stop_kubelet(self, node: str, seconds: float, note: str, *, with_pods: bool = False) -> None:
        self.stopped[node] = note
        self.with_pods += [node] if with_pods else []

    def resume_kubelet(self, node: str, note: str) -> None:
        if self.stopped.get(node) in ("", note):
            del self.stopped[node]

    def stopped_for(self, node: str) -> str | None:
        return self.stopped.get(node)


@pytest.fixture
def kubelets() -> Kubelets:
    return Kubelets()


@pytest.fixture
def stopped(tmp_path: Path, kubelets: Kubelets) -> Iterator[tuple[ChangePipeline, InForce]]:
    """The kubelet of node-a is stopped by a fault."""
    clock, cluster = TickingClock(), FakeCluster()
    cluster.ship(template(1), "release 1")
    journal = Journal(tmp_path / "journal.db", projections=[ChangesProjection()], clock=clock)
    hooks = cast(EmbeddedHooks, kubelets)
    own: tuple[ChangeKind, ...] = (StopKubelet(lambda: hooks), ResumeKubelet(lambda: hooks))
    world, kinds = SomeWorld(cluster), {**KINDS, **{one.name: one for one in own}}
    pipeline = ChangePipeline(journal, world, policy=POLICY, clock=clock, actor="ada", kinds=kinds)
    plan = pipeline.plan("stop-kubelet", NODE, {"seconds": 30.0})
    pipeline.execute(plan, YES)
    order = FaultOrder("it", "kubelet-stop", {}, TargetRule("ml", None, "app=fraud"))
    yield pipeline, InForce(order, (Candidate(NODE, "node-a-uid"),), (plan.id,), 30.0, 1)
    journal.close()


def residue(kubelets: Kubelets, fault: InForce) -> Any:
    platform = cast(Platform, SimpleNamespace(embedded=kubelets))
    return FAULTS["kubelet-stop"].residue(platform, fault)


@pytest.mark.parametrize("mark", ["", None])
def test_its_own_goes_on_and_one_that_names_nobody(
    stopped: tuple[ChangePipeline, InForce], kubelets: Kubelets, mark: str | None
) -> None:
    pipeline, fault = stopped
    kubelets.stopped[NODE.name] = fault.changes[0] if mark is None else mark
    assert residue(kubelets, fault) == ["the kubelet of node/node-a is stopped"]
    pipeline.take_back(fault.changes[0], cause="the end")
    assert kubelets.stopped == {}


def test_another_ones_stays_stopped_and_is_no_residue(
    stopped: tuple[ChangePipeline, InForce], kubelets: Kubelets
) -> None:
    pipeline, fault = stopped
    kubelets.stopped[NODE.name] = "drill"  # after the time of this fault was over
    assert residue(kubelets, fault) == []
    pipeline.take_back(fault.changes[0], cause="the end")
    assert kubelets.stopped == {NODE.name: "drill"}


def test_the_pods_of_a_node_stop_with_it_when_that_is_asked_for(
    stopped: tuple[ChangePipeline, InForce], kubelets: Kubelets
) -> None:
    pipeline, fault = stopped
    assert kubelets.with_pods == []
    pipeline.take_back(fault.changes[0], cause="the end")
    plan = pipeline.plan("stop-kubelet", NODE, {"seconds": 30.0, "pods": True})
    assert plan.undo is not None
    assert "with all its pods" in plan.summary
    assert "with all its pods" in plan.undo.summary
    pipeline.execute(plan, YES)
    assert kubelets.with_pods == [NODE.name]

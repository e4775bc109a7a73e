"""Which pods have to serve before a fault counts as over, and who is met whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.faults.fault import InForce
from maestro_cli.chaos.faults.pods import as_many_ready
from maestro_cli.chaos.guard.check import Chosen
from maestro_cli.chaos.guard.targets import Targets
from maestro_cli.chaos.model import Candidate, FaultOrder, TargetRule
from maestro_cli.chaos.ports import Platform
from maestro_cli.core.errors import ExitCode, GateNotMet, NotFound, UsageError
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.core.refs import ObjectRef, WorkloadRef
from maestro_cli.core.selectors import selector_matches

WEB = WorkloadRef("Deployment", "ml", "web")
CANARY = TargetRule("ml", WEB, "track=canary")
MADE = datetime(2026, 1, 1, tzinfo=UTC)


def pod(name: str, *, ready: bool = True, phase: str = "Running", **labels: str) -> Pod:
    return Pod(
        "ml", name, name, phase, ready, "node-a", "", MADE, False, "web-1", {"app": "web", **labels}, ()
    )


@dataclass
class FewPods:
    """A FAKE cluster: these pods, and the Deployment `web`, which wants so many (None: it is gone)."""

    pods: Sequence[Pod]
    wants: int | None = 4
    asked: list[str] = field(default_factory=list)

    def list_pods(self, namespace: str | None, *, selector: str = "") -> Sequence[Pod]:
        return [one for one in self.pods if selector_matches(selector, one.labels)]

    def get_pod(self, namespace: str, name: str) -> Pod:
        found = [one for one in self.pods if one.name == name]
        if not found:
            raise NotFound(f"pod {name} is gone")
        return found[0]

    def get_workload(self, ref: WorkloadRef) -> Any:
        if self.wants is None:
            raise NotFound(f"{ref} is gone")
        return SimpleNamespace(ref=ref, uid="web", selector="app=web", replicas_wanted=self.wants)


def platform(pods: Sequence[Pod], wants: int | None = 4) -> Platform:
    return cast(Platform, SimpleNamespace(cluster=FewPods(pods, wants)))


def in_force(rule: TargetRule, before: int, kind: str = "Pod") -> InForce:
    target = Candidate(ObjectRef(kind, "ml", "canary-0"), "uid")
    return InForce(FaultOrder("it", "pod-delete", {}, rule), (target,), ("chg-1",), 60.0, before)


STABLE = [pod(f"stable-{n}", track="stable") for n in range(3)]


def test_of_a_workload_and_labels_as_many_serve_as_did_before() -> None:
    there = platform([*STABLE, pod("canary-1", track="canary")])
    assert as_many_ready(there, in_force(CANARY, before=1)).holds is Holds.YES
    assert as_many_ready(there, in_force(CANARY, before=2)).holds is Holds.NOT_YET


def test_where_nodes_were_met_every_pod_with_the_labels_serves() -> None:
    rule = TargetRule("ml", None, "track=canary")
    over = pod("canary-0", ready=False, phase="Failed", track="canary")
    late = pod("canary-2", ready=False, phase="Pending", track="canary")
    well = platform([over, pod("canary-1", track="canary")])
    assert as_many_ready(well, in_force(rule, before=1, kind="Node")).holds is Holds.YES
    seen = as_many_ready(
        platform([pod("canary-1", track="canary"), late]), in_force(rule, before=1, kind="Node")
    )
    assert (seen.holds, seen.text) == (Holds.NOT_YET, "1 of 2 pods ready")
    assert as_many_ready(platform([]), in_force(rule, before=1, kind="Node")).holds is Holds.NOT_YET


@pytest.mark.parametrize("wants", [0, None])
def test_a_workload_that_wants_no_pod_or_is_gone_has_not_recovered(wants: int | None) -> None:
    fault = in_force(TargetRule("ml", WEB, ""), before=4)
    seen = as_many_ready(platform([], wants), fault)
    assert (seen.holds, seen.text) == (Holds.NOT_YET, "ml/deploy/web wants no pod any more")


@pytest.mark.parametrize(
    ("fault", "said"),
    [("scale-to-zero", {}), ("config-break", {"config_map": "settings", "key": "LEVEL", "value": "x"})],
)
def test_what_meets_the_whole_of_a_workload_takes_no_labels(fault: str, said: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="the whole of ml/deploy/web"):
        FAULTS[fault].candidates(platform(STABLE), FaultOrder("it", fault, said, CANARY))


@pytest.mark.parametrize(("serving", "limits", "met"), [(3, {}, None), (0, {}, 0), (3, {"b": 1}, 1)])
def test_scratch_space_without_a_limit_is_told_to_be_what_hinders_and_not_that_nothing_serves(
    serving: int, limits: dict[str, int], met: int | None
) -> None:
    platform: Any = SimpleNamespace(
        cluster=FewPods([pod(name) for name in "abc"[:serving]]),
        embedded=SimpleNamespace(scratch_bytes=lambda one: limits.get(one.name)),
    )
    order = FaultOrder("it", "pod-disk", {}, TargetRule("ml", None, "app=web"))
    if met is not None:
        assert len(FAULTS["pod-disk"].candidates(platform, order)) == met
        return
    with pytest.raises(GateNotMet, match="emptyDir that has a sizeLimit matches pods of ml") as told:
        FAULTS["pod-disk"].candidates(platform, order)
    assert "sizeLimit" in told.value.fix


def test_the_fix_of_what_hinders_a_fault_is_told_with_it() -> None:
    order = FaultOrder("it", "pod-disk", {}, TargetRule("ml", None, "app=web"))
    for fix, told in (("add a limit", "add a limit"), ("", "maestro chaos list --faults")):
        proposal: Any = SimpleNamespace(chosen=(Chosen(order, (), (), lacks="no limit", fix=fix),))
        answer = Targets().examine(proposal, cast(Any, None))
        assert (answer.exit_code, answer.fix) == (ExitCode.GATE_NOT_MET, told)

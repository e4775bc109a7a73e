"""What proves that a fault has an effect does not hold without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.changes.kinds.kind import Holds
from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.faults.fault import InForce
from maestro_cli.chaos.faults.figures import provable_cores
from maestro_cli.chaos.model import Candidate, Count, FaultOrder, TargetRule
from maestro_cli.chaos.ports import Asked, Platform
from maestro_cli.core.errors import GateNotMet, UsageError
from maestro_cli.core.facts.cluster import ClusterEvent
from maestro_cli.core.fault_leases import FILLED
from tests.unit.chaos.test_pods import FewPods, pod

LINKS: dict[str, dict[str, Any]] = {
    "link-latency": {"milliseconds": 300},
    "link-loss": {"share": 0.5},
    "link-bandwidth": {"bytes_per_second": 1000},
    "link-partition": {},
}
EVERY_LINK = pytest.mark.parametrize("name", LINKS)
WELL = (0.002,) * 8


@dataclass
class Way:
    """A FAKE way to the pods: each look takes so long; the last one stays."""

    looks: list[Sequence[float | None]]

    def round_trips(self, namespace: str, pods: Sequence[str], asked: Asked) -> Sequence[float | None]:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def active(self, pod: object) -> tuple[()]:
        return ()


def platform(*looks: Sequence[float | None], **cluster: Any) -> Platform:
    pods = FewPods([pod(f"web-{n}") for n in range(4)])
    for name, value in cluster.items():
        setattr(pods, name, value)
    return cast(Platform, SimpleNamespace(cluster=pods, embedded=Way(list(looks) or [WELL])))


def order_of(name: str, **said: Any) -> FaultOrder:
    rule = TargetRule("ml", None, "app=web", Count(number=1))
    return FaultOrder(name, name, {**LINKS.get(name, {}), **said}, rule)


def in_force(order: FaultOrder, pod_name: str = "web-0") -> InForce:
    target = Candidate(pod(pod_name).ref, pod_name)
    return InForce(order, (target,), ("chg-1",), 60.0, 4)


@EVERY_LINK
def test_that_nobody_answers_proves_a_partition_alone(name: str) -> None:
    seen = FAULTS[name].effect(platform((None,) * 8), in_force(order_of(name)))
    assert (seen.holds is Holds.YES) == (name == "link-partition"), seen.text


@EVERY_LINK
def test_what_nobody_answers_or_all_answer_late_has_not_recovered(name: str) -> None:
    silent = FAULTS[name].recovery(platform((None,) * 8), in_force(order_of(name)))
    assert silent.holds is Holds.NOT_YET, silent.text
    well = FAULTS[name].recovery(platform(WELL), in_force(order_of(name)))
    assert well.holds is Holds.YES, well.text


@EVERY_LINK
@pytest.mark.parametrize("before", [(None,) * 8, (0.9,) * 8])
def test_where_it_is_so_already_nothing_is_put_in(name: str, before: Sequence[float | None]) -> None:
    if name == "link-partition" and before[0] is not None:
        return
    with pytest.raises(GateNotMet, match="could not be told"):
        FAULTS[name].candidates(platform(before), order_of(name))


@EVERY_LINK
def test_one_look_that_was_slow_by_chance_keeps_none_from_it(name: str) -> None:
    found = FAULTS[name].candidates(platform((0.9, *WELL[1:]), (None, *WELL[1:]), WELL), order_of(name))
    assert [one.ref.name for one in found] == ["web-0", "web-1", "web-2", "web-3"]


@pytest.mark.parametrize("said", [{"milliseconds": 2000}, {"milliseconds": 1500, "jitter": 500}])
def test_a_latency_in_which_no_connection_comes_about_is_refused(said: dict[str, int]) -> None:
    order = order_of("link-latency", **said)
    with pytest.raises(UsageError, match="lets no connection"):
        FAULTS["link-latency"].steps(order, in_force(order).targets, 60.0)
    assert FAULTS["link-latency"].steps(order_of("link-latency"), in_force(order).targets, 60.0)


def test_what_an_earlier_fault_wrote_into_a_pod_proves_no_later_one() -> None:
    now, text = datetime(2026, 1, 1, tzinfo=UTC), "512 bytes of emptyDir cache, for chg-0"
    event = ClusterEvent("ml", "e-1", "Normal", FILLED, text, "Pod", "web-0", now, now, 1)
    fault, disk = in_force(order_of("pod-disk")), FAULTS["pod-disk"]

    def events(one: ClusterEvent) -> Platform:
        return platform(list_events=lambda namespace: [one])

    assert disk.effect(events(event), fault).holds is Holds.NOT_YET
    mine = replace(event, message="512 bytes of emptyDir cache, for chg-1")
    assert disk.effect(events(mine), fault).holds is Holds.YES


def test_a_little_load_wants_more_than_what_a_pods_own_work_varies_by() -> None:
    assert provable_cores(0.1) == 0.05
    assert provable_cores(4.0) == pytest.approx(0.4)

"""A fake of fault injection for drills; the real one is in tests/contract/serving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from maestro_cli.chaos.drills.faults import InjectedFault
from maestro_cli.chaos.drills.model import ReplicaFault
from maestro_cli.core.errors import GateNotMet, MaestroError
from maestro_cli.core.facts.cluster import Container, Pod
from maestro_cli.core.refs import WorkloadRef
from tests.unit.chaos.clock import FakeClock


class FakeFaults:
    """A fake of the replicas' fault injection, with what its servers recorded."""

    pod = "fraud-abc"

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.fault: InjectedFault | None = None
        self.failures: list[MaestroError] = []
        self.failures_to_end: list[MaestroError] = []
        self.ended_all = 0
        self.pods = {self.pod: "fraud-1"}  # ready ones, and the ReplicaSet of each
        self.starting: dict[str, str] = {}  # those that are not ready
        self.ill: list[str] = []
        self.restarts = 0
        self.hits: int | None = 40
        self.stops = True  # with its replica, when that is restarted
        self.ended_by = ""  # what is recorded, instead of what is true
        self.before_inject: Callable[[], None] | None = None

    def replicas(self, ref: WorkloadRef) -> list[Pod]:
        if not self.pods:
            raise GateNotMet("no ready pod")
        return [pod for pod in self.pods_of(ref) if pod.ready]

    def pods_of(self, ref: WorkloadRef) -> list[Pod]:
        container = Container("server", "image", True, self.restarts, "running")
        return [
            Pod(
                "ml",
                name,
                name,
                "Running",
                name in self.pods,
                "node-a",
                "10.0.0.1",
                self.clock.now(),
                False,
                owner,
                {},
                (container,),
            )
            for name, owner in sorted((self.pods | self.starting).items())
        ]

    def inject_in(self, pod: Pod, fault: ReplicaFault, note: str) -> None:
        self.ill.append(pod.name)

    def inject(self, ref: WorkloadRef, fault: ReplicaFault, note: str) -> str:
        if self.before_inject is not None:
            self.before_inject()
        if self.failures:
            raise self.failures.pop(0)
        now = self.clock.now()
        ends = now + timedelta(seconds=fault.seconds)
        self.fault = InjectedFault("flt-1", fault.kind, fault.model, fault.version, now, ends, "me", note)
        return self.pod

    def inject_everywhere(self, ref: WorkloadRef, fault: ReplicaFault, note: str) -> tuple[str, ...]:
        return (self.inject(ref, fault, note),)

    def end(self, because: str) -> None:
        assert self.fault is not None
        because = self.ended_by or because
        self.fault = replace(self.fault, ended=self.clock.now(), ended_because=because, hits=self.hits)

    def end_all(self, ref: WorkloadRef) -> None:
        if self.failures_to_end:
            raise self.failures_to_end.pop(0)
        self.ended_all += 1
        if self.is_on:
            self.end("kill-all")

    def recorded(self) -> tuple[InjectedFault, ...]:
        other = InjectedFault("flt-0", "hang", "", None, self.clock.now(), self.clock.now(), "x", "drl-other")
        return (other,) if self.fault is None else (other, self.fault)

    @property
    def is_on(self) -> bool:
        return self.fault is not None and self.fault.ended is None

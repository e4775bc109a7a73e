"""A theatre for drills: stage, cluster, metrics, faults and responders are fakes; the journal is real.

The same conductor on the real platform is in tests/e2e.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from maestro_cli.chaos.drills.conductor import Conductor
from maestro_cli.chaos.drills.model import Accused, Fix, Outcome, Scenario, Scorecard
from maestro_cli.chaos.drills.ports import Ensemble
from maestro_cli.chaos.drills.scenarios import find_scenario
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import MaestroError, StalePlan, TimedOut
from maestro_cli.core.facts.cluster import ConfigMap, Workload
from maestro_cli.core.facts.metrics import Instant, Sample
from maestro_cli.core.progress import Progress, Quiet
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.model import Answer, Confirm, Question
from maestro_cli.slo.objectives import Counters, Objective
from tests.unit.chaos.clock import FakeCancellation, FakeClock
from tests.unit.chaos.fake_faults import FakeFaults
from tests.unit.chaos.props import FakeObjects, FakeProps
from tests.unit.chaos.surroundings import FakeAlarms, FakeLoad, FakeNodes

SCENARIO = find_scenario("bad-release")
OBJECTIVE = Objective(
    "fraud-availability", "t", "fraud", 0.999, 2592000.0, Counters("requests", "errors"), {}
)
WELL = {"spec": {"containers": [{"name": "server", "args": ["--serve", "fraud=1"]}]}}


@dataclass
class FakeStage:
    up_already: bool = False
    calls: list[str] = field(default_factory=list)
    fails: MaestroError | None = None

    def is_up(self) -> bool:
        return self.up_already

    def up(self, progress: Progress, cancellation: Cancellation) -> None:
        self.calls.append("up")
        if self.fails:
            raise self.fails

    def down(self, progress: Progress) -> None:
        self.calls.append("down")


class FakeCluster:
    """A fake API server of one Deployment, with optimistic concurrency."""

    def __init__(self) -> None:
        self.template: Mapping[str, Any] = copy.deepcopy(WELL)
        self.revision = 1
        self.version = 1
        self.wanted = 3
        self.ready = 3
        self.routing = {"routing.yaml": "routes: {}"}
        self.numbers_revisions = True
        self.before_replace: Callable[[], None] | None = None
        self.failures: list[MaestroError] = []
        self.failures_to_read: list[MaestroError] = []
        self.replaced = 0

    def get_workload(self, ref: WorkloadRef) -> Workload:
        if self.failures_to_read:
            raise self.failures_to_read.pop(0)
        return self._workload(ref)

    def _workload(self, ref: WorkloadRef) -> Workload:
        return Workload(
            ref=ref, uid="u1", resource_version=str(self.version), generation=self.version,
            observed_generation=self.version, revision=self.revision, replicas_wanted=self.wanted, replicas=3,
            replicas_updated=3, replicas_ready=self.ready, replicas_available=3, paused=False,
            selector="app=fraud", created_at=datetime(2026, 1, 1, tzinfo=UTC), template=self.template,
        )  # fmt: skip

    def replace_template(
        self,
        ref: WorkloadRef,
        *,
        uid: str,
        resource_version: str,
        template: Mapping[str, Any],
        annotations: Mapping[str, str | None],
        dry_run: bool = False,
    ) -> Workload:
        if self.failures:
            raise self.failures.pop(0)
        if self.before_replace is not None:
            hook, self.before_replace = self.before_replace, None
            hook()
        if resource_version != str(self.version) or uid != "u1":
            raise StalePlan("the workload moved")
        self.replaced += 1
        self.template = template
        self.version += 1
        self.revision += self.numbers_revisions
        return self._workload(ref)

    def write_spec(
        self,
        ref: WorkloadRef,
        *,
        uid: str,
        resource_version: str,
        spec: Mapping[str, Any],
        annotations: Mapping[str, str | None],
        dry_run: bool = False,
    ) -> Workload:
        if self.failures:
            raise self.failures.pop(0)
        self.wanted = spec["replicas"]
        return self._workload(ref)

    def get_config_map(self, namespace: str, name: str) -> ConfigMap:
        if self.failures_to_read:
            raise self.failures_to_read.pop(0)
        return ConfigMap(
            namespace, name, "c1", "1", {key: Untrusted(text) for key, text in self.routing.items()}
        )

    def write_config_map(
        self,
        namespace: str,
        name: str,
        *,
        uid: str,
        resource_version: str,
        data: Mapping[str, str],
        annotations: Mapping[str, str | None],
        dry_run: bool = False,
    ) -> ConfigMap:
        if self.failures:
            raise self.failures.pop(0)
        assert all(type(text) is str for text in data.values())  # as what encodes it to JSON wants it
        self.routing = dict(data)
        return self.get_config_map(namespace, name)

    @property
    def is_well(self) -> bool:
        return bool(self.template["spec"] == WELL["spec"])


class FakeMetrics:
    """A fake Prometheus that knows four queries, and one more answer."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.rate: float | None = 50.0
        self.ratio: float | None = 0.0
        self.answer: float | None = None

    def query(self, promql: str, *, at: datetime | None = None) -> Instant:
        if promql.startswith("(sum(rate("):
            value = self.answer
        elif promql.startswith("sum(rate("):
            value = self.rate
        elif promql.startswith("max("):
            value = self.ratio
        elif "errors" in promql:
            value = self.clock.seconds
        else:
            value = 1000 + 50 * self.clock.seconds
        now = self.clock.now()
        return Instant(promql, now, () if value is None else (Sample({}, value, now),))


class FakeResponder:
    """A fake on-call engineer, who rolls back, or restarts where a fault is on, unless told otherwise."""

    def __init__(self, cluster: FakeCluster, faults: FakeFaults, nodes: FakeNodes, clock: FakeClock) -> None:
        self.cluster = cluster
        self.faults = faults
        self.nodes = nodes
        self.clock = clock
        self.awaited = ""
        self.asks: tuple[str, ...] = ()
        self.answers: dict[str, Answer | None] = {}
        self.alerts: tuple[str, ...] = ()
        self.incidents: tuple[str, ...] = ()
        self.young_incidents: tuple[str, ...] = ()  # began while the platform came up
        self.fails: BaseException | None = None
        self.detects = True
        self.fixes = True
        self.dismissed: list[str] = []
        self.closed: list[str] = []
        self.blames = faults.pod
        self.found = Outcome()

    def firing(self, ref: WorkloadRef) -> tuple[str, ...]:
        return self.alerts

    def open_incidents(self, ref: WorkloadRef, *, before: datetime | None = None) -> tuple[str, ...]:
        return self.incidents if before is not None else self.incidents + self.young_incidents

    def dismiss_since(self, ref: WorkloadRef, since: datetime, reason: str) -> None:
        if self.young_incidents:
            self.dismissed.append(reason)
            self.young_incidents = ()

    def dismiss_drills(self, ref: WorkloadRef, reason: str) -> None:
        self.dismissed.append(reason)

    def await_incident(
        self,
        refs: Sequence[WorkloadRef],
        alert: str,
        *,
        since: datetime,
        timeout_seconds: float,
        cancellation: Cancellation,
    ) -> str:
        self.awaited = alert
        if not self.detects:
            self.clock.sleep(timeout_seconds)
            raise TimedOut("no incident opened")
        self.clock.sleep(20)
        self.found = Outcome(incident="inc-1", detected_at=self.clock.now())
        return "inc-1"

    def respond(
        self, incident: str, *, confirm: Confirm, progress: Progress, cancellation: Cancellation
    ) -> None:
        if self.fails is not None:
            raise self.fails
        self.clock.sleep(10)
        now = self.clock.now()
        for step in self.asks:
            self.answers[step] = confirm(Question("run-1", step, "manual", "do it", "by hand", step))
        if self.nodes.stopped or self.nodes.shut:
            self._drain(now)
            return
        if self.faults.fault is not None:
            self._restart(now)
            return
        self.found = replace(
            self.found, triaged_at=now, suspect_kind="release", suspect_subject=str(SCENARIO.target),
            suspect_revision=self.cluster.revision,
            suspects=(Accused("release", str(SCENARIO.target), self.cluster.revision, 0.9),),
        )  # fmt: skip
        if self.fixes:
            workload = self.cluster.get_workload(SCENARIO.target)
            self.cluster.replace_template(
                SCENARIO.target,
                uid="u1",
                resource_version=workload.resource_version,
                template=WELL,
                annotations={},
            )
            self.found = replace(
                self.found, fixes=(Fix("rollback", str(SCENARIO.target), verified=True),),
                mitigated_at=now, resolved_at=now, postmortem="pm.md",
            )  # fmt: skip

    def _restart(self, now: datetime) -> None:
        pod = f"pod {SCENARIO.target.namespace}/{self.blames}"
        self.found = replace(self.found, triaged_at=now, suspect_kind="pod", suspect_subject=pod)
        if self.fixes:
            if self.faults.stops:
                self.faults.end("stopped")
            self.clock.sleep(5)
            self.found = replace(
                self.found, fixes=(Fix("restart", str(SCENARIO.target), verified=True),),
                mitigated_at=self.clock.now(), resolved_at=self.clock.now(), postmortem="pm.md",
            )  # fmt: skip

    def _drain(self, now: datetime) -> None:
        """Close the node, and open it again once a person has started it."""
        node = self.nodes.hosts[0]
        self.found = replace(self.found, triaged_at=now, suspect_kind="node", suspect_subject=f"node {node}")
        if self.fixes and not self.nodes.stopped:
            self.nodes.shut.clear()
            self.found = replace(
                self.found, fixes=(Fix("drain", f"node/{node}", verified=True),), mitigated_at=now,
                resolved_at=now, postmortem="pm.md", steps=("node-failure/repair",),
            )  # fmt: skip

    def outcome(self, incident: str) -> Outcome:
        return self.found

    def close(self, incident: str, reason: str) -> None:
        self.closed.append(incident)


class Theatre:
    """Everything a drill needs, of which only the journal is real."""

    def __init__(self, path: Path, scenario: Scenario = SCENARIO) -> None:
        self.scenario = scenario
        self.clock = FakeClock()
        self.stage = FakeStage()
        self.cluster = FakeCluster()
        self.metrics = FakeMetrics(self.clock)
        self.faults = FakeFaults(self.clock)
        self.nodes = FakeNodes()
        self.objects = FakeObjects()
        self.props = FakeProps()
        self.load = FakeLoad()
        self.alarms = FakeAlarms()
        self.experiments: Any = None  # but in tests of drills that are experiments
        self.responder = FakeResponder(self.cluster, self.faults, self.nodes, self.clock)
        self.journal = Journal(path, clock=self.clock)
        self.cancellation = FakeCancellation(self.clock)
        self.progress: Progress = Quiet()

    @property
    def ensemble(self) -> Ensemble:
        return Ensemble(
            self.journal, self.cluster, self.metrics, self.responder, self.faults, self.nodes, self.objects,
            self.props, self.load, self.alarms, self.experiments,
        )  # fmt: skip

    def run(self, *, keep: bool = False) -> Scorecard:
        conductor = Conductor(
            self.stage,
            lambda: self.ensemble,
            {self.scenario.objective or "": OBJECTIVE},
            clock=self.clock,
            actor="tester",
        )
        return conductor.run(self.scenario, keep=keep, progress=self.progress, cancellation=self.cancellation)

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.journal.events()]

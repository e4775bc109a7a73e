"""Experiments against a FAKE cluster and FAKE servers, by the real use case, pipeline, journal and child.

What Prometheus says is in a file, as is what the servers have: a test, or what the servers do, changes it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from maestro_cli.changes.kinds import KINDS
from maestro_cli.changes.left import Left
from maestro_cli.changes.model import Consent
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.policy import Policy
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.chaos.experiments.reading import experiment_of
from maestro_cli.chaos.faults import fault_kinds
from maestro_cli.chaos.history import unfinished_runs
from maestro_cli.chaos.model import Experiment
from maestro_cli.chaos.ports import ActiveFault, EmbeddedHooks
from maestro_cli.chaos.projection import ExperimentsProjection
from maestro_cli.chaos.running import Means, RunReport, Wanted, run
from maestro_cli.chaos.sweeping import Swept, sweep
from maestro_cli.config.experiments import ExperimentRules
from maestro_cli.config.strict import Document
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import NotFound, Refused, Unreachable
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.core.verdict import Verdict
from maestro_cli.journal.store import Journal
from maestro_cli.slo.measuring.stretch import Spent
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.slo_gate import GateAnswer
from tests.contract.chaos.performed import action, probe, python
from tests.unit.changes.fake_cluster import FakeCluster, template
from tests.unit.changes.some_world import SomeWorld
from tests.unit.chaos.no_regions import NoRegions

ACTIONS, PROBES = "maestro_cli.chaos.actions", "maestro_cli.chaos.probes"
WELL = {"ratio": 0.5, "stop": 0.0}


class FakeServers:
    """What model servers have, and Prometheus says, in a file; `script`: what a start and an end do.

    `start` and `end` are new values of queries; `refuse`: a start is refused, `stuck`: an end does nothing,
    `idle`: no request is met.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.exists():
            self.write({"faults": [], "ever": [], "values": WELL, "script": {}, "ends": []})

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._path.read_text())
        return found

    def write(self, state: Mapping[str, Any]) -> None:
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps(state))
        beside.replace(self._path)

    def script(self, **script: Any) -> None:
        self.write({**self.read(), "script": script})

    def say(self, **values: Any) -> None:
        state = self.read()
        self.write({**state, "values": {**state["values"], **values}})

    def value(self, query: str) -> float | None:
        found = self.read()["values"].get(query)
        while found == "hang":
            time.sleep(0.01)
            found = self.read()["values"].get(query)
        if found in ("timeout", "500"):
            raise Unreachable(f"Prometheus does not answer: {found}")
        return None if found is None else float(found)

    def active(self, pod: Pod) -> Sequence[ActiveFault]:
        state = self.read()
        hits = 0 if state["script"].get("idle") else 5
        mine = [one for one in state["faults"] if one["pod"] == pod.name]
        return [ActiveFault(one["note"], "latency", one["note"], hits) for one in mine]

    def start(self, pod: Pod, order: Mapping[str, Any]) -> None:
        state = self.read()
        if state["script"].get("refuse"):
            raise Refused("takes no such fault")
        values = {**state["values"], **state["script"].get("start", {})}
        made = {"pod": pod.name, "note": order["note"]}
        faults, ever = [*state["faults"], made], [*state["ever"], made]
        self.write({**state, "faults": faults, "ever": ever, "values": values})

    def end(self, pod: Pod, fault: str) -> None:
        state = self.read()
        if fault not in {one["note"] for one in state["faults"]}:
            raise NotFound("no such fault")
        values = {**state["values"], **state["script"].get("end", {})}
        stuck = state["script"].get("stuck")
        left = [one for one in state["faults"] if stuck or one["note"] != fault]
        self.write({**state, "faults": left, "values": values, "ends": [*state["ends"], time.monotonic()]})

    @property
    def in_force(self) -> int:
        return len(self.read()["faults"])


@dataclass(frozen=True)
class LabWorld(NoRegions, SomeWorld):
    server_faults: Any = None
    mesh: Any = None

    @property
    def embedded(self) -> EmbeddedHooks:
        raise NotFound("context lab is not the embedded platform")


@dataclass
class Lab:
    """Satisfies chaos.ports.Surroundings besides."""

    folder: Path
    rules: ExperimentRules | None = field(
        default_factory=lambda: ExperimentRules(namespaces=["ml"], cap="50%")
    )
    grave: Sequence[str] = ()
    budget: Verdict = Verdict.PASS
    policy: Policy = field(default_factory=lambda: Policy("test", poll_seconds=0.02))
    objectives: Mapping[str, Objective] = field(default_factory=dict)
    left: Mapping[str, Left] = field(default_factory=dict)
    serving: Callable[[Path], FakeServers] = FakeServers
    has_cluster: bool = True
    spent_by: Callable[[Objective], Spent] = lambda objective: Spent(None, "no data")
    left_later: Mapping[str, Left] = field(default_factory=dict)
    asked_spent: list[tuple[str, datetime, datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = SystemClock()
        self.servers = self.serving(self.folder / "servers.json")
        self.journal = Journal(
            self.folder / "journal.db",
            projections=[ChangesProjection(), ExperimentsProjection()],
            clock=self.clock,
        )
        self.cluster = FakeCluster()  # each process has one alike: faults of servers leave it as it is
        self.cluster.ship(template(1), "release 1")
        self.world = self.made_world()
        self.pipeline = ChangePipeline(
            self.journal, self.world, policy=self.policy, clock=self.clock, actor="ana",
            kinds={**KINDS, **fault_kinds(self.world)},
        )  # fmt: skip

    def made_world(self) -> LabWorld:
        return LabWorld(self.cluster, server_faults=self.servers, objectives=self.objectives, left=self.left)

    def grave_incidents(self, namespaces: Sequence[str]) -> Sequence[str]:
        return self.grave

    def budget_gate(self, objectives: Sequence[str]) -> GateAnswer:
        return GateAnswer(self.budget, tuple((name, "as the test says") for name in objectives))

    def value(self, query: str) -> float | None:
        return self.servers.value(query)

    def spent(self, objective: Objective, began: datetime, ended: datetime) -> Spent:
        self.asked_spent.append((objective.name, began, ended))
        return self.spent_by(objective)

    def left_after(self, objective: Objective) -> Left:
        return self.left_later.get(objective.name, Left(None, "nobody says"))

    def value_elsewhere(self, query: str) -> float | None:
        raise NotFound("the lab is one region")

    def other_region_ails(self) -> str:
        raise NotFound("the lab is one region")

    def failover_service(self) -> str:
        raise NotFound("the lab is one region")

    def others(self) -> Sequence[str]:
        return unfinished_runs(self.journal)

    @property
    def means(self) -> Means:
        return Means(self.journal, self.world, self.pipeline, self, self.clock, "ana", self.folder / "runs")

    def run(
        self, experiment: Experiment, *, yes: bool = True, cancellation: Cancellation | None = None
    ) -> RunReport:
        wanted = Wanted(experiment, 7, Consent(given=yes))
        return run(self.means, wanted, cancellation=cancellation)

    def sweep(self) -> tuple[Swept, ...]:
        return sweep(self.journal, self.world, self.pipeline, self.clock)

    def kinds(self) -> list[str]:
        """Kinds of what the journal has, in order."""
        return [event.kind for event in self.journal.events()]


def data(fault: str = "server-latency", *, hold: float = 0.5, **ours: Any) -> dict[str, Any]:
    """An experiment of one fault; `ours` replaces parts of the extension."""
    parameters = {"milliseconds": 100} if fault == "server-latency" else {}
    declared = {
        "name": "maestro",
        "duration": "20s",
        "target": {"workload": "ml/deploy/fraud"},
        "faults": [{"name": "it", "fault": fault, "parameters": parameters}],
        "stop": [{"query": "stop", "when": "> 0.5"}],
        "steady_state": {"every": "100ms"},
        "recovery": "2s",
        **ours,
    }
    return {
        "title": "t",
        "description": "d",
        "extensions": [declared],
        "steady-state-hypothesis": {
            "title": "well",
            "probes": [
                probe("ratio", python(PROBES, "value", query="ratio"), {"type": "range", "range": [0, 1]})
            ],
        },
        "method": [
            action("inject", python(ACTIONS, "inject", fault="it")),
            action("hold", python(ACTIONS, "hold", seconds=hold)),
            action("undo", python(ACTIONS, "undo")),
            action("recovered", python(ACTIONS, "recovered")),
        ],
        "rollbacks": [action("undo again", python(ACTIONS, "undo"))],
    }


def experiment(given: Mapping[str, Any]) -> Experiment:
    return experiment_of(Document("lab.yaml", dict(given)))

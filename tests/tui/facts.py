"""What the console shows in the snapshots: a bad release of the model `fraud`, one night at three.

Every screen has its facts in FACTS, by the screen's id, under the keys of the place that PLACES names. Some
of the text is hostile: it must come out as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from maestro_cli.changes.candidates.model import Candidate, Judged, Kept, Standing, Track
from maestro_cli.changes.rollouts import Rollout, RolloutPod, RolloutRevision, Stage
from maestro_cli.chaos.drills.history import Scored
from maestro_cli.chaos.drills.scenarios import SCENARIOS
from maestro_cli.core.facts.alerts import Silence
from maestro_cli.core.facts.endpoints import EndpointCheck
from maestro_cli.core.facts.inspection import Description, ObjectCondition, ObjectText, OwnedObject
from maestro_cli.core.facts.inventory import NodeLine, PodLine, WorkloadLine
from maestro_cli.core.facts.logs import Dropped, Joined, Left, LogLine
from maestro_cli.core.matchers import Matcher
from maestro_cli.core.refs import WorkloadRef, ref_of
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.journal.model import Event
from maestro_cli.output.renderers.contexts import Finding
from maestro_cli.runbooks.playbooks.model import Playbook, PlaybookStep
from maestro_cli.runbooks.reader import parse_runbook
from maestro_cli.services.served_models import ServedVersion
from maestro_cli.services.service_health import ServiceHealth
from maestro_cli.slo.burning import Burning
from maestro_cli.slo.objectives import Counters, Objective
from maestro_cli.tui.feeds.experiments import FollowedRun
from maestro_cli.tui.feeds.tail import Tail
from maestro_cli.tui.screens.logs import LogsAsked
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.records import Examined, Rehearsed
from maestro_cli.tui.screens.runbooks import Shelved
from maestro_cli.tui.store.model import FactKey
from tests.tui.cases import NOW, pod
from tests.tui.facts_of_changes import CHANGES
from tests.tui.facts_of_costs import spent
from tests.tui.facts_of_experiments import RUN_AT_WORK, STAGED
from tests.tui.facts_of_incidents import INCIDENT_ROWS, OVERVIEW, RUNS, STORY
from tests.tui.facts_of_objectives import kept_objectives
from tests.tui.facts_of_sla import sla_made
from tests.tui.facts_of_spending import (
    budgets_of_month,
    one_budget,
    outlook,
    rightsizing,
    unit_costs,
)
from tests.tui.made import made

HOSTILE = "a\x1b[31mred [b]bold[/b] \u202etxt.exe\u200b \x07 \ufdfd 한국어 \U0001f469\u200d\U0001f469"
FRAUD = WorkloadRef("Deployment", "ml", "fraud")
SITE = "prod"


def ago(**how: float) -> Any:
    return NOW - timedelta(**how)


def pods() -> tuple[PodLine, ...]:
    lines = [pod(f"fraud-{n}", health="bad" if n == 2 else "good", status="Running") for n in range(4)]
    return (*lines, pod("hostile", status=HOSTILE, health="warn"), pod("쿠버네티스-0", namespace="shop"))


def workloads() -> tuple[WorkloadLine, ...]:
    return tuple(
        made(
            WorkloadLine, ref=WorkloadRef("Deployment", "ml", name), status=status, health=health,
            revision=str(n), desired=3, ready=3 - n, updated=3, available=3 - n, created_at=ago(hours=30 * n),
            images=(f"registry/{name}:{n}",), uid=f"uid-{name}", cause=cause,
        )
        for n, (name, status, health, cause) in enumerate(
            [
                ("embeddings", "complete", "good", ""),
                ("fraud", "rolling", "bad", "retrained fraud model 2"),
                ("hostile", "stalled", "warn", HOSTILE),
            ]
        )
    )  # fmt: skip


def rollout() -> Rollout:
    def replica(n: int, state: str) -> RolloutPod:
        return RolloutPod(f"fraud-{n}", state, state == "Running", n, f"node-{n}", "" if n else HOSTILE)

    revisions = (
        RolloutRevision(
            2, "fraud-5bp", True, ("registry/fraud:2",), (replica(0, "Running"), replica(1, "Pending"))
        ),
        RolloutRevision(1, "fraud-skm", False, ("registry/fraud:1",), (replica(2, "Running"),)),
    )
    return Rollout(
        FRAUD, Stage.ROLLING, "1 of 3 updated", "two replicas are not ready", 3, 1, 2, 2, revisions
    )


def revisions() -> tuple[Candidate, ...]:
    def track(bad: float) -> Track:
        kept = (Kept("fraud-availability", 0.001, 18177.0, bad), Kept("fraud-latency", 0.01, 18177.0, 0.0))
        return Track(((ago(hours=2), ago(hours=1)),), 3600.0, kept)

    said = "18.85% of 18177 were bad, 0.10% may be"
    bad = made(
        Candidate, judged=Judged(2, Standing.BAD, said), is_current=True, images=("registry/fraud:2",),
        change_cause="retrained fraud model 2", track=track(3426.0), p95_seconds=0.0049,
        models=(Untrusted("fraud=2@3d0ba856fa28"),),
    )  # fmt: skip
    good = made(
        Candidate, judged=Judged(1, Standing.GOOD, "it answered well for 1h00m"), is_target=True,
        images=("registry/fraud:1",), change_cause=HOSTILE, track=track(0.0), p95_seconds=0.0048,
        differs=((Untrusted("containers[server].args[7]"), Untrusted("fraud=2"), Untrusted("fraud=1")),),
    )  # fmt: skip
    return bad, good


def nodes() -> tuple[NodeLine, ...]:
    return tuple(
        made(
            NodeLine, name=f"node-{letter}", status=status, health=health, zone=f"zone-{letter}",
            version="v1.37.2", created_at=ago(days=30), changed_at=ago(minutes=4), ip="10.0.0.1", cpu="8",
            memory="32Gi", pods="110", taints=taints, message=message, uid=f"uid-{letter}",
        )
        for letter, status, health, taints, message in [
            ("a", "Ready", "good", (), ""),
            ("b", "NotReady", "bad", ("node.kubernetes.io/unreachable",), HOSTILE),
            ("c", "Ready", "good", ("dedicated=gpu:NoSchedule",), ""),
        ]
    )  # fmt: skip


def description() -> Description:
    set_ = ref_of("ReplicaSet", "ml", "fraud-5bp")
    held = OwnedObject(ref_of("Pod", "ml", "fraud-0"), "u1", "bad", "CrashLoopBackOff", "0/1 ready, node-a")
    return made(
        Description, ref=FRAUD, uid="uid-fraud", created_at=ago(days=3), labels={"app": "fraud"},
        annotations={"note": HOSTILE}, line=workloads()[1],
        conditions=(
            ObjectCondition("Available", "True", "good", "MinimumReplicasAvailable", "", ago(days=2)),
            ObjectCondition("Progressing", "False", "bad", "DeadlineExceeded", HOSTILE, ago(minutes=9)),
        ),
        owned=(OwnedObject(set_, "u0", "bad", "revision 2", "1/3 ready", (held,)),),
        missing=("events",),
    )  # fmt: skip


def services() -> tuple[ServiceHealth, ...]:
    def points(*values: float | None) -> Any:
        return tuple((ago(minutes=len(values) - n), value) for n, value in enumerate(values))

    level = [50.0] * 20
    return (
        ServiceHealth(
            "fraud", FRAUD, points(*level, 48, 51, None, None, 50, 52, 49, 50, 51, 50),
            points(*[0.0] * 20, 0.0, 0.02, None, None, 0.11, 0.18, 0.19, 0.19, 0.18, 0.19),
            points(*[0.005] * 26, 0.006, 0.005, 0.005, 0.006), burning(),
        ),
        ServiceHealth("search [b]x[/b]", None, (), (), (), ()),
    )  # fmt: skip


def burning() -> tuple[Burning, ...]:
    def objective(name: str, target: float) -> Objective:
        return made(
            Objective, name=name, title=f"{name} holds", service="fraud", target=target,
            window_seconds=2592000.0, indicator=Counters("requests_total", 'requests_total{code=~"5.."}'),
        )  # fmt: skip

    seconds = (300.0, 1800.0, 3600.0, 7200.0, 21600.0, 86400.0, 259200.0)
    return (
        Burning(objective("fraud-availability", 0.999), dict.fromkeys(seconds, 191.0), 0.31),
        Burning(objective("fraud-latency", 0.99), dict.fromkeys(seconds, 0.0), 1.0),
    )


def models() -> tuple[ServedVersion, ...]:
    return (
        made(
            ServedVersion, namespace="ml", workload="fraud", model="fraud", version="2", replicas=1,
            digests=("3d0ba856fa28e3ad",), rate=16.5, share=0.33, error_ratio=0.19, p95_seconds=0.0049,
            wrong_ratio=0.24,
        ),
        made(
            ServedVersion, namespace="ml", workload="fraud", model="fraud", version="1", replicas=2,
            digests=("aed714bbe4d7", "0000beef"), rate=33.1, share=0.67, error_ratio=0.0, p95_seconds=0.0048,
            cache_hit_ratio=0.41, shadow_agreement=0.98,
        ),
    )  # fmt: skip


def log() -> Tail:
    lines = [
        Joined("fraud-0", "server"), Joined("fraud-1", "server"),
        LogLine("fraud-0", "server", NOW, '{"level": "error", "message": "inference failed", "status": 500}'),
        LogLine("fraud-1", "server", NOW, "2026-11-26T03:00:00Z WARN slow [b]bold[/b] took 412 ms"),
        Dropped(17, NOW), LogLine("fraud-0", "server", NOW, HOSTILE, True),
        Left("fraud-1", "server", "it ended"),
    ]  # fmt: skip
    return Tail(0, tuple(lines))


def silences() -> tuple[Silence, ...]:
    return tuple(
        made(
            Silence, id=f"5f0b-{n}", matchers=(Matcher("alertname", "ErrorBudgetBurn", False, True),),
            starts_at=ago(hours=1),
            ends_at=NOW + timedelta(hours=n), created_by="ann", comment=comment, state="active",
        )
        for n, comment in enumerate(("the release is being rolled back", HOSTILE), 1)
    )  # fmt: skip


def events() -> tuple[Event, ...]:
    kinds = (
        "incident.opened",
        "incident.signal",
        "incident.acknowledged",
        "change.planned",
        "change.applied",
    )
    return tuple(
        Event(
            n, f"2026-11-26T02:5{n}:00.000000Z", kind, f"incident/inc-{n}", "ann", {"note": HOSTILE}, "0", "1"
        )
        for n, kind in reversed(list(enumerate(kinds, 1)))
    )


def doctor() -> Examined:
    findings = (
        Finding("version", "maestro", True, "0.1.0", ""),
        Finding("program", "kubectl", False, "not found", "install it"),
    )
    checks = (
        EndpointCheck("Prometheus", "https://prometheus", True, "3.5.0", 0.012, "", ""),
        EndpointCheck("Alertmanager", "https://alerts", False, "", 0.0, HOSTILE, "look at the network"),
    )
    return Examined(findings, checks)


def drills() -> tuple[Rehearsed, ...]:
    named = (
        ("bad-release", "A bad release of the fraud model", Scored("drl-1", "", True, (), "")),
        (
            "chaos/lost-node",
            "A machine hangs",
            Scored("drl-2", "", False, ("the wrong fix was made",), "PASS"),
        ),
        ("hostile", HOSTILE, None),
    )
    return tuple(
        Rehearsed(replace(SCENARIOS[0], name=name, title=title, description=title), score)
        for name, title, score in named
    )


BOOK = """---
maestro: runbook/v1
id: high-error-rate
title: A deployment answers with errors
alerts: [ErrorBudgetBurn]
---

# A deployment answers with errors

Look first.

```promql {id=errors title="errors are high" expect="> 0.01"}
sum(rate(requests_total[1m]))
```

```change {id=rollback title="roll it back" needs=errors}
kind: rollback
target: deploy/fraud
namespace: ml
```
"""


def shelved() -> Shelved:
    return Shelved(parse_runbook(BOOK, "runbooks/high-error-rate.md"), ())


def playbook() -> Playbook:
    step = made(PlaybookStep, runbook="high-error-rate", values={"NAMESPACE": "{{ labels.namespace }}"})
    return made(
        Playbook, id="high-error-rate", title="Roll back a release that answers with errors", steps=(step,),
        file="playbooks/high-error-rate.yaml", severity="sev2", mode="suggest",
        incident_title="{{ labels.deployment }} answers with errors",
    )  # fmt: skip


YAML = """kind: Deployment
metadata:
  name: fraud
  annotations:
    note: "a\x1b[31m [b]x[/b]"
spec:
  replicas: 3
"""

ABOUT = str(FRAUD)
PLACES: Mapping[str, Place] = {
    "service": Place("service", "fraud", SITE),
    "rollout": Place("rollout", ABOUT, SITE),
    "revisions": Place("revisions", ABOUT, SITE),
    "describe": Place("describe", ABOUT, SITE),
    "yaml": Place("yaml", ABOUT, SITE),
    "logs": Place("logs", ABOUT, SITE),
    "change": Place("change", CHANGES[0].id, SITE),
    "objective": Place("objective", "fraud-availability", SITE),
    "cost-budget": Place("cost-budget", "ml", SITE),
    "sizing": Place("sizing", "ml/deploy/fraud", SITE),
    "incident": Place("incident", "#2", SITE),
    "run": Place("run", RUNS[0].id, SITE),
    "runbook": Place("runbook", "high-error-rate", SITE),
    "playbook": Place("playbook", "high-error-rate", SITE),
    "experiment": Place("experiment", STAGED[0].name, SITE),
    "experiment-run": Place("experiment-run", RUN_AT_WORK.id, SITE),
}  # where a screen is about something; the others are about the whole scope


@dataclass(frozen=True)
class Shown:
    """What a screen renders: a feed with its argument, and what it read."""

    feed: str
    argument: str
    read: Callable[[], Any]

    def __call__(self) -> Mapping[FactKey, Any]:
        return {FactKey(self.feed, SITE, self.argument): self.read()}


FACTS: Mapping[str, Shown] = {
    "incidents": Shown("incidents", "", lambda: INCIDENT_ROWS),
    "services": Shown("services", "", services),
    "service": Shown("services", "", services),
    "objectives": Shown("objectives", "", lambda: kept_objectives(HOSTILE)),
    "objective": Shown("objective", "fraud-availability", lambda: kept_objectives(HOSTILE)[0]),
    "sla": Shown("sla", "", lambda: sla_made(HOSTILE)),
    "cost": Shown("cost", "", lambda: spent(HOSTILE)),
    "unit-costs": Shown("unit-costs", "", lambda: unit_costs(HOSTILE)),
    "cost-budgets": Shown("cost-budgets", "", lambda: budgets_of_month(HOSTILE)),
    "cost-budget": Shown("cost-budget", "ml", lambda: one_budget(HOSTILE)),
    "forecast": Shown("cost-forecast", "", lambda: outlook(HOSTILE)),
    "rightsizing": Shown("rightsizing", "", lambda: rightsizing(HOSTILE)),
    "sizing": Shown("sizing", "ml/deploy/fraud", lambda: rightsizing(HOSTILE)),
    "workloads": Shown("workloads", "", workloads),
    "rollout": Shown("rollout", ABOUT, rollout),
    "revisions": Shown("revisions", ABOUT, revisions),
    "pods": Shown("pods", "", pods),
    "nodes": Shown("nodes", "", nodes),
    "describe": Shown("description", ABOUT, description),
    "yaml": Shown("yaml", ABOUT, lambda: ObjectText(FRAUD, Untrusted(YAML), ("data.password",))),
    "logs": Shown("logs", str(LogsAsked(ABOUT)), log),
    "models": Shown("models", "", models),
    "changes": Shown("changes", "", lambda: CHANGES),
    "change": Shown("change", CHANGES[0].id, lambda: CHANGES[0]),
    "silences": Shown("silences", "", silences),
    "status": Shown("status", "", lambda: OVERVIEW),
    "journal": Shown("journal", "", events),
    "doctor": Shown("doctor", "", doctor),
    "drills": Shown("drills", "", drills),
    "incident": Shown("incident", "#2", lambda: STORY),
    "runs": Shown("runs", "", lambda: RUNS),
    "run": Shown("run", RUNS[0].id, lambda: RUNS[0]),
    "runbooks": Shown("runbooks", "", lambda: (shelved(),)),
    "runbook": Shown("runbook", "high-error-rate", shelved),
    "playbooks": Shown("playbooks", "", lambda: (playbook(),)),
    "playbook": Shown("playbook", "high-error-rate", playbook),
    "experiments": Shown("experiments", "", lambda: STAGED),
    "experiment": Shown("experiment", STAGED[0].name, lambda: STAGED[0]),
    "experiment-runs": Shown("experiment-runs", "", lambda: [run for one in STAGED for run in one.runs]),
    "experiment-run": Shown("experiment-run", RUN_AT_WORK.id, lambda: FollowedRun(RUN_AT_WORK)),
}

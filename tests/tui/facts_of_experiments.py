"""Experiments of the snapshots: one at work, one that failed, one whose file is refused."""

from __future__ import annotations

from maestro_cli.chaos.history import ExperimentRun, FaultRecord
from maestro_cli.chaos.model import Count, Experiment, FaultOrder, Guarded, StopCondition, TargetRule
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.tui.feeds.experiments import Staged
from tests.tui.made import made

FRAUD = TargetRule("ml", WorkloadRef("Deployment", "ml", "fraud"), "", Count(number=1))
INJECT = {
    "type": "python", "module": "maestro_cli.chaos.actions", "func": "inject",
    "arguments": {"fault": "one replica"},
}  # fmt: skip
HOSTILE = "the error ratio \x1b[31mrose [b]x[/b] \u202egnp"


def experiment(name: str, fault: str, title: str) -> Experiment:
    return made(
        Experiment, name=name, title=title, file=f"playbooks/chaos/{name}.yaml", digest="27e7",
        document={
            "steady-state-hypothesis": {"title": "fraud is well", "probes": [{"name": "errors are rare"}]},
            "method": [{"type": "action", "name": "slow one replica down", "provider": INJECT}],
        },
        guarded=Guarded(
            faults=(FaultOrder("one replica", fault, {}, FRAUD),), duration_seconds=60.0,
            stop=(StopCondition("job:errors:ratio", ">", 0.05),),
            objectives=("fraud-availability",), control=1,
        ),
    )  # fmt: skip


def run(number: int, name: str, status: str, **said: object) -> ExperimentRun:
    return made(
        ExperimentRun, id=f"exp-{number}", name=name, title=f"Experiment {name}", actor="ann", status=status,
        started_at="2026-11-26T02:59:00.000Z", seed=7, targets=("ml/Pod/fraud-1",), **said,
    )  # fmt: skip


RUN_AT_WORK = run(
    3, "network-latency", "running",
    faults=(
        FaultRecord(
            "one replica", "link-latency", ("fraud-1",), "2026-11-26T02:59:10.000Z",
            "2026-11-26T03:00:10.000Z", "effective", HOSTILE, "", "",
        ),
    ),
)  # fmt: skip
FAILED = run(
    2, "pod-failure", "finished", verdict="FAIL", exit_code=10, coverage=1.0, reasons=(HOSTILE,),
    finished_at="2026-11-26T03:00:00.000Z",
)  # fmt: skip
STAGED = (
    Staged(
        "network-latency", experiment("network-latency", "link-latency", "A slow network"), (RUN_AT_WORK,)
    ),
    Staged("broken", InvalidFile(HOSTILE, file="mine/chaos/broken.yaml")),
    Staged("pod-failure", experiment("pod-failure", "pod-delete", "A replica dies"), (FAILED,)),
    Staged("zone-outage", experiment("zone-outage", "zone-outage", "A zone is cut off")),
)

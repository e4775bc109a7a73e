"""What a run of an experiment writes to the journal, under `experiment/ID`.

Invariant: what has to be undone is on disk before anything is injected; whoever reads it can take it back
without the file, the plan or the process that made it.

    experiment.refused     name, title, file, digest, answers, exit_code, reason
    experiment.started     name, title, file, digest, seed, targets, control, burns, duration_seconds,
                           recovery_seconds, failover, folder
    experiment.intended    fault, order, targets, changes, before, seconds, ends_at, undo
    experiment.injected    fault, outcome, why, seconds
    experiment.stopping    kind, why, by
    experiment.undone      fault, by, error
    experiment.recovered   fault, recovered, why, seconds
    experiment.asked       what                                   (by another process)
    experiment.finished    verdict, exit_code, reasons, coverage, residue, stop, burned
    experiment.swept       faults, residue
    experiment.left        residue, why                           (by whoever answers for it)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from maestro_cli.chaos.faults.fault import InForce
from maestro_cli.chaos.guard.check import Allows, Answer, Proposal
from maestro_cli.chaos.model import (
    Candidate,
    Count,
    FaultOrder,
    Findings,
    Injection,
    Recovery,
    Stop,
    TargetRule,
)
from maestro_cli.chaos.verdict import Judged
from maestro_cli.core.canonical import plain
from maestro_cli.core.crashpoints import crash_point
from maestro_cli.core.errors import Busy, CannotRecord, MaestroError
from maestro_cli.core.refs import WorkloadRef, ref_of
from maestro_cli.journal.model import Event
from maestro_cli.journal.store import Journal


class ExperimentLedger:
    """Records of one run, in the name of `actor`; `words` takes secrets out of what is said, not of names.

    What is told after something was put in raises nothing where it cannot be written, for nobody may stay
    with a fault because of that; `unwritten` says why then.
    """

    def __init__(
        self,
        journal: Journal,
        run: str,
        actor: str,
        words: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda data: data,
    ) -> None:
        self.journal, self.run, self.actor, self._words = journal, run, actor, words
        self.unwritten = ""

    def refused(self, proposal: Proposal, answers: Sequence[Answer], error: MaestroError) -> None:
        against = [f"{one.check}: {one.reason}" for one in answers if one.allows is not Allows.YES]
        more = {"answers": against, "exit_code": int(error.exit_code), "reason": error.what}
        self._append("refused", {**_named(proposal), **more})

    def started(self, proposal: Proposal, folder: str, failover: Mapping[str, Any] | None = None) -> None:
        """`failover` is what a sweep has to know of one that is to be measured."""
        guarded = proposal.experiment.guarded
        self._append(
            "started",
            {
                **_named(proposal),
                "seed": proposal.seed,
                "targets": {one.order.name: [str(t.ref) for t in one.targets] for one in proposal.chosen},
                "control": [str(one.ref) for each in proposal.chosen for one in each.control],
                "burns": plain(proposal.burns),
                "duration_seconds": None if guarded is None else guarded.duration_seconds,
                "recovery_seconds": None if guarded is None else guarded.recovery_seconds,
                "failover": failover,
                "folder": folder,
            },
        )

    def intended(self, fault: InForce, ends_at: datetime, undo: Sequence[str]) -> None:
        crash_point("experiment.before-intended")
        data = {**in_force_data(fault), "ends_at": ends_at, "undo": list(undo)}
        self._write("intended", plain(data))  # by this it is taken back: as it is
        crash_point("experiment.after-intended")

    def injected(self, injection: Injection) -> None:
        told = {"outcome": injection.outcome, "why": injection.why, "seconds": injection.seconds}
        self._tell("injected", plain({"fault": injection.name, **told}))
        crash_point("experiment.after-injected")

    def stopping(self, stop: Stop) -> None:
        self._tell("stopping", plain(stop))

    def undone(self, fault: str, by: str, error: str = "") -> None:
        crash_point("experiment.before-undone")
        self._tell("undone", {"fault": fault, "by": by, "error": error})

    def recovered(self, recovery: Recovery) -> None:
        self._tell(
            "recovered", {"fault": recovery.name, **{k: v for k, v in plain(recovery).items() if k != "name"}}
        )

    def asked(self, what: str) -> None:
        self._append("asked", {"what": what})

    def finished(self, judged: Judged, findings: Findings) -> None:
        crash_point("experiment.before-finished")
        self._append(
            "finished",
            plain(
                {
                    "verdict": judged.verdict, "exit_code": judged.exit_code, "coverage": judged.coverage,
                    "reasons": [f"{one.rule}: {one.what}" for one in judged.reasons],
                    "residue": findings.residue, "stop": findings.stop,
                    "recoveries": findings.recoveries, "injections": findings.injections,
                    "burned": findings.burned,
                }
            ),
        )  # fmt: skip

    def swept(self, faults: Sequence[str], residue: Sequence[str]) -> None:
        self._tell("swept", {"faults": list(faults), "residue": list(residue)})

    def left(self, residue: Sequence[str], why: str) -> None:
        self._append("left", {"residue": list(residue), "why": why})

    def _tell(self, name: str, data: Mapping[str, Any]) -> None:
        try:
            self._append(name, data)
        except (CannotRecord, Busy) as error:
            self.unwritten = "; ".join(filter(None, (error.what, error.why)))

    def _append(self, name: str, data: Mapping[str, Any]) -> None:
        self._write(name, self._words(data))

    def _write(self, name: str, data: Mapping[str, Any]) -> None:
        self.journal.append(f"experiment.{name}", subject_of(self.run), self.actor, data)


def subject_of(run: str) -> str:
    return f"experiment/{run}"


def _named(proposal: Proposal) -> dict[str, Any]:
    experiment = proposal.experiment
    return {
        "name": experiment.name, "title": experiment.title, "file": experiment.file,
        "digest": experiment.digest,
    }  # fmt: skip


def in_force_data(fault: InForce) -> dict[str, Any]:
    order, rule = fault.order, fault.order.target
    return {
        "fault": order.name,
        "order": {
            "fault": order.fault,
            "parameters": dict(order.parameters),
            "namespace": rule.namespace,
            "workload": None if rule.workload is None else plain(rule.workload),
            "selector": rule.selector,
        },
        "targets": [plain(one) for one in fault.targets],
        "changes": list(fault.changes),
        "before": fault.before,
        "seconds": fault.seconds,
    }


def in_force_of(data: Mapping[str, Any]) -> InForce:
    """The fault that `in_force_data` wrote."""
    order = data["order"]
    workload = None if order["workload"] is None else WorkloadRef(**order["workload"])
    rule = TargetRule(
        order["namespace"], workload, order["selector"], Count(number=max(1, len(data["targets"])))
    )
    targets = tuple(map(_candidate, data["targets"]))
    made = FaultOrder(data["fault"], order["fault"], order["parameters"], rule)
    return InForce(made, targets, tuple(data["changes"]), data["seconds"], data["before"])


def _candidate(data: Mapping[str, Any]) -> Candidate:
    parts = tuple(ref_of(**one) for one in data["parts"])
    return Candidate(
        ref_of(**data["ref"]), data["uid"], data["where"], data["whole"], parts, data["eligible"]
    )


def left_in_force(journal: Journal, run: str) -> tuple[InForce, ...]:
    """The faults of a run that were intended, and neither undone nor left on purpose, oldest first."""
    found: dict[str, InForce] = {}
    for event in events_of(journal, run):
        if event.kind == "experiment.intended":
            found[event.data["fault"]] = in_force_of(event.data)
        elif event.kind == "experiment.undone" and not event.data["error"]:
            found.pop(event.data["fault"], None)
        elif event.kind == "experiment.left":
            found.clear()
    return tuple(found.values())


def started_of(journal: Journal, run: str) -> Mapping[str, Any]:
    """What a run wrote as it began; empty where it did not."""
    found = (event.data for event in events_of(journal, run) if event.kind == "experiment.started")
    return next(found, {})


def events_of(journal: Journal, run: str) -> list[Event]:
    return journal.events(subject=subject_of(run), kinds=("experiment.",))

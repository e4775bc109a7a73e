"""What Chaos Mesh says of one of its resources: whether it selected, injected and recovered.

Invariant: its word is taken from the record of each container, since the condition AllRecovered holds also
before anything was injected. Text of controllers is not ours: it is made visible here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maestro_cli.chaos.mesh.kinds import KEY_OF
from maestro_cli.core.untrusted import visible

FINALIZER = "chaos-mesh/records"
PAUSE = "experiment.chaos-mesh.org/pause"
CLEAN, FORCED = "chaos-mesh.chaos-mesh.org/cleanFinalizer", "forced"
INJECTED, NOT_INJECTED = "Injected", "Not Injected"
_TARGETS = "."  # the selector key of whom it meets; others are the other end of a connection


@dataclass(frozen=True, slots=True)
class Record:
    """One container, or pod, that was selected; `why` is the last failure, "" after a success."""

    id: str
    phase: str
    injected: int
    recovered: int
    why: str
    is_target: bool

    @property
    def is_recovered(self) -> bool:
        return self.phase == NOT_INJECTED and self.recovered >= self.injected

    @property
    def pod(self) -> tuple[str, str]:
        """Its namespace and name."""
        namespace, _, rest = self.id.partition("/")
        return namespace, rest.partition("/")[0]


@dataclass(frozen=True, slots=True)
class MeshState:
    """One resource; `selected` and the others are None where its controller did not say anything yet."""

    kind: str
    name: str
    uid: str
    selected: bool | None
    all_injected: bool | None
    paused: bool
    deleting: bool
    finalizers: tuple[str, ...]
    records: tuple[Record, ...]

    @property
    def is_injected(self) -> bool:
        """Selected, and injected into each that was."""
        each = all(one.phase == INJECTED for one in self.records)
        return bool(self.selected and self.all_injected and self.records and each)

    @property
    def was_injected(self) -> bool:
        return bool(self.records) and all(one.injected for one in self.records)

    @property
    def is_recovered(self) -> bool:
        return bool(self.records) and all(one.is_recovered for one in self.records)

    @property
    def pods(self) -> tuple[tuple[str, str], ...]:
        """Namespace and name of those that it meets."""
        return tuple(dict.fromkeys(one.pod for one in self.records if one.is_target))

    @property
    def words(self) -> str:
        """What keeps it from being injected, or what it does."""
        if self.paused:
            return f"{self.name} is paused ({PAUSE})"
        if self.selected is None:
            return f"no controller has looked at {self.name} yet"
        if not self.records:
            return f"{self.name} selected no pod"
        if self.was_injected and self.is_recovered:
            return f"{self.name} is over by itself: recovered in {_of(self.records)}"
        waiting = [one for one in self.records if one.phase != INJECTED]
        if waiting:
            return f"{self.name} is not injected into {_of(waiting)}"
        if not self.is_injected:
            return f"{self.name} is not said to be injected"
        return f"{self.name} is injected into {', '.join(visible(one.id, 120) for one in self.records)}"

    @property
    def holds_on(self) -> str:
        """Why it is still there although it was deleted."""
        left = [one for one in self.records if not one.is_recovered]
        held = ", ".join(visible(one, 80) for one in self.finalizers) or "nothing that it says"
        text = f"{self.kind} {self.name} is being deleted and held by {held}"
        return f"{text}: not recovered in {_of(left)}" if left else text


def state_of(document: Mapping[str, Any]) -> MeshState:
    """Of a chaos resource as the cluster has it; what is missing is taken for not said."""
    metadata: Mapping[str, Any] = document.get("metadata") or {}
    status: Mapping[str, Any] = document.get("status") or {}
    conditions = {str(one.get("type")): one.get("status") == "True" for one in status.get("conditions") or ()}
    records = (status.get("experiment") or {}).get("containerRecords") or ()
    return MeshState(
        kind=visible(str(document.get("kind", "")), 40),
        name=visible(str(metadata.get("name", "")), 120),
        uid=str(metadata.get("uid", "")),
        selected=conditions.get("Selected"),
        all_injected=conditions.get("AllInjected"),
        paused=conditions.get("Paused", False) or (metadata.get("annotations") or {}).get(PAUSE) == "true",
        deleting=bool(metadata.get("deletionTimestamp")),
        finalizers=tuple(map(str, metadata.get("finalizers") or ())),
        records=tuple(map(_record, records)),
    )


def children_selector(kind: str, name: str) -> str:
    """The label of what a Schedule or a Workflow makes; "" for a kind that makes nothing."""
    return {"Schedule": f"managed-by={name}", "Workflow": f"chaos-mesh.org/workflow={name}"}.get(kind, "")


def child_kinds(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of chaos that a Schedule or Workflow may make, of those in the tables."""
    spec: Mapping[str, Any] = document.get("spec") or {}
    if document.get("kind") == "Schedule":
        found = _kinds_in([spec, *_templates(spec.get("workflow") or {})])
        return (*found, "Workflow") if spec.get("type") == "Workflow" else found
    templates = _templates(spec) if document.get("kind") == "Workflow" else []
    schedules = [one["schedule"] for one in templates if isinstance(one.get("schedule"), Mapping)]
    found = _kinds_in([*templates, *schedules])
    return (*found, "Schedule") if schedules else found


def _templates(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in spec.get("templates") or () if isinstance(one, Mapping)]


def _kinds_in(holders: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(kind for kind, key in KEY_OF.items() if any(key in one for one in holders))


def _record(data: Mapping[str, Any]) -> Record:
    events: Sequence[Mapping[str, Any]] = data.get("events") or ()
    last = events[-1] if events else {}
    return Record(
        id=str(data.get("id", "")),
        phase=str(data.get("phase", "")),
        injected=int(data.get("injectedCount") or 0),
        recovered=int(data.get("recoveredCount") or 0),
        why=str(last.get("message") or "") if last.get("type") == "Failed" else "",
        is_target=str(data.get("selectorKey", _TARGETS)) == _TARGETS,
    )


def _of(records: Sequence[Record]) -> str:
    named = [
        f"{visible(one.id, 120)}{f' ({visible(one.why, 200)})' if one.why else ''}" for one in records[:5]
    ]
    return ", ".join(named) + (f" and {len(records) - 5} more" if len(records) > 5 else "")

"""Chaos Mesh, played: its controllers need daemons with the rights of the kernel, which cannot run here.

What it does is what the controllers of v2.8.3 do to the API: finalizer, records, conditions, recovery before
a resource is let go, children of Workflows and Schedules. It breaks nothing; pod-kill alone is a deletion.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from maestro_cli.chaos.mesh.following import CLEAN, FINALIZER, FORCED, INJECTED, NOT_INJECTED, PAUSE
from maestro_cli.chaos.mesh.kinds import API_VERSION, KEY_OF, KINDS

_PACE_SECONDS = 0.05
Object = dict[str, Any]


@dataclass
class PlayedMesh:
    """One namespace. `selects`: pods are found. `recovers`: what was injected can be taken back."""

    http: httpx.Client
    namespace: str
    selects: bool = True
    recovers: bool = True
    injects: bool = True
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def playing(self) -> Iterator[PlayedMesh]:
        over = threading.Event()
        player = threading.Thread(target=self._play, args=(over,), daemon=True)
        player.start()
        try:
            yield self
        finally:
            self.recovers = True
            over.set()
            player.join(30)
        assert not self.failures, self.failures

    def _play(self, over: threading.Event) -> None:
        while not over.is_set():
            try:
                for kind in KINDS:
                    for one in self._items(self._path(kind)):
                        self._reconcile(kind, one)
            except httpx.HTTPError as error:
                self.failures.append(repr(error))
            over.wait(_PACE_SECONDS)

    def _reconcile(self, kind: str, found: Object) -> None:
        found |= {"kind": kind, "apiVersion": API_VERSION}
        if kind in ("Workflow", "Schedule"):
            self._spawn(kind, found)
            return
        before = repr(found)
        metadata = found["metadata"]
        deleting = bool(metadata.get("deletionTimestamp"))
        status = found.setdefault("status", {})
        records = status.setdefault("experiment", {}).get("containerRecords")
        if not deleting:
            metadata["finalizers"] = [FINALIZER]
        if records is None and self.selects and not deleting:
            records = [self._record(pod) for pod in self._selected(found["spec"])]
        wanted = not deleting and (metadata.get("annotations") or {}).get(PAUSE) != "true"
        status["experiment"]["desiredPhase"] = "Run" if wanted else "Stop"
        for record in records or ():
            self._move(record, found["spec"], wanted)
        if records:
            status["experiment"]["containerRecords"] = records
        status["conditions"] = _conditions(records or [], wanted or deleting)
        forced = (metadata.get("annotations") or {}).get(CLEAN) == FORCED
        recovered = all(one["phase"] == NOT_INJECTED for one in records or ())
        if deleting and (recovered or forced):
            metadata["finalizers"] = []
        if repr(found) != before:
            self._put(f"{self._path(kind)}/{metadata['name']}", found)

    def _move(self, record: Object, spec: Object, wanted: bool) -> None:
        if wanted and record["phase"] == NOT_INJECTED:
            if not self.injects:
                record["events"] = [_event("Failed", "Apply", "no such device")]
                return
            if spec.get("action") == "pod-kill":
                self.http.delete(f"/api/v1/namespaces/{self.namespace}/pods/{record['id'].split('/')[1]}")
            record |= {"phase": INJECTED, "injectedCount": record["injectedCount"] + 1}
            record["events"] = [_event("Succeeded", "Apply", "")]
        elif not wanted and record["phase"] == INJECTED:
            if not self.recovers:
                record["events"] = [_event("Failed", "Recover", "the daemon does not answer")]
                return
            record |= {"phase": NOT_INJECTED, "recoveredCount": record["recoveredCount"] + 1}
            record["events"] = [_event("Succeeded", "Recover", "")]

    def _spawn(self, kind: str, found: Object) -> None:
        """All steps of a Workflow at once, and what a Schedule holds as if it was always due."""
        metadata, spec = found["metadata"], found["spec"]
        if metadata.get("deletionTimestamp"):
            return
        holders = spec["templates"] if kind == "Workflow" else [spec]
        label = "chaos-mesh.org/workflow" if kind == "Workflow" else "managed-by"
        for child, key in {**KEY_OF, **({"Schedule": "schedule"} if kind == "Workflow" else {})}.items():
            for holder in holders:
                if key in holder:
                    name = f"{metadata['name']}-{holder.get('name', 'x')}"
                    self._make(child, name, holder[key], found, {label: metadata["name"]})

    def _make(self, kind: str, name: str, spec: Object, owner: Object, labels: dict[str, str]) -> None:
        reference = {
            "apiVersion": API_VERSION, "kind": owner["kind"], "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True,
        }  # fmt: skip
        made = {
            "apiVersion": API_VERSION, "kind": kind, "spec": spec,
            "metadata": {"name": name, "labels": labels, "ownerReferences": [reference]},
        }  # fmt: skip
        answer = self.http.post(self._path(kind), json=made)
        assert answer.status_code in (201, 409), answer.text

    def _selected(self, spec: Object) -> list[str]:
        named = spec["selector"].get("pods") or {}
        if named:
            return [name for names in named.values() for name in names]
        wanted = (spec["selector"].get("labelSelectors") or {}).items()
        pods = self._items(f"/api/v1/namespaces/{self.namespace}/pods")
        found = [one["metadata"] for one in pods if wanted <= (one["metadata"].get("labels") or {}).items()]
        return sorted(one["name"] for one in found)[: 1 if spec["mode"] == "one" else None]

    def _record(self, pod: str) -> Object:
        return {
            "id": f"{self.namespace}/{pod}/c", "selectorKey": ".", "phase": NOT_INJECTED, "injectedCount": 0,
            "recoveredCount": 0,
        }  # fmt: skip

    def _items(self, path: str) -> list[Object]:
        answer = self.http.get(path)
        found: list[Object] = answer.json().get("items") or [] if answer.status_code == 200 else []
        return found

    def _put(self, path: str, body: Object) -> None:
        answer = self.http.put(path, json=body)
        assert answer.status_code in (200, 404, 409), answer.text  # 409: somebody was first; look again

    def _path(self, kind: str) -> str:
        return f"/apis/{API_VERSION}/namespaces/{self.namespace}/{KINDS[kind].plural}"


def _conditions(records: list[Object], runs: bool) -> list[Object]:
    said: dict[str, bool] = {
        "Selected": bool(records),
        "AllInjected": bool(records) and all(one["phase"] == INJECTED for one in records),
        "AllRecovered": bool(records) and all(one["phase"] == NOT_INJECTED for one in records),
        "Paused": not runs,
    }
    return [{"type": name, "status": str(value)} for name, value in said.items()]


def _event(type_: str, operation: str, message: str) -> Object:
    return {
        "type": type_, "operation": operation, "message": message, "timestamp": "2026-01-01T00:00:00Z",
    }  # fmt: skip

"""Fakes of what drills around the platform bring along, and of the objects they are about."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from maestro_cli.core.errors import GateNotMet, NotFound


class FakeObjects:
    """A fake: objects by path; a collection is the list of those below it."""

    def __init__(self) -> None:
        self.there: dict[str, dict[str, Any]] = {}

    def get_object(self, path: str) -> Mapping[str, Any]:
        if path in self.there:
            return self.there[path]
        if path.endswith("/jobs"):
            return {"items": [one for name, one in self.there.items() if name.startswith(f"{path}/")]}
        raise NotFound(f"{path} is not there")

    def create_object(self, path: str, body: Mapping[str, Any]) -> None:
        name = f"{path}/{body['metadata']['name']}"
        if name in self.there:
            raise GateNotMet(f"{name} is there")
        self.there[name] = copy.deepcopy(dict(body))

    def merge_object(self, path: str, patch: Mapping[str, Any]) -> None:
        self.there[path]["spec"] |= patch["spec"]

    def delete_object(self, path: str) -> None:
        if self.there.pop(path, None) is None:
            raise NotFound(f"{path} is not there")


class FakeProps:
    """A fake: `last_status` is what the servers said last to who has the stolen key."""

    def __init__(self) -> None:
        self.last_status = 0
        self.misused: list[str] = []
        self.restored: list[str] = []

    def certificate(self, name: str, days: float) -> Mapping[str, str]:
        return {"tls.crt": f"{name} for {days:g} days", "tls.key": "the key"}

    def backup(self, name: str, destination: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        settings = {"metadata": {"name": "model-backup"}, "data": {"DESTINATION": destination}}
        return settings, {"metadata": {"name": name}}

    def restore_key(self, key: str) -> None:
        self.restored.append(key)

    def misuse_key(self, key: str) -> None:
        self.misused.append(key)

    def stop_misuse(self) -> int:
        self.misused.clear()
        return self.last_status

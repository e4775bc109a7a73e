"""Experiments performed by the real child process, with what it said and how long that took."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from maestro_cli.chaos.child import Child
from maestro_cli.chaos.heard import Heard

PATIENCE_SECONDS = 60.0


class Performed:
    """A child, its events as they came, and the answers it gets."""

    def __init__(
        self,
        folder: Path,
        experiment: Mapping[str, Any],
        answer: Callable[[str, Mapping[str, Any]], Any] = lambda do, arguments: None,
        **order: Any,
    ) -> None:
        self._told = Heard(experiment)
        self.events: list[tuple[float, Mapping[str, Any]]] = []
        self._came = threading.Condition()
        self.log = folder / "worker.log"
        environment = {**os.environ, "PYTHONPATH": str(folder)}
        asked = {"experiment": experiment, "every_seconds": 0.2, **order}
        self.child = Child(asked, self._heard, answer, log=self.log, environment=environment)

    def _heard(self, event: Mapping[str, Any]) -> None:
        with self._came:
            self._told.hear(event)
            self.events.append((time.monotonic(), event))
            self._came.notify_all()

    def until(self, event: str, **facts: Any) -> float:
        """When the event of that name with these facts came; waits for it."""

        def found() -> float | None:
            wanted = {"event": event, **facts}.items()
            return next((at for at, one in self.events if wanted <= _flat(one).items()), None)

        with self._came:
            assert self._came.wait_for(lambda: found() is not None, PATIENCE_SECONDS), self.told()
        at = found()
        assert at is not None
        return at

    def journal(self) -> Mapping[str, Any]:
        """The journal with what was told singly, once it is over."""
        assert self.child.over.wait(PATIENCE_SECONDS), self.told()
        assert self.child.journal is not None, f"{self.child.ended()}\n{self.told()}"
        return self._told.whole(self.child.journal)

    def told(self) -> str:
        return f"{[event.get('event') for _, event in self.events]}\n{self.log.read_text()[-3000:]}"


def _flat(event: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if isinstance(value, str)}


def python(module: str, func: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "python", "module": module, "func": func, "arguments": arguments}


def action(name: str, provider: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "action", "name": name, "provider": dict(provider)}


def probe(name: str, provider: Mapping[str, Any], tolerance: Any) -> dict[str, Any]:
    return {"type": "probe", "name": name, "provider": dict(provider), "tolerance": tolerance}


def touching(path: Path) -> dict[str, Any]:
    return {"type": "process", "path": "touch", "arguments": str(path)}

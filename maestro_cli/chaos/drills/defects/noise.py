"""Alerts about nothing, many at once; and nothing at all."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Defect, Family, NothingDone, Scene
from maestro_cli.chaos.drills.model import Baseline, Breakage, Truth
from maestro_cli.core.errors import GateNotMet, MaestroError, NotFound, Refused

_AGAIN_SECONDS = 2.0
_LAST_SECONDS = 30.0  # so long an alert holds that nobody says again
_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Noise(Breakage):
    """`count` alerts of these names, about instances of the target's, begin at once; nothing is wrong."""

    names: tuple[str, ...]
    count: int
    severity: str


@dataclass(frozen=True, slots=True)
class Nothing(Breakage):
    """Nothing happens."""


class NoiseDefect(Defect):
    """Says them again until it is mended, as Prometheus does; then they are over."""

    def __init__(self, noise: Noise, scene: Scene) -> None:
        self._noise = noise
        self._scene = scene
        self._stop = threading.Event()
        self._caller: threading.Thread | None = None
        self._began: datetime | None = None
        self.phase = ("alerts", f"alerts about {scene.target}")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """Nothing is to be undone: what nobody says again is over by itself."""
        return {"noise": self._noise.count}

    def inject(self) -> None:
        self._began = self._scene.clock.now()
        try:
            self._say(_LAST_SECONDS)
        except (GateNotMet, Refused, NotFound) as error:
            raise NothingDone(error) from error
        self._caller = threading.Thread(target=self._say_again, name="noise", daemon=True)
        self._caller.start()

    def mend(self) -> bool:
        """Nobody could end what was nothing."""
        self._stop.set()
        if self._caller is not None:
            self._caller.join(_STOP_SECONDS)
            self._say(0.0)
        return False

    def truth(self, *, is_mended: bool) -> Truth:
        assert self._began is not None
        words = f"{self._noise.count} alerts about nothing"
        return Truth(self._began, "nothing", words, is_mended)

    def _say_again(self) -> None:
        while not self._stop.wait(_AGAIN_SECONDS):
            with suppress(MaestroError):  # it is said again soon
                self._say(_LAST_SECONDS)

    def _say(self, seconds: float) -> None:
        assert self._began is not None
        labels = alerts_of(self._noise, self._scene.target.namespace, self._scene.target.name)
        self._scene.ensemble.alarms.say(labels, since=self._began, for_seconds=seconds)


class NothingDefect(Defect):
    """Leaves everything as it is."""

    def __init__(self, nothing: Nothing, scene: Scene) -> None:
        self._scene = scene
        self._began: datetime | None = None
        self.phase = ("quiet", f"nothing happens to {scene.target}")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        return {"nothing": True}

    def inject(self) -> None:
        self._began = self._scene.clock.now()

    def mend(self) -> bool:
        return False

    def truth(self, *, is_mended: bool) -> Truth:
        assert self._began is not None
        return Truth(self._began, "nothing", "nothing was wrong", is_mended)


def alerts_of(noise: Noise, namespace: str, deployment: str) -> list[dict[str, str]]:
    """The labels of each alert. Pure."""
    return [
        {
            "alertname": noise.names[number % len(noise.names)],
            "namespace": namespace,
            "deployment": deployment,
            "instance": f"{deployment}-{number}",
            "severity": noise.severity,
        }
        for number in range(noise.count)
    ]


def _leave(scene: Scene, left: Any) -> bool:
    return False


NOISE = Family(NoiseDefect, "noise", _leave)
NOTHING = Family(NothingDefect, "nothing", _leave)

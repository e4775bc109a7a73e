"""A key in the wrong hands: somebody asks with it for what it may not do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Defect, Family, Scene, try_again
from maestro_cli.chaos.drills.model import Baseline, Breakage, Truth


@dataclass(frozen=True, slots=True)
class MisusedKey(Breakage):
    """The key of somebody elsewhere is used out of its scope, a few times a second."""

    key: str


class KeyDefect(Defect):
    """Uses it until the servers do not know it any more, or the drill is over."""

    def __init__(self, misused: MisusedKey, scene: Scene) -> None:
        self._key = misused.key
        self._scene = scene
        self._refused: bool | None = None
        self._began: datetime | None = None
        self.phase = ("key", f"somebody calls {scene.target}")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """The owner's key is put in force again, whatever became of it."""
        return {"key": self._key}

    def inject(self) -> None:
        restore(self._scene, self._key)
        self._began = self._scene.clock.now()
        self._scene.ensemble.props.misuse_key(self._key)

    def mend(self) -> bool:
        """End it, and give the owner his key back; True when the servers knew it no more."""
        last = self._scene.ensemble.props.stop_misuse()
        if self._refused is None:
            self._refused = last == HTTPStatus.UNAUTHORIZED
        restore(self._scene, self._key)
        return self._refused

    def truth(self, *, is_mended: bool) -> Truth:
        assert self._began is not None
        subject = f"key {self._key}"
        return Truth(self._began, subject, f"the {subject} was in the wrong hands", is_mended)


def restore(scene: Scene, key: str) -> bool:
    """Put the owner's key in force. Raises UndoFailed."""

    def once() -> bool:
        scene.ensemble.props.restore_key(key)
        return True

    return try_again(once, scene, fix="maestro local down")


FAMILY = Family(KeyDefect, "key", restore)

"""Progress of an action, told as one line after another. Invariant: it never blocks the work."""

from __future__ import annotations

from collections.abc import Callable


class SpokenProgress:
    """Satisfies `core.progress.Progress`; `say` may be called from any thread."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say

    def phase(self, name: str, text: str) -> None:
        self._say(f"{name}: {text}")

    def update(self, text: str) -> None:
        self._say(text)

    def note(self, text: str) -> None:
        self._say(text)

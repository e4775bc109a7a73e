"""Progress of an action, told as one line after another. Invariant: it never blocks the work, and does not
end it where nobody hears it any more."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress


class SpokenProgress:
    """Satisfies `core.progress.Progress`; `say` may be called from any thread."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say

    def phase(self, name: str, text: str) -> None:
        self.note(f"{name}: {text}")

    def update(self, text: str) -> None:
        self.note(text)

    def note(self, text: str) -> None:
        with suppress(OSError):
            self._say(text)

"""How long work tells its front end where it is. Invariant: reporting never changes the work."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


class Progress(Protocol):
    """A front end's view of running work; phases follow one another, each with many updates."""

    def phase(self, name: str, text: str) -> None:
        """A new phase begins; the one before it ended well."""

    def update(self, text: str) -> None:
        """Where the current phase is now; replaces the line before."""

    def note(self, text: str) -> None:
        """Something happened that stays on screen."""


class Quiet:
    """Progress for nobody."""

    def phase(self, name: str, text: str) -> None: ...

    def update(self, text: str) -> None: ...

    def note(self, text: str) -> None: ...


@runtime_checkable
class Closing(Protocol):
    """A front end that can say of a phase that it ended, and not well."""

    def broken_off(self) -> None:
        """The phase that is under way ended before its time."""


def break_off(progress: Progress) -> None:
    """Say so where the front end can; whoever is told nothing else learns it by the result."""
    if isinstance(progress, Closing):
        progress.broken_off()


@runtime_checkable
class Several(Protocol):
    """A front end that has a place for each piece of work at the same time."""

    def said(self, name: str, text: str) -> None:
        """Where the piece of work with this name is now."""


class Among:
    """The progress of one piece of work among others: each phase and note is a line that names it."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._name, self._prefix = name, f"{name}: "

    def phase(self, name: str, text: str) -> None:
        self._progress.note(f"{self._prefix}{name}: {text}")

    def update(self, text: str) -> None:
        if isinstance(self._progress, Several):
            self._progress.said(self._name, text)

    def note(self, text: str) -> None:
        self._progress.note(self._prefix + text)

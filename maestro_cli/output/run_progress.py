"""A run while it runs, on stderr: a tree that is redrawn on a terminal, a line a step elsewhere.

Invariant: what is drawn fits the terminal as it is now, is visible text, and leaves nothing behind; the
events of the run decide what stands in it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from maestro_cli.core.clock import Clock
from maestro_cli.core.untrusted import visible
from maestro_cli.output.diagnostics import note
from maestro_cli.output.progress import TerminalProgress
from maestro_cli.output.run_tree import RunTree, main_of

if TYPE_CHECKING:
    from maestro_cli.journal.model import Event
    from maestro_cli.runbooks.model import Runbook, RunRecord

_SPARE_LINES = 2  # for the cursor, and what a person typed


class RunProgress(TerminalProgress):
    """Satisfies core.progress.Progress; hears the events of the run beside it."""

    def __init__(self, clock: Clock, *, is_plain: bool = False) -> None:
        super().__init__(clock, is_plain=is_plain)
        self._tree = RunTree()
        self._tree_lock = threading.Lock()  # never held while the display is stopped
        self._at: dict[int, str] = {}  # the step that each thread is at

    def expect(self, book: Runbook, record: RunRecord | None) -> None:
        """The steps there are, before the run begins or goes on."""
        with self._tree_lock:
            self._tree.expect(book, record)

    def told(self, event: Event) -> None:
        """Take in an event of the run, on whichever thread wrote it."""
        now = self._clock.monotonic()
        with self._tree_lock:
            begun = self._tree.hear(event, now)
            line = self._tree.line(event, now)
        for thread, at in tuple(self._at.items()):
            if begun and main_of(at) == main_of(begun):
                self._at[thread] = begun
        if line and self._console is None:
            note(visible(line))

    def phase(self, name: str, text: str) -> None:
        """The step that this thread works on now."""
        super().phase(name, text)
        with self._tree_lock:
            if self._tree.knows(name):  # and not a phase of a change
                self._at[threading.get_ident()] = name

    def _close(self, mark: str) -> None:
        """A phase is a step here: its end is told by its event."""
        self._name = ""

    def update(self, text: str) -> None:
        if self._console is None:
            super().update(text)
            return
        with self._tree_lock:
            self._tree.print(self._at.get(threading.get_ident(), ""), text)

    def said(self, name: str, text: str) -> None:
        """What one of several steps that run at the same time prints now."""
        with self._tree_lock:
            self._tree.print(name, text)

    def _line(self) -> Any:
        from rich.console import Group
        from rich.text import Text

        height = max(self._console.size.height - _SPARE_LINES, 1) if self._console is not None else 1
        with self._tree_lock:
            lines = self._tree.lines(self._clock.monotonic(), height)
        drawn = []
        for line in lines:
            text = Text(visible(line.text, 1000), no_wrap=True, overflow="ellipsis")
            if line.style:
                text.stylize(line.style, 0, line.marked)
            drawn.append(text)
        return Group(*drawn)

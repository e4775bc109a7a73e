"""Where long work is, on stderr.

Invariant: redraws on a terminal; elsewhere a line a phase, and one each half minute of a long phase.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from types import TracebackType
from typing import Any, Self

from maestro_cli.core.clock import Clock
from maestro_cli.core.progress import Progress
from maestro_cli.core.quantities import format_duration
from maestro_cli.core.untrusted import visible
from maestro_cli.output.diagnostics import note
from maestro_cli.output.terminal import terminal_of

_LINE_SECONDS = 30.0


class TerminalProgress:
    """Phases with their seconds; use as a context manager so that the last one is closed.

    Satisfies core.progress.Progress and Closing.
    """

    def __init__(self, clock: Clock, *, is_plain: bool = False) -> None:
        self._clock = clock
        self._terminal = terminal_of(sys.stderr, is_plain=is_plain)
        self._started = clock.monotonic()
        self._phase_started = self._started
        self._told = self._started  # when the last line of the phase was written, where nothing redraws
        self._name = ""
        self._text = ""
        self._live: Any = None
        self._console: Any = None
        self._spinner: Any = None
        self._lock = threading.RLock()
        self.lines: list[tuple[str, str]] = []  # what stayed on screen, with its style

    def __enter__(self) -> Self:
        if self._terminal.interactive:
            from rich.console import Console

            self._console = Console(
                stderr=True, highlight=False, markup=False, emoji=False, no_color=not self._terminal.colour
            )
            self._redraw()
        return self

    def _redraw(self) -> None:
        from rich.live import Live

        self._live = Live(
            console=self._console,
            get_renderable=self._line,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def _rest(self) -> None:
        if self._live is not None:
            with suppress(OSError):
                self._live.stop()
            self._live = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to a question and its answer."""
        self._rest()
        try:
            yield
        finally:
            if self._console is not None:
                self._redraw()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._close("✗" if kind is not None else "✓")
            self._rest()
            self._console = None

    def phase(self, name: str, text: str) -> None:
        with self._lock:
            self._close("✓")
            self._name, self._text = name, text
            self._phase_started = self._told = self._clock.monotonic()

    def broken_off(self) -> None:
        with self._lock:
            self._close("✗")

    def update(self, text: str) -> None:
        with self._lock:
            self._text = text = text.rsplit("\n", 1)[-1]
            now = self._clock.monotonic()
            if self._console is None and now - self._told >= _LINE_SECONDS:
                self._told = now
                elapsed = format_duration(now - self._phase_started)
                note(visible(f"… {self._name:<12} {text}  ({elapsed})"))

    def note(self, text: str) -> None:
        with self._lock:
            self._print(f"    {text}", "")

    def _close(self, mark: str) -> None:
        if self._name:
            elapsed = format_duration(self._clock.monotonic() - self._phase_started)
            style = "green" if mark == "✓" else "bold red"
            self._print(f"{mark} {self._name:<12} {self._text}  ({elapsed})", style)
        self._name = ""

    def _print(self, line: str, style: str) -> None:
        self.lines.append((line, style))
        shown = visible(line)
        if self._console is not None:
            from rich.text import Text

            text = Text(shown)
            if style:
                text.stylize(style, 0, 1)
            with suppress(OSError):  # the terminal is gone
                self._console.print(text)
        else:
            note(shown)  # which bears a closed stderr: reporting never changes the work

    def _line(self) -> Any:
        from rich.spinner import Spinner
        from rich.text import Text

        now = self._clock.monotonic()
        if not self._name:
            return Text("")
        elapsed = format_duration(now - self._phase_started)
        total = format_duration(now - self._started)
        text = Text(visible(f"{self._name:<12} {self._text}  ({elapsed}, {total} in all)"), no_wrap=True)
        if self._spinner is None:
            self._spinner = Spinner("dots")
        self._spinner.update(text=text)
        return self._spinner


def left_alone(progress: Progress) -> AbstractContextManager[None]:
    """While it is open nothing else draws on the terminal, so that a question can be asked there."""
    return progress.paused() if isinstance(progress, TerminalProgress) else nullcontext()

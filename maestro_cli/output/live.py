"""Views that follow something: redrawn in place on a terminal, a line a change elsewhere.

Invariant: nothing is said twice in a row; with `-o json` each change is one document on one line.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import UsageError
from maestro_cli.core.untrusted import visible
from maestro_cli.output.terminal import terminal_of
from maestro_cli.output.views import View
from maestro_cli.output.writer import (
    OutputOptions,
    emit,
    emit_text,
    json_text,
    not_shown,
    print_block,
    shown_blocks,
)

if TYPE_CHECKING:
    from rich.console import Console

_FORMS = ("table", "wide", "json", "jsonpath")


@dataclass(frozen=True, slots=True)
class Frame:
    """What there is to see now, and the same in one line."""

    view: View
    line: str


def follow(frames: Iterable[Frame], options: OutputOptions, stream: TextIO | None = None) -> None:
    """Show each frame as it comes; raises UsageError for a format that cannot be followed."""
    kind = options.format.kind
    if kind not in _FORMS:
        raise UsageError(
            f"what is followed has no {kind} form", fix="-o table, wide, json or jsonpath=TEMPLATE"
        )
    out = stream if stream is not None else sys.stdout
    terminal = terminal_of(out, is_plain=options.is_plain)
    if kind in ("table", "wide") and terminal.interactive:
        from rich.console import Console

        console = Console(
            file=out, width=terminal.width, highlight=False, markup=False, emoji=False,
            no_color=not terminal.colour,
        )  # fmt: skip
        _redraw(frames, console, wide=kind == "wide")
        return
    for frame in _changes(frames, by_line=kind in ("table", "wide")):
        if kind == "json":
            emit_text("".join(line.strip() for line in json_text(frame.view.body()).split("\n")), out)
        elif kind == "jsonpath":
            emit(frame.view, options, out)
        else:
            emit_text(visible(frame.line), out)


def _changes(frames: Iterable[Frame], *, by_line: bool) -> Iterator[Frame]:
    """Those that differ from the one before."""
    before: Any = None
    for frame in frames:
        now = frame.line if by_line else json.dumps(plain(frame.view.body()), default=str)
        if now != before:
            yield frame
        before = now


def _redraw(frames: Iterable[Frame], console: Console, *, wide: bool) -> None:
    from rich.live import Live
    from rich.text import Text

    with Live(
        console=console, auto_refresh=False, vertical_overflow="visible",
        redirect_stdout=False, redirect_stderr=False,
    ) as live:  # fmt: skip
        for frame in frames:
            live.update(Text.from_ansi(_drawn(frame.view, console, wide=wide)), refresh=True)


def _drawn(view: View, screen: Console, *, wide: bool) -> str:
    """A view as it looks on that screen, cut to its height: what scrolled away cannot be drawn over."""
    from rich.console import Console

    paper = Console(
        file=io.StringIO(), width=screen.width, highlight=False, markup=False, emoji=False,
        no_color=screen.no_color, force_terminal=True,
    )  # fmt: skip
    left_out: list[str] = []
    with paper.capture() as captured:
        for block in shown_blocks(view):
            left_out += print_block(paper, block, wide=wide)
    lines = captured.get().rstrip("\n").split("\n")
    last = [not_shown(left_out, screen.width)] if left_out else []
    room = max(screen.height - 2 - len(last), 1)
    if len(lines) > room:
        lines = [*lines[:room], f"… {len(lines) - room} more lines"]
    return "\n".join([*lines, *last])

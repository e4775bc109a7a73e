"""A run as a tree of steps, fed by its events: what is done, what runs and prints, what is to come.

Invariant: pure but for what it was told; however small the screen is, what runs now is on it. Text is made
visible when it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from maestro_cli.core.quantities import format_duration

if TYPE_CHECKING:
    from maestro_cli.journal.model import Event
    from maestro_cli.runbooks.model import Runbook, RunRecord

PENDING, RUNNING = "pending", "running"
TAIL_LINES = 5
_MARKS = {
    PENDING: "·", RUNNING: "▶", "intended": "▶", "ok": "✓", "failed": "✗", "not_met": "✗", "timed_out": "✗",
    "cancelled": "■", "unknown": "?", "waiting": "…", "skipped": "-", "redo": "·",
}  # fmt: skip
_STYLES = {"✓": "green", "✗": "bold red", "?": "bold red", "…": "bold yellow", "▶": "bold cyan"}


@dataclass(slots=True)
class _Row:
    """One step, or one fence that serves it (`depth` 1)."""

    path: str
    title: str
    depth: int
    state: str = PENDING
    reason: str = ""
    started: float = 0.0
    seconds: float = 0.0
    tail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the tree as text, with the style of its first `marked` characters."""

    text: str
    style: str = ""
    marked: int = 0


@dataclass(slots=True)
class RunTree:
    """What is known of one run; times are monotonic seconds."""

    title: str = ""
    run: str = ""
    _rows: dict[str, _Row] = field(default_factory=dict)

    def expect(self, book: Runbook, record: RunRecord | None) -> None:
        """The steps there are, as they stand before anything is done now."""
        self.title = book.title
        for step in book.steps:
            for part in (*step.pre, step, *step.verify):
                self._rows[part.path] = _Row(part.path, part.name, int(part is not step))
        for past in record.steps if record is not None else ():
            row = self._row(past.path)
            row.state, row.reason = past.state.value, past.reason

    def hear(self, event: Event, now: float) -> str:
        """Take in one event; the path of the step that begins with it, else nothing."""
        if event.kind in ("run.started", "run.resumed") and not self.run:
            self.run = event.subject.removeprefix("run/")
        if event.subject != f"run/{self.run}" or not event.kind.startswith("step."):
            return ""
        row = self._row(event.data["step"], event.data.get("title", ""))
        if event.kind == "step.intended":
            row.state, row.reason, row.started, row.tail = RUNNING, "", now, ()
            self._follow(row, now)
            return row.path
        row.state = event.data.get("state", "skipped")
        row.reason = event.data.get("reason", "")
        row.seconds = now - row.started if row.started else 0.0
        row.tail = ()
        self._follow(row, now)
        return ""

    def _follow(self, row: _Row, now: float) -> None:
        """A step that is repeated runs while a repetition does, and else stands as the last one does."""
        main = self._rows.get(main_of(row.path))
        if main is None or "[" not in row.path or "/" in row.path:
            return
        others = (one for one in self._rows.values() if one.path.startswith(f"{main.path}["))
        main.state = RUNNING if any(one.state == RUNNING for one in others) else row.state
        main.started = main.started or row.started or now
        main.seconds = now - main.started

    def line(self, event: Event, now: float) -> str:
        """The same event as a line of its own, where nothing is redrawn; empty when it is not worth one."""
        if event.kind in ("run.started", "run.resumed"):
            return f"{event.subject.removeprefix('run/')}: {self.title}"
        row = self._rows.get(event.data.get("step", ""))
        if row is None or event.kind not in ("step.finished", "step.settled", "step.skipped"):
            return ""
        return next(iter(_drawn(row, now))).text

    def knows(self, path: str) -> bool:
        """Whether this is a step of the run."""
        return path in self._rows

    def print(self, path: str, text: str) -> None:
        """What a step that runs says now, a few lines at most."""
        if path in self._rows:
            self._rows[path].tail = tuple(text.splitlines()[-TAIL_LINES:])

    def lines(self, now: float, height: int) -> list[Line]:
        """The tree in at most `height` lines."""
        rows = [row for row in self._rows.values() if self._is_shown(row)]
        done = sum(1 for row in rows if row.state not in (PENDING, RUNNING) and not row.depth)
        steps = sum(1 for row in rows if not row.depth)
        head = Line(f"{self.title}  {self.run}  {done} of {steps} steps".strip())
        drawn = [(row, line) for row in rows for line in _drawn(row, now)]
        focus = max((n for n, (row, _) in enumerate(drawn) if row.state != PENDING), default=0)
        return [head, *_window([line for _, line in drawn], focus, max(height - 1, 1))]

    def _is_shown(self, row: _Row) -> bool:
        """What serves a step is shown once it, or the step, has begun."""
        main = self._rows.get(main_of(row.path))
        return not row.depth or row.state != PENDING or (main is not None and main.state == RUNNING)

    def _row(self, path: str, title: str = "") -> _Row:
        """The row of a step; one that was not expected, such as `a[2]`, comes after its like."""
        if path not in self._rows:
            rows = [*self._rows.values()]
            like = [n for n, row in enumerate(rows, start=1) if main_of(row.path) == main_of(path)]
            rows.insert(
                like[-1] if like else len(rows), _Row(path, title or path, int(path != main_of(path)))
            )
            self._rows = {row.path: row for row in rows}
        return self._rows[path]


def main_of(path: str) -> str:
    """The step that a fence, or a repetition, belongs to: `a` of `a[2]/verify`."""
    return path.split("/")[0].split("[")[0]


def _drawn(row: _Row, now: float) -> Iterable[Line]:
    mark = _MARKS.get(row.state, "·")
    indent = "  " * row.depth
    seconds = now - row.started if row.state == RUNNING else row.seconds
    parts = [f"{indent}{mark} {row.path}"]
    parts += [row.title] if row.title != row.path else []
    parts += [row.state] if row.state not in (PENDING, RUNNING, "ok") else []
    parts += [f"({format_duration(seconds)})"] if seconds else []
    parts += [row.reason] if row.reason else []
    yield Line("  ".join(parts), _STYLES.get(mark, ""), len(indent) + 1)
    for line in row.tail:
        yield Line(f"{indent}  │ {line}", "dim", len(indent) + 3)


def _window(lines: Sequence[Line], focus: int, room: int) -> list[Line]:
    """The lines around the one that matters, and how many there are beyond."""
    if len(lines) <= room:
        return list(lines)
    if room < 3:
        return [lines[focus]]
    inner = room - 2
    start = min(max(focus - inner * 2 // 3, 0), len(lines) - inner)
    below = len(lines) - start - inner
    first = [Line(f"… {start} lines above")] if start else []
    last = [Line(f"… {below} lines below")] if below else []
    return [*first, *lines[start : start + inner], *last]

"""What maestro and the child that performs an experiment say to one another: JSON objects, a line each.

Invariant: what a probe returned, whatever it is, becomes JSON that any reader takes: NaN and infinities are
text, and what is too long is cut. A line that was begun is sent whole. The standard library alone: the child
loads it beside Chaos Toolkit.

    parent → child   {"order": {…}} once; {"answer": n, "value": …} or {"answer": n, "error": …}
    child → parent   {"event": name, …}; {"request": n, "do": name, "arguments": {…}}
"""

from __future__ import annotations

import json
import math
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

MAX_TEXT = 20_000
MAX_ITEMS = 2_000
MAX_DEPTH = 20
MAX_LINE_BYTES = 64 * 2**20


class Line:
    """One end; sends from any thread, is read by one. `broken` is why it cannot be read on, or ""."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._sending = threading.Lock()
        self._sender = 0  # the thread in the midst of a line
        self._owed: tuple[int, BaseException] | None = None  # what that thread is to raise after it
        self.broken = ""

    def send(self, message: Mapping[str, Any]) -> None:
        """Raises OSError when the other end is gone, and what `interrupt` was given meanwhile."""
        content = json.dumps(sane(message), ensure_ascii=True).encode() + b"\n"
        try:
            with self._sending:
                self._sender = threading.get_ident()
                try:
                    self._end.sendall(content)
                finally:
                    self._sender = 0
        finally:
            self._raise_owed()

    def interrupt(self, error: BaseException) -> None:
        """For a signal handler: raise it now, or, in the midst of a line, when that is whole."""
        if self._sender != threading.get_ident():
            raise error
        self._owed = threading.get_ident(), error

    def messages(self) -> Iterator[dict[str, Any]]:
        """What the other end says, until it is gone or `broken`; half a line at the end is left out."""
        with suppress(OSError), self._end.makefile("rb") as stream:
            while line := stream.readline(MAX_LINE_BYTES):
                if not line.endswith(b"\n"):
                    self.broken = (
                        f"a line of over {MAX_LINE_BYTES} bytes" if len(line) == MAX_LINE_BYTES else ""
                    )
                    return
                try:
                    message = json.loads(line)
                except (ValueError, RecursionError) as error:
                    self.broken = f"a line that is no JSON: {type(error).__name__}"
                    return
                if not isinstance(message, dict):
                    self.broken = f"a line that is no JSON object: {type(message).__name__}"
                    return
                yield message

    def hang_up(self) -> None:
        """Have the other end see that nobody listens; whoever sends here is refused."""
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.hang_up()
        self._end.close()

    def _raise_owed(self) -> None:
        if self._owed is not None and self._owed[0] == threading.get_ident():
            (_, error), self._owed = self._owed, None
            raise error


def sane(value: Any, depth: int = 0) -> Any:
    """The value as JSON."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, bytes):
        return _cut(value.decode("utf-8", "replace"))
    if depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {str(key): sane(one, depth + 1) for key, one in list(value.items())[:MAX_ITEMS]}
    if isinstance(value, list | tuple | set | frozenset):
        return [sane(one, depth + 1) for one in list(value)[:MAX_ITEMS]]
    try:
        return _cut(str(value))
    except Exception as error:  # noqa: BLE001 - a probe may return what cannot even be shown
        return f"{type(value).__name__} ({type(error).__name__})"


def _cut(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode()
    return whole if len(whole) <= MAX_TEXT else whole[:MAX_TEXT] + "…"


class NotUnderMaestro(Exception):
    """An activity of maestro's was called by something else."""


class Asking:
    """Asks the parent from the child's activities, each of which waits for its own answer."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._changed = threading.Condition()
        self._answers: dict[int, Mapping[str, Any]] = {}
        self._last = 0
        self._is_over = False

    def ask(self, do: str, arguments: Mapping[str, Any]) -> Any:
        """The answer; raises RuntimeError with what the parent says, or that it is gone."""
        with self._changed:
            self._last += 1
            number = self._last
        self._line.send({"request": number, "do": do, "arguments": arguments})
        with self._changed:
            while number not in self._answers:
                if self._is_over:
                    raise RuntimeError("maestro is gone")
                self._changed.wait(1.0)
            answer = self._answers.pop(number)
        if "error" in answer:
            raise RuntimeError(str(answer["error"]))
        return answer.get("value")

    def answered(self, message: Mapping[str, Any]) -> None:
        with self._changed:
            self._answers[int(message["answer"])] = message
            self._changed.notify_all()

    def end(self) -> None:
        """Nobody will answer any more."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()


_asking: list[Asking] = []


def connect(asking: Asking) -> None:
    """Whom the activities of this process ask."""
    _asking[:] = [asking]


def ask(do: str, **arguments: Any) -> Any:
    """Ask the maestro that performs this experiment; raises NotUnderMaestro, and as `Asking.ask`."""
    if not _asking:
        raise NotUnderMaestro("run it with: maestro chaos run FILE")
    return _asking[0].ask(do, arguments)

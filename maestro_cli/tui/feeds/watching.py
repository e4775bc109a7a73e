"""Watches of a cluster as feeds.

Invariant: the whole is told in order, at most each SHORTEST_SECONDS, and what changed last is always told;
while nothing changes, nothing runs. What was lost is told as fresh only once it was heard or listed anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import MaestroError, NotFound, TimedOut, Unreachable
from maestro_cli.core.facts.live import Begun, Listed, Lost, Restored, Seen
from maestro_cli.tui.feeds.model import Hearer

L = TypeVar("L")
Watching = Callable[[Cancellation], Sequence[Iterable[Seen[Any]]]]  # begins watches, which end when cancelled
SHORTEST_SECONDS = 0.25
PULSE_SECONDS = 10.0  # between two questions whether the other side still answers
PULSE = -1  # the part that is lost while it does not


class Gathering(Generic[L]):
    """All lines of one or more watches; tells the hearer when they have changed."""

    def __init__(self, hearer: Hearer[tuple[L, ...]], order: Callable[[L], Any], parts: int = 1) -> None:
        self._hearer, self._order = hearer, order
        self._lock = threading.Lock()
        self._telling = threading.Lock()  # what is told comes in the order in which it happened
        self._lines: dict[str, L] = {}
        self._of_part: dict[int, set[str]] = {}
        self._lost: dict[int, tuple[Exception, datetime | None]] = {}  # with until when it was heard
        self._awaited = self._going_on = parts
        self._timer: threading.Timer | None = None
        self._is_ordered, self._has_told = True, False
        self._begun: dict[int, list[L]] = {}  # of lists that are read for the first time, by part

    def hear(self, part: int, seen: Iterable[Seen[Any]]) -> None:
        """Follow one watch to its end."""
        for news in seen:
            match news:
                case Begun(lines, is_anew):
                    self._begin(part, lines, is_anew)
                case Listed(lines, _):
                    self._listed(part, lines)
                case Lost(error, heard_at):
                    self.lose(part, error, heard_at)
                case Restored():
                    self.restore(part)
                case _:
                    self._apply(part, news)

    def lose(self, part: int, error: Exception, heard_at: datetime | None = None) -> None:
        """Nothing is fresh from now on, until this watch tells again."""
        with self._telling:
            with self._lock:
                self._lost[part] = error, heard_at
            self._say_lost()

    def restore(self, part: int) -> None:
        """This watch tells again; nothing happens where it was not lost."""
        with self._lock:
            was_lost = self._lost.pop(part, None) is not None
        if was_lost:
            self._changed()

    def _say_lost(self) -> None:
        """The whole is as old as the oldest of its parts; before each was listed, as old as it was told."""
        with self._lock:
            lost = list(self._lost.values())
            is_listed = len(self._of_part) >= self._awaited
        if lost and not is_listed:
            self._hearer.failed(lost[-1][0])
        elif lost:
            heard = [heard_at for _, heard_at in lost if heard_at is not None]
            self._hearer.failed(lost[-1][0], min(heard, default=None))

    def end(self) -> None:
        """One watch has ended; with the last one, what was not told yet is told, and nothing after it."""
        with self._lock:
            self._going_on -= 1
            is_last, timer = self._going_on == 0, self._timer
        if is_last:
            if timer is not None:
                timer.cancel()
            self._tell()  # or waits for whoever is telling

    def _begin(self, part: int, lines: tuple[Any, ...], is_anew: bool) -> None:
        with self._lock:
            if is_anew:
                self._begun[part] = []
            is_first = not any(self._begun.values())
            self._begun.setdefault(part, []).extend(lines)
            if self._timer is None and not self._has_told:
                self._start(0.0 if is_first else SHORTEST_SECONDS)

    def _listed(self, part: int, lines: tuple[Any, ...]) -> None:
        with self._lock:
            self._begun.pop(part, None)
            if self._timer is not None and not self._has_told:
                self._timer.cancel()  # what it would have told is no news any more
                self._timer = None
            for uid in self._of_part.get(part, ()):
                self._lines.pop(uid, None)
            self._of_part[part] = {line.uid for line in lines}
            self._lines.update((line.uid, line) for line in lines)
            self._is_ordered = False
        self._changed()

    def _apply(self, part: int, changes: tuple[Any, ...]) -> None:
        with self._lock:
            mine = self._of_part.setdefault(part, set())
            for change in changes:
                if change.line is None:
                    mine.discard(change.uid)
                    self._lines.pop(change.uid, None)
                    continue
                self._is_ordered = self._is_ordered and change.uid in self._lines
                mine.add(change.uid)
                self._lines[change.uid] = change.line
        self._changed()

    def _changed(self) -> None:
        """Tell soon, once for all that changes until then; the first whole list at once."""
        with self._lock:
            if len(self._of_part) < self._awaited or self._timer is not None:
                return
            self._start(SHORTEST_SECONDS if self._has_told else 0.0)

    def _start(self, seconds: float) -> None:
        """With the lock held."""
        self._timer = threading.Timer(seconds, self._tell)
        self._timer.daemon = True
        self._timer.start()

    def _tell(self) -> None:
        """All of it; and again what is lost, so that news of one watch hides no silence of another."""
        with self._telling:
            with self._lock:
                if self._timer is None:
                    return  # somebody was faster
                self._timer = None
                is_whole = len(self._of_part) >= self._awaited
                self._has_told = self._has_told or is_whole
                begun = [] if is_whole else [line for lines in self._begun.values() for line in lines]
                if not is_whole:
                    begun += self._lines.values()
                elif not self._is_ordered:
                    self._lines = {line.uid: line for line in sorted(self._lines.values(), key=self._order)}  # type: ignore[attr-defined]
                    self._is_ordered = True
                whole = tuple(self._lines.values())
            if not is_whole:
                self._hearer.begun(tuple(sorted(begun, key=self._order)))
                return
            self._hearer.read(whole)
            self._say_lost()


def gather(
    hearer: Hearer[tuple[L, ...]],
    order: Callable[[L], Any],
    watching: Watching,
    cancellation: Cancellation,
    answers: Callable[[], object] | None = None,
) -> None:
    """Follow watches until they end or are cancelled: the first in this thread, each other in one of its own.

    A kind that the cluster does not serve has no lines; any other error of a watch is told to the hearer.
    A network that swallows everything looks to a watch like a cluster where nothing happens: `answers` raises
    when the other side does not answer, and is asked from time to time. Once it answers again the watches,
    whose connections may be dead, begin anew; until they have listed all, nothing is fresh.
    """
    is_over = False
    while not is_over and not cancellation.is_set:
        with cancellation.child() as round_:
            _gather_once(hearer, order, watching(round_), round_, answers)
            is_over = not round_.is_set


def _gather_once(
    hearer: Hearer[tuple[L, ...]],
    order: Callable[[L], Any],
    watches: Sequence[Iterable[Seen[Any]]],
    round_: Cancellation,
    answers: Callable[[], object] | None,
) -> None:
    gathering = Gathering(hearer, order, len(watches))
    over = threading.Event()
    if answers is not None:
        pulse = (gathering, answers, round_, over)
        threading.Thread(target=_feel, args=pulse, daemon=True, name="pulse").start()

    def follow(part: int) -> None:
        try:
            gathering.hear(part, watches[part])
        except NotFound:
            gathering.hear(part, [Listed((), datetime.now(UTC))])
        except Exception as error:  # noqa: BLE001 - the border of a thread: a watch that ends silently looks fresh
            gathering.lose(part, error)
        finally:
            gathering.end()

    others = [
        threading.Thread(target=follow, args=(part,), daemon=True, name=f"watch {part}")
        for part in range(1, len(watches))
    ]
    for one in others:
        one.start()
    follow(0)
    for one in others:
        one.join()
    over.set()


def _feel(
    gathering: Gathering[Any], answers: Callable[[], object], round_: Cancellation, over: threading.Event
) -> None:
    """Ends the round with the first answer after a silence."""
    answered_at, is_silent = datetime.now(UTC), False
    while not over.wait(PULSE_SECONDS):
        try:
            answers()
        except Exception as error:  # noqa: BLE001 - the border of a thread, as above
            if not _is_answer(error):
                is_silent = True
                if not over.is_set():
                    gathering.lose(PULSE, error, answered_at)
                continue
        if is_silent:
            round_.cancel()
            return
        answered_at = datetime.now(UTC)


def _is_answer(error: Exception) -> bool:
    """Whether the other side said it: it may deny what it is asked, and is there."""
    return isinstance(error, MaestroError) and not isinstance(error, Unreachable | TimedOut)

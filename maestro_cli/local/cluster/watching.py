"""Watch streams.

Invariant: a watcher gets every event after its resource version exactly once and in order, an object
that leaves its selection as DELETED, one that enters it as ADDED; or an ERROR that says why not.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import msgspec

from maestro_cli.local.cluster.status import ApiError, Object
from maestro_cli.local.cluster.store import Event, Store, Version

BOOKMARK_SECONDS = 20.0
_BACKLOG_MAX = 50_000
Show = Callable[[Version], bytes]
Select = Callable[[Version], bool]


@dataclass(slots=True)
class Watch:
    """One watcher: what it selects, how it is shown, from where, and for how long."""

    shelf: str
    select: Select
    show: Show
    bookmark: Callable[[int, bool], bytes]
    start: int | None
    initial: bool
    initial_end: bool
    bookmarks: bool
    timeout_seconds: float
    _pending: deque[Event] = field(default_factory=deque)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _overrun: bool = False
    _closed: bool = False

    def close(self) -> None:
        """End the stream at its next turn."""
        self._closed = True
        self._wake.set()

    def _push(self, event: Event) -> None:
        if len(self._pending) >= _BACKLOG_MAX:
            self._overrun = True
        else:
            self._pending.append(event)
        self._wake.set()

    def _forget(self, event: Event) -> None:
        """An event that was taken back, the newest one. Of a chunk that holds it the server sends nothing."""
        if self._pending and self._pending[-1] is event:
            self._pending.pop()

    async def stream(self, store: Store) -> AsyncIterator[bytes]:
        """Lines of JSON, several events a chunk when they come together."""
        stop = store.listen(self.shelf, self._push, self._forget)
        try:
            try:
                first = self._first(store)
            except ApiError as error:
                yield _line("ERROR", msgspec.json.encode(error.body()))
                return
            if first:
                yield first
            async for chunk in self._follow(store):
                yield chunk
        finally:
            stop()

    def _first(self, store: Store) -> bytes:
        if self.initial:
            lines = [
                _line("ADDED", self.show(version))
                for version in store.list(self.shelf)
                if self.select(version)
            ]
            if self.initial_end:
                lines.append(_line("BOOKMARK", self.bookmark(store.revision, True)))
            return b"".join(lines)
        start = store.revision if self.start is None else self.start
        if start > store.revision:
            # Of another life of this server: the client has to list again.
            raise ApiError(410, "Expired", f"too old resource version: {start} ({store.revision})")
        return b"".join(self._seen(event) for event in store.since(self.shelf, start))

    async def _follow(self, store: Store) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.timeout_seconds
        next_bookmark = loop.time() + BOOKMARK_SECONDS
        marked = store.revision
        while not self._closed:
            wait = min(deadline, next_bookmark if self.bookmarks else deadline) - loop.time()
            await self._woken(wait)
            events = [self._pending.popleft() for _ in range(len(self._pending))]
            if chunk := b"".join(self._seen(event) for event in events):
                yield chunk
            if self._overrun:
                gone = ApiError(410, "Expired", "the watcher fell too far behind; list again")
                yield _line("ERROR", msgspec.json.encode(gone.body()))
                return
            if self.bookmarks and loop.time() >= next_bookmark:
                next_bookmark = loop.time() + BOOKMARK_SECONDS
                if store.revision > marked and not self._pending:
                    marked = store.revision
                    yield _line("BOOKMARK", self.bookmark(marked, False))
            if loop.time() >= deadline:
                return

    async def _woken(self, wait_seconds: float) -> None:
        if not self._wake.is_set():
            try:
                await asyncio.wait_for(self._wake.wait(), max(wait_seconds, 0))
            except TimeoutError:
                return
        self._wake.clear()

    def _seen(self, event: Event) -> bytes:
        before = event.before is not None and self.select(event.before)
        after = not event.gone and self.select(event.after)
        if after:
            return _line("MODIFIED" if before else "ADDED", self.show(event.after))
        return _line("DELETED", self.show(_last(event))) if before else b""


def _last(event: Event) -> Version:
    """What a watcher is shown of an object that left its selection: as it was, at the new revision."""
    if event.gone or event.before is None:
        return event.after
    last: Object = event.before.copy()
    last["metadata"]["resourceVersion"] = str(event.revision)
    return Version(event.revision, event.after.key, last, msgspec.json.encode(last))


def _line(kind: str, shown: bytes) -> bytes:
    return b'{"type":"' + kind.encode() + b'","object":' + shown + b"}\n"

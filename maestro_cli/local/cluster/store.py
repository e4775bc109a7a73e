"""The versions of every object, in memory, and the history that watches and old lists are read from.

Invariant: one revision counter for all kinds, one event a revision, and a stored object is never
changed. Everything runs on the thread of the event loop, so a write is atomic by construction.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import msgspec

from maestro_cli.local.cluster.status import Object, expired, too_large_version

Key = tuple[str, str]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object: what it was at `revision`, and its JSON."""

    revision: int
    key: Key
    object: Object
    raw: bytes

    def copy(self) -> Object:
        """The object again, free to be changed."""
        return cast(Object, _decode(self.raw))


@dataclass(frozen=True, slots=True)
class Event:
    """A commit: `before` is None for a new object, `gone` says that `after` is its last state."""

    revision: int
    before: Version | None
    after: Version
    gone: bool


Listener = Callable[[Event], None]


@dataclass(slots=True)
class _Shelf:
    """The objects of one kind, their history, and who listens."""

    versions: dict[Key, Version] = field(default_factory=dict)
    history: deque[Event] = field(default_factory=deque)
    floor: int = 0
    listeners: list[tuple[Listener, Listener]] = field(default_factory=list)


Versions = list[Version]
Events = list[Event]


class Store:
    """A multi-version map from (kind, namespace, name) to objects."""

    def __init__(
        self,
        history: int = 20_000,
        on_commit: Callable[[str, Event], None] | None = None,
        after: int = 0,
    ) -> None:
        """Keep `history` events a kind; `after` is the last revision of an earlier process."""
        self._shelves: dict[str, _Shelf] = {}
        self._history = history
        self._on_commit = on_commit
        # Later than any revision of an earlier process, so that a watch from before a restart is told 410.
        self.revision = max(int(time.time() * 1000), after + 1)
        self._start = self.revision

    def restore(self, kind: str, key: Key, revision: int, raw: bytes) -> None:
        """Take in an object of an earlier process, before anything else is done."""
        self._shelf(kind).versions[key] = Version(revision, key, _decode(raw), raw)

    def _shelf(self, kind: str) -> _Shelf:
        shelf = self._shelves.get(kind)
        if shelf is None:
            shelf = self._shelves[kind] = _Shelf(floor=self._start)
        return shelf

    def get(self, kind: str, key: Key) -> Version | None:
        return self._shelf(kind).versions.get(key)

    def put(self, kind: str, key: Key, obj: Object) -> Version:
        """Commit `obj` (which the store keeps) as the newest version."""
        shelf = self._shelf(kind)
        version = self._stamp(key, obj)
        before = shelf.versions.get(key)
        shelf.versions[key] = version
        self._commit(kind, shelf, Event(version.revision, before, version, gone=False))
        return version

    def remove(self, kind: str, key: Key, last: Object) -> Version:
        """Commit the end of an object, whose last state is `last`. Raises KeyError when there is none."""
        shelf = self._shelf(kind)
        before = shelf.versions.pop(key)
        version = self._stamp(key, last)
        self._commit(kind, shelf, Event(version.revision, before, version, gone=True))
        return version

    def _stamp(self, key: Key, obj: Object) -> Version:
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        return Version(self.revision, key, obj, _encode(obj))

    def _commit(self, kind: str, shelf: _Shelf, event: Event) -> None:
        if self._on_commit is not None:
            self._on_commit(kind, event)
        shelf.history.append(event)
        while len(shelf.history) > self._history:
            shelf.floor = shelf.history.popleft().revision
        for listener, _ in tuple(shelf.listeners):
            listener(event)

    def undo(self, kind: str, event: Event) -> None:
        """Take back the newest commit, of which nobody was told; its revision will be given out again."""
        shelf = self._shelf(kind)
        if event.before is None:
            shelf.versions.pop(event.after.key, None)
        else:
            shelf.versions[event.after.key] = event.before
        if shelf.history and shelf.history[-1] is event:
            shelf.history.pop()
        self.revision = event.revision - 1
        for _, forget in tuple(shelf.listeners):
            forget(event)

    def list(self, kind: str, namespace: str = "", at: int | None = None) -> Versions:
        """All versions of a kind in key order, now or as they were at revision `at`.

        Raises ApiError 410 when history no longer reaches back that far, 504 when `at` is still to come.
        """
        shelf = self._shelf(kind)
        versions = shelf.versions
        if at is not None:
            versions = self._rolled_back(shelf, at)
        return [versions[key] for key in sorted(versions) if not namespace or key[0] == namespace]

    def _rolled_back(self, shelf: _Shelf, at: int) -> dict[Key, Version]:
        if at > self.revision:
            raise too_large_version(at, self.revision)
        if at < shelf.floor:
            raise expired(at, shelf.floor)
        versions = dict(shelf.versions)
        for event in reversed(shelf.history):
            if event.revision <= at:
                break
            if event.before is None:
                versions.pop(event.after.key, None)
            else:
                versions[event.after.key] = event.before
        return versions

    def occupied(self, kind: str, namespace: str) -> bool:
        """Whether a namespace holds any object of the kind."""
        return any(key[0] == namespace for key in self._shelf(kind).versions)

    def since(self, kind: str, revision: int) -> Events:
        """The events after a revision. Raises ApiError 410 when some of them are forgotten."""
        shelf = self._shelf(kind)
        if revision < shelf.floor:
            raise expired(revision, shelf.floor)
        events = []
        for event in reversed(shelf.history):
            if event.revision <= revision:
                break
            events.append(event)
        return events[::-1]

    def listen(
        self, kind: str, listener: Listener, forget: Listener = lambda event: None
    ) -> Callable[[], None]:
        """Call `listener` at each commit of the kind, and `forget` at one taken back, until the answer is
        called.
        """
        listeners = self._shelf(kind).listeners
        listeners.append((listener, forget))
        return lambda: listeners.remove((listener, forget))

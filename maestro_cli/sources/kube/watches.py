"""Lists that stay current: the whole list, then what changes, over one connection each.

Invariant: nothing is told twice in another order, nothing that changed is left out: where the API server no
longer knows what came after the last version (410), all is listed again. What is yielded are lines; nothing
is kept. While nothing changes, nothing runs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock, SystemClock
from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import Interrupted, MaestroError, NotFound, UsageError
from maestro_cli.core.facts.cluster import ClusterEvent
from maestro_cli.core.facts.inventory import NodeLine, PodLine, WorkloadLine
from maestro_cli.core.facts.live import Begun, Changed, Listed, Lost, Restored, Seen
from maestro_cli.sources.deadline import unless_cancelled
from maestro_cli.sources.failures import not_like
from maestro_cli.sources.kube import objects
from maestro_cli.sources.kube.api_server import SYSTEM, ApiServer, ExpiredList, Status, error_for
from maestro_cli.sources.kube.facts import event_facts
from maestro_cli.sources.kube.inventory import PATIENCE, node_line, pod_line, selection
from maestro_cli.sources.kube.paths import scoped
from maestro_cli.sources.kube.workload_lines import daemon_set_line, deployment_line, stateful_set_line
from maestro_cli.sources.kube.workloads import path_of_kind

SHORTEST_WATCH_SECONDS, LONGEST_WATCH_SECONDS = 180.0, 300.0  # then the server ends it, and another begins
SILENCE_SECONDS = 30.0  # after that end; without an end, the server or the way to it is gone
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 15.0
STEADY_SECONDS = 5.0  # a watch that lasted is no failure, even if nothing changed meanwhile
MAX_LINE_BYTES = 16 * 2**20
T = TypeVar("T")
L = TypeVar("L")


class _Event(msgspec.Struct, Generic[T]):
    type: str
    object: T


class Watches:
    """What one cluster has, as it changes. Each watch is iterated by one thread, and asks on its own.

    It yields `Listed`, and parts of a long first list before it as `Begun`, then tuples of `Changed`; `Lost`
    while the cluster does not tell, `Restored` when it does again. It ends when cancelled, at once. It raises
    NotFound where the cluster does not serve the kind and UsageError for a selector that it does not
    understand; nothing else.
    """

    def __init__(
        self, api: ApiServer, clock: Clock | None = None, chance: Callable[[], float] = random.random
    ) -> None:
        self._api, self._clock, self._chance = api, clock or SystemClock(), chance

    def pods(
        self, namespace: str | None, zone_of: Callable[[str], str], cancellation: Cancellation, *,
        selector: str = "", fields: str = "", version: str = "",
    ) -> Iterator[Seen[PodLine]]:  # fmt: skip
        """Pods of a namespace, or of all (None); `zone_of` as in `Inventory.pods`.

        With the `version` of a list that is known already it tells what came after that.
        """
        path, line = scoped("/api/v1", namespace, "pods"), partial(pod_line, zone_of=zone_of)
        return self._watch(path, objects.PodObject, line, selection(selector, fields), cancellation, version)

    def nodes(self, cancellation: Cancellation, *, selector: str = "") -> Iterator[Seen[NodeLine]]:
        """All nodes, or those that match a label selector."""
        chosen = selection(selector, "")
        return self._watch("/api/v1/nodes", objects.NodeObject, node_line, chosen, cancellation)

    def workloads(
        self, kind: str, namespace: str | None, cancellation: Cancellation, *, selector: str = ""
    ) -> Iterator[Seen[WorkloadLine]]:
        """Those of one kind: Deployment, StatefulSet or DaemonSet."""
        path, chosen = path_of_kind(kind, namespace), selection(selector, "")
        if kind == "Deployment":
            return self._watch(path, objects.Deployment, deployment_line, chosen, cancellation)
        if kind == "StatefulSet":
            return self._watch(path, objects.StatefulSet, stateful_set_line, chosen, cancellation)
        return self._watch(path, objects.DaemonSet, daemon_set_line, chosen, cancellation)

    def events(
        self, namespace: str | None, cancellation: Cancellation, *, fields: str = ""
    ) -> Iterator[Seen[ClusterEvent]]:
        """Events, such as those of `fields="type=Warning"`."""
        path = scoped("/api/v1", namespace, "events")
        return self._watch(path, objects.EventObject, event_facts, selection("", fields), cancellation)

    def _watch(
        self, path: str, kind: type[Any], line: Callable[[Any], L], chosen: dict[str, str | int],
        cancellation: Cancellation, version: str = "",
    ) -> Iterator[Seen[L]]:  # fmt: skip
        asked = _Asked(path, kind, line, chosen)
        return iter(_Watch(self._api, asked, cancellation, self._clock, self._chance, version))


@dataclass(frozen=True, slots=True)
class _Asked:
    path: str
    kind: type[Any]
    line: Callable[[Any], Any]
    chosen: dict[str, str | int]


@dataclass(slots=True)
class _Watch:
    """One watch: where it is, and since when it does not know."""

    api: ApiServer
    asked: _Asked
    cancellation: Cancellation
    clock: Clock
    chance: Callable[[], float]
    version: str = ""  # the last one told; "" when all must be listed
    pause_seconds: float = 0.0
    heard_at: datetime = field(init=False)
    is_told: bool = False  # the server has answered since the last failure
    lost: tuple[type[MaestroError], str] | None = None  # what was said of the failure

    def __post_init__(self) -> None:
        self.heard_at = self.clock.now()

    def __iter__(self) -> Iterator[Seen[Any]]:
        has_listed = bool(self.version)
        while not self.cancellation.is_set:
            try:
                if not self.version:
                    yield from self._list(tells_parts=not has_listed)
                    has_listed = True
                yield from self._follow()
            except Interrupted:
                return
            except ExpiredList:
                self.version = ""
            except MaestroError as error:
                if self.cancellation.is_set:
                    return
                if isinstance(error, NotFound | UsageError) and not has_listed:
                    raise
                yield from self._lose(error)
            if self.pause_seconds:
                self.cancellation.wait(self.pause_seconds * (0.5 + self.chance() / 2))
            self.pause_seconds = min(max(self.pause_seconds * 2, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)

    def _list(self, *, tells_parts: bool) -> Iterator[Seen[Any]]:
        """The whole list; of the first one its parts too, as long as there is more."""
        at, asked = self.clock.now(), self.asked
        parts = self.api.parts(asked.path, asked.kind, asked.line, asked.chosen, patience=PATIENCE)
        lines, version = list[Any](), ""
        while (part := unless_cancelled(self.cancellation, partial(next, parts, None))) is not None:
            if part.is_first:
                lines = []
            lines += part.lines
            if part.is_last:
                version = part.version
            elif tells_parts:
                yield Begun(tuple(part.lines), part.is_first)
        yield from self._restore()
        told, self.version = Listed(tuple(lines), at), version
        del lines  # whoever asked has them now
        yield told

    def _follow(self) -> Iterator[Seen[Any]]:
        spread = LONGEST_WATCH_SECONDS - SHORTEST_WATCH_SECONDS
        limit = int(SHORTEST_WATCH_SECONDS + spread * self.chance())
        params: dict[str, str | int] = {
            **self.asked.chosen, "watch": "true", "allowWatchBookmarks": "true",
            "resourceVersion": self.version, "timeoutSeconds": limit,
        }  # fmt: skip
        began = self.clock.monotonic()
        with self.api.open(
            self.asked.path, params, self.cancellation, silence_seconds=limit + SILENCE_SECONDS,
            patience=PATIENCE,
        ) as answer:  # fmt: skip
            yield from self._restore()
            decoder = msgspec.json.Decoder(ready(_Event[self.asked.kind]))  # type: ignore[name-defined]
            for lines in _lines(answer.chunks(), self.api.url):
                changes = tuple(change for text in lines if (change := self._change(decoder, text)))
                self._heard()
                if changes:
                    yield changes
        if self.clock.monotonic() - began >= STEADY_SECONDS:
            self._heard()

    def _change(self, decoder: msgspec.json.Decoder[Any], text: bytes) -> Changed[Any] | None:
        try:
            event = decoder.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._failure(text, error) from error
        if event.type == "ERROR":
            raise self._failure(text, None)
        meta = event.object.metadata
        self.version = meta.resource_version or self.version
        if event.type in ("ADDED", "MODIFIED"):
            return Changed(meta.uid, self.asked.line(event.object))
        return Changed(meta.uid, None) if event.type == "DELETED" else None

    def _failure(self, text: bytes, error: Exception | None) -> MaestroError:
        """What the server holds against this watch; all is listed again then."""
        self.version = ""
        try:
            event = msgspec.json.decode(text, type=ready(_Event[Status]))
        except (msgspec.DecodeError, RecursionError):
            return not_like(SYSTEM, self.api.url, f"a watch of {self.asked.path} says: {error}")
        return error_for(event.object.code, event.object)

    def _heard(self) -> None:
        self.heard_at, self.pause_seconds = self.clock.now(), 0.0

    def _lose(self, error: MaestroError) -> Iterator[Lost]:
        """Nothing is said of a connection that broke off, unless the next one fails too."""
        said = type(error), error.what
        if not self.is_told and said != self.lost:
            self.lost = said
            yield Lost(error, self.heard_at)
        self.is_told = False

    def _restore(self) -> Iterator[Restored]:
        self.heard_at, self.is_told = self.clock.now(), True
        if self.lost is not None:
            self.lost = None
            yield Restored(self.heard_at)


def _lines(chunks: Iterator[bytes], url: str) -> Iterator[list[bytes]]:
    """The lines that each chunk ends, without those that hold nothing."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise not_like(SYSTEM, url, f"one event is larger than {MAX_LINE_BYTES} bytes")
        if lines := [line for line in whole if line.strip()]:
            yield lines

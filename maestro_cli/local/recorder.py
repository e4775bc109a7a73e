"""Cluster events of one component.

Invariant: recording never blocks and never fails its caller; the same thing said again raises the
count of one event instead of making another.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

from maestro_cli.core.errors import MaestroError, Unreachable
from maestro_cli.local.api import EVENTS, ApiClient, ApiError
from maestro_cli.local.objects import Object, name_of, namespace_of, timestamp, uid_of

_LOG = logging.getLogger(__name__)
_REMEMBERED = 2048
_LONGEST_MESSAGE = 1024
_RETRY_SECONDS = 1.0


class EventRecorder:
    """Queues events and writes them from `run`."""

    def __init__(self, client: ApiClient, component: str, host: str = "") -> None:
        self._client = client
        self._source = {"component": component} | ({"host": host} if host else {})
        self._queue: asyncio.Queue[tuple[Object, str, str, str, str, str]] = asyncio.Queue(maxsize=1000)
        self._written: OrderedDict[tuple[str, ...], Object] = OrderedDict()

    def record(
        self, thing: Object, reason: str, message: str, *, warning: bool = False, path: str = ""
    ) -> None:
        """Say something about an object; `path` is a field path such as `spec.containers{server}`."""
        kind = "Warning" if warning else "Normal"
        try:
            now = timestamp(datetime.now(UTC))
            self._queue.put_nowait((thing, kind, reason, message[:_LONGEST_MESSAGE], path, now))
        except asyncio.QueueFull:
            _LOG.warning("event dropped: %s %s", reason, message)

    async def run(self) -> None:
        """Write what was recorded, until cancelled; an API server that is away is waited for."""
        while True:
            entry = await self._queue.get()
            try:
                while not await self._written_or_refused(entry):
                    await asyncio.sleep(_RETRY_SECONDS)
            finally:
                self._queue.task_done()

    async def _written_or_refused(self, entry: tuple[Object, str, str, str, str, str]) -> bool:
        try:
            await self._write(*entry)
        except Unreachable:
            return False
        except MaestroError as refused:
            _LOG.warning("event not written: %s: %s", entry[2], refused.what)
        return True

    async def flush(self, seconds: float) -> None:
        """Wait until everything recorded is written, at most that long."""
        try:
            await asyncio.wait_for(self._queue.join(), seconds)
        except TimeoutError:
            _LOG.warning("events left unwritten at exit")

    async def _write(self, thing: Object, kind: str, reason: str, message: str, path: str, now: str) -> None:
        namespace = namespace_of(thing) or "default"
        same = (uid_of(thing) or name_of(thing), kind, reason, message, path)
        known = self._written.get(same)
        if known is not None:
            count = int(known.get("count", 1)) + 1
            change: dict[str, Any] = {"count": count, "lastTimestamp": now}
            try:
                self._remember(same, await self._client.patch(EVENTS, namespace, name_of(known), change))
                return
            except ApiError as refused:
                if not refused.is_not_found:
                    raise
        event = self._event(thing, kind, reason, message, path, now)
        self._remember(same, await self._client.create(EVENTS, event, namespace))

    def _event(self, thing: Object, kind: str, reason: str, message: str, path: str, now: str) -> Object:
        namespace = namespace_of(thing)
        involved: Object = {
            "kind": thing.get("kind", ""),
            "apiVersion": thing.get("apiVersion", ""),
            "name": name_of(thing),
            "uid": uid_of(thing),
            "resourceVersion": thing["metadata"].get("resourceVersion", ""),
        }
        if namespace:
            involved["namespace"] = namespace
        if path:
            involved["fieldPath"] = path
        return {
            "metadata": {"name": f"{name_of(thing)}.{time.time_ns():x}", "namespace": namespace or "default"},
            "involvedObject": involved,
            "reason": reason,
            "message": message,
            "type": kind,
            "source": self._source,
            "reportingComponent": self._source["component"],
            "reportingInstance": self._source.get("host", ""),
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }

    def _remember(self, same: tuple[str, ...], event: Object) -> None:
        self._written[same] = event
        self._written.move_to_end(same)
        if len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)

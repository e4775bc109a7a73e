"""A local copy of one kind of object, kept by list and watch.

Invariant: the copy never goes back in time. What this process itself wrote is visible at once
(`note`), so a controller that runs twice does not do its work twice; a deletion that was seen cannot
be undone by a late answer. (So a field selector must be one that an object cannot leave and re-enter.)
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from maestro_cli.core.errors import MaestroError
from maestro_cli.local.api import ApiClient, ApiError, Resource
from maestro_cli.local.objects import Object, key_of, metadata, uid_of

_LOG = logging.getLogger(__name__)
Handler = Callable[[Object | None, Object | None], None]
Indexer = Callable[[Object], Iterable[str]]
_TOMBSTONES = 4096
_LONGEST_PAUSE_SECONDS = 2.0


class Informer:
    """Lists, watches, and tells subscribers `(old, new)`; `new` is None when the object went away."""

    def __init__(
        self,
        client: ApiClient,
        resource: Resource,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
    ) -> None:
        self.resource = resource
        self._client = client
        self._scope: dict[str, Any] = {
            "namespace": namespace,
            "label_selector": label_selector,
            "field_selector": field_selector,
        }
        self._items: dict[str, Object] = {}
        self._handlers: list[Handler] = []
        self._indexers: dict[str, Indexer] = {}
        self._indices: dict[str, dict[str, dict[str, Object]]] = {}
        self._tombstones: OrderedDict[str, None] = OrderedDict()
        self._synced = asyncio.Event()
        self._listed_at = 0

    def subscribe(self, handler: Handler) -> None:
        """Call the handler for every change; it must not block."""
        self._handlers.append(handler)

    def index(self, name: str, indexer: Indexer) -> None:
        """Keep objects findable by what `indexer` says of them; before `run` only."""
        self._indexers[name] = indexer
        self._indices[name] = {}

    def get(self, key: str) -> Object | None:
        """The object at `namespace/name`; do not change it."""
        return self._items.get(key)

    def all(self) -> list[Object]:
        return list(self._items.values())

    def by(self, index: str, value: str) -> list[Object]:
        """The objects that the index files under this value."""
        return list(self._indices[index].get(value, {}).values())

    async def synced(self) -> None:
        """Wait for the first complete list."""
        await self._synced.wait()

    def note(self, thing: Object) -> None:
        """Take in an object that the API server answered to a write of ours."""
        thing.setdefault("apiVersion", self.resource.api_version)
        thing.setdefault("kind", self.resource.kind)
        self._put(thing)

    def forget(self, thing: Object) -> None:
        """Take in that the API server said the object is gone."""
        self._drop(thing)

    async def run(self) -> None:
        """List and watch until cancelled; every failure means: pause, then carry on or list again."""
        version, pause = "", 0.05
        while True:
            try:
                if not version:
                    version = await self._relist()
                async for event in self._client.watch(
                    self.resource,
                    resource_version=version,
                    timeout_seconds=random.randint(240, 480),
                    **self._scope,
                ):
                    pause = 0.05
                    version = str(metadata(event.object).get("resourceVersion", version))
                    if event.type == "DELETED":
                        self._drop(event.object)
                    elif event.type != "BOOKMARK":
                        self._put(event.object)
            except MaestroError as refused:
                if isinstance(refused, ApiError):
                    version = ""  # 410 and anything else the server holds against this version
                    if not refused.is_gone:
                        _LOG.warning("watch %s: %s", self.resource.plural, refused.what)
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _relist(self) -> str:
        items, version = await self._client.list(self.resource, **self._scope)
        present = {key_of(item): uid_of(item) for item in items}
        if int(version or 0) < self._listed_at:  # the server lost its memory: so do we
            self._tombstones.clear()
            for old in self.all():
                self._drop(old)
            self._tombstones.clear()
        self._listed_at = int(version or 0)
        for key, old in list(self._items.items()):
            # what we noted after the list was taken is newer than the list
            if present.get(key) != uid_of(old) and not _is_newer(old, version):
                self._drop(old)
        for item in items:
            self._put(item, from_list=True)
        self._synced.set()
        return version

    def _put(self, thing: Object, *, from_list: bool = False) -> None:
        uid, key = uid_of(thing), key_of(thing)
        if uid in self._tombstones:
            return
        old = self._items.get(key)
        if old is not None and uid_of(old) != uid:
            if _is_newer(old, _version(thing)) and not from_list:
                return
            self._drop(old)
            old = None
        if old is not None and not from_list and not _is_newer(thing, _version(old)):
            return
        if old is not None and _version(old) == _version(thing):
            return
        self._items[key] = thing
        self._reindex(key, old, thing)
        self._tell(old, thing)

    def _drop(self, thing: Object) -> None:
        uid, key = uid_of(thing), key_of(thing)
        self._tombstones[uid] = None
        if len(self._tombstones) > _TOMBSTONES:
            self._tombstones.popitem(last=False)
        old = self._items.get(key)
        if old is None or uid_of(old) != uid:
            return
        del self._items[key]
        self._reindex(key, old, None)
        self._tell(old, None)

    def _reindex(self, key: str, old: Object | None, new: Object | None) -> None:
        for name, indexer in self._indexers.items():
            buckets = self._indices[name]
            for value in indexer(old) if old is not None else ():
                bucket = buckets.get(value, {})
                bucket.pop(key, None)
                if not bucket:
                    buckets.pop(value, None)
            for value in indexer(new) if new is not None else ():
                buckets.setdefault(value, {})[key] = new or {}

    def _tell(self, old: Object | None, new: Object | None) -> None:
        for handler in self._handlers:
            handler(old, new)


def _version(thing: Object) -> str:
    return str(metadata(thing).get("resourceVersion", ""))


def _is_newer(thing: Object, version: str) -> bool:
    """Resource versions are comparable integers on both clusters (promised since Kubernetes 1.35)."""
    try:
        return int(_version(thing)) > int(version)
    except ValueError:
        return True

"""Models in memory: loaded once for however many ask, counted in bytes, evicted when there are too many.

Invariant: no model is dropped while a request is with it, nor a champion or the one before it; a version is
loaded by one task at a time, whoever asks and whoever goes away meanwhile; what is held and what loads that
run are expected to take is within the budget; the bytes of an evicted model are given back to the system.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import itertools
import os
import sys
import time
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from maestro_cli.serving.errors import ArtefactRefused, ModelError, Overloaded, RequestError, quoted
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.models.loading import Loads
from maestro_cli.serving.models.repository import Entry, Repository, State, ready_model, versions_on_disk

_FIRST_RETRY_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 60.0
# Loaded, an ONNX file takes several times its size: 473 kB became 2.3 MB when it was measured.
BYTES_A_FILE_BYTE = 6
_FLOOR_BYTES = 256 * 1024


class Listener(Protocol):
    """Told what became of models; for metrics, logs and what keeps things by model."""

    def loaded(self, entry: Entry, seconds: float) -> None: ...

    def refused(self, entry: Entry, reason: str) -> None: ...

    def dropped(self, entry: Entry, model: LoadedModel, why: str) -> None: ...


class ModelMemory:
    """The models of one repository. Use it from one event loop; a load may take `load_seconds`."""

    def __init__(
        self,
        models: Path,
        repository: Repository,
        listener: Listener,
        *,
        load_seconds: float,
        budget_bytes: int | None = None,
        resident_bytes: Callable[[], int | None] | None = None,
    ) -> None:
        self._models = models
        self._repository = repository
        self._loads = Loads(models, load_seconds)
        self._listener = listener
        self._budget_bytes = budget_bytes
        self.routed: Set[tuple[str, int | None]] = frozenset()  # what the routing in force names; None: any
        self._resident_bytes = resident_bytes or resident
        self._ticks = itertools.count(1)
        self._loading: dict[Entry, asyncio.Task[None]] = {}
        self._unused: dict[Entry, asyncio.Event] = {}
        self._failures: dict[Entry, tuple[int, float]] = {}

    @property
    def held_bytes(self) -> int:
        return sum(entry.bytes for entry in self._repository.entries)

    @property
    def reserved_bytes(self) -> int:
        """What the loads that have not ended are expected to take."""
        return self._loads.reserved_bytes

    @property
    def budget_bytes(self) -> int | None:
        return self._budget_bytes

    def using(self, entry: Entry, until: float | None = None) -> Use:
        """The model of an entry, loaded if it must be, and kept until the `async with` block ends.

        Entering raises ModelError (503, with the reason; 504, when it is not loaded `until` then, on the
        loop's clock) or Overloaded (503: all in memory are in use).
        """
        return Use(self, entry, until)

    async def take(self, entry: Entry, until: float | None = None) -> LoadedModel:
        """What entering `using` does; `leave` must follow."""
        if entry.model is None or entry.state is State.UNLOADING:
            try:
                async with asyncio.timeout_at(until):
                    await self._ensure(entry)
            except TimeoutError as error:
                raise ModelError("the deadline passed before the model was loaded", status=504) from error
        model = ready_model(entry)
        entry.users += 1
        entry.used_at = next(self._ticks)
        return model

    def lend(self, entry: Entry) -> LoadedModel | None:
        """The model as long as it is there: nothing is loaded for it, and it counts as unused as before.

        `leave` must follow, unless it is None.
        """
        if entry.model is None or entry.state is not State.READY:
            return None
        entry.users += 1
        return entry.model

    def leave(self, entry: Entry) -> None:
        entry.users -= 1
        if not entry.users and entry in self._unused:
            self._unused.pop(entry).set()

    async def load(self, name: str, version: int | None) -> Entry:
        """Load a version, the newest on disk when none is named, and declare it.

        Raises RequestError (400: no such version, or it was refused, with the reason). A version that was
        loaded before is read again, and goes on answering as it was when that fails.
        """
        entry = self._entry_on_disk(name, version)
        self._failures.pop(entry, None)
        await self._load_once(entry)
        if entry.reason or entry.model is None:
            raise RequestError(f"model {quoted(name)} version {entry.version} was not loaded: {entry.reason}")
        entry.declared = True
        self._repository.elect(name)
        return entry

    async def unload(self, name: str, version: int | None) -> list[Entry]:
        """Take versions of a model out of service, every one when none is named, and wait for their requests.

        Raises RequestError (400) when there is none to unload, or (409) when the routing in force names one.
        """
        chosen = [
            entry
            for entry in self._repository.of(name)
            if version in (None, entry.version) and (entry.declared or entry.model is not None)
        ]
        if not chosen:
            wanted = quoted(name) if version is None else f"{quoted(name)} version {version}"
            raise RequestError(f"model {wanted} is not loaded")
        self._check_unrouted(name, chosen)
        for entry in chosen:
            entry.declared = entry.required = False
            entry.state, entry.reason = State.UNLOADING, "unloading"
        self._repository.elect(name)
        for entry in chosen:
            await self._drop_when_unused(entry)
        return chosen

    def _check_unrouted(self, name: str, chosen: Sequence[Entry]) -> None:
        left = [entry for entry in self._repository.of(name) if entry.can_answer and entry not in chosen]
        named = [f"version {entry.version}" for entry in chosen if (name, entry.version) in self.routed]
        if named or (not left and (name, None) in self.routed):
            what = f"{quoted(name)} {named[0]}" if named else quoted(name)
            raise RequestError(f"the routing in force names model {what}: put another before it", status=409)

    def load_before_serving(self, entry: Entry) -> None:
        """Load on this thread, while no event loop runs; a refusal is in the entry."""
        before = self._resident_bytes()
        began = time.perf_counter()
        try:
            model = self._loads.load_now(entry.name, entry.version)
        except ArtefactRefused as refused:
            entry.fail(str(refused))
            self._repository.elect(entry.name)
            self._listener.refused(entry, str(refused))
            return
        expected = estimated_bytes(self._models, entry.name, entry.version)
        entry.hold(model, self._measured(before, model, expected))
        self._repository.elect(entry.name)
        self._listener.loaded(entry, time.perf_counter() - began)

    async def _ensure(self, entry: Entry) -> None:
        loop = asyncio.get_running_loop()
        if entry.state is State.UNAVAILABLE and not entry.declared and entry not in self._failures:
            return  # it was unloaded: only `load` brings it back
        if entry.state is State.UNLOADING:
            raise ModelError(f"model '{entry.name}' version {entry.version} is being unloaded", status=503)
        failed, retry_at = self._failures.get(entry, (0, 0.0))
        if failed and loop.time() < retry_at:
            return  # what refused it just now would refuse it again
        await self._load_once(entry)

    async def _load_once(self, entry: Entry) -> None:
        """Wait for the one task that loads it; it goes on when whoever waits goes away."""
        task = self._loading.get(entry)
        if task is None:
            task = self._loading[entry] = asyncio.get_running_loop().create_task(self._load(entry))
            task.add_done_callback(lambda done: self._end_loading(entry, done))
        await asyncio.shield(task)

    def _end_loading(self, entry: Entry, done: asyncio.Task[None]) -> None:
        self._loading.pop(entry, None)
        if not done.cancelled():
            done.exception()  # told to whoever still waits; nobody may

    async def _load(self, entry: Entry) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        entry.state, entry.reason = State.LOADING, "loading"
        try:
            expected = estimated_bytes(self._models, entry.name, entry.version)
            self._make_room(expected, keep=entry)
            before = self._resident_bytes()
            model = await self._loads.load(entry.name, entry.version, expected)
        except ArtefactRefused as refused:
            self._note_failure(entry)
            entry.fail(str(refused))
            self._repository.elect(entry.name)
            self._listener.refused(entry, str(refused))
            return
        except Overloaded:  # nothing is wrong with it: whoever asks next may find room
            entry.state, entry.reason = State.UNKNOWN if entry.model is None else State.READY, ""
            raise
        self._failures.pop(entry, None)
        replaced = entry.model
        entry.hold(model, self._measured(before, model, expected))
        self._repository.elect(entry.name)
        self._listener.loaded(entry, loop.time() - began)
        if replaced is not None:
            self._listener.dropped(entry, replaced, "replaced")
        self._make_room(0, keep=entry)  # it may have taken more than was expected

    def _note_failure(self, entry: Entry) -> None:
        count, _ = self._failures.get(entry, (0, 0.0))
        wait = min(_FIRST_RETRY_SECONDS * 2**count, _LONGEST_RETRY_SECONDS)
        self._failures[entry] = (count + 1, asyncio.get_running_loop().time() + wait)

    def _measured(self, before: int | None, model: LoadedModel, expected: int) -> int:
        """What the process grew by; the estimate where others loaded meanwhile or nothing tells it."""
        after = self._resident_bytes()
        if before is None or after is None or len(self._loading) > 1 or self._loads.reserved_bytes:
            return max(expected, model.manifest.est_bytes)
        return max(after - before, _FLOOR_BYTES)

    def _make_room(self, wanted: int, *, keep: Entry) -> None:
        """Evict the longest unused until so many bytes are free, what the routing names after all others.

        Raises Overloaded when they cannot be.
        """
        if self._budget_bytes is None:
            return
        evicted = False
        needed = wanted + self._loads.reserved_bytes
        while self.held_bytes + needed > self._budget_bytes:
            able = [
                entry for entry in self._repository.entries if entry is not keep and self._evictable(entry)
            ]
            if not able:
                break
            self._drop(min(able, key=self._worth), State.UNKNOWN, "evicted")
            evicted = True
        if evicted:
            give_back()
        if wanted and self.held_bytes + needed > self._budget_bytes:
            raise Overloaded(
                f"no room for {needed} bytes: {self.held_bytes} of {self._budget_bytes} are in use",
                status=503,
                retry_after_seconds=1,
            )

    def _worth(self, entry: Entry) -> tuple[bool, int]:
        """What is least is evicted first."""
        return (entry.name, entry.version) in self.routed, entry.used_at

    def _evictable(self, entry: Entry) -> bool:
        return (
            entry.model is not None
            and entry.state is State.READY
            and not entry.users
            and not self._repository.is_champion(entry)
        )

    async def _drop_when_unused(self, entry: Entry) -> None:
        task = self._loading.get(entry)
        if task is not None:
            with suppress(Overloaded):
                await asyncio.shield(task)
            entry.state = State.UNLOADING
        while entry.users:
            await self._unused.setdefault(entry, asyncio.Event()).wait()
        self._drop(entry, State.UNAVAILABLE, "unloaded")
        self._repository.elect(entry.name)
        give_back()

    def _drop(self, entry: Entry, state: State, why: str) -> None:
        model = entry.model
        entry.drop(state, "" if state is State.UNKNOWN else why)
        if model is not None:
            self._listener.dropped(entry, model, why)

    def _entry_on_disk(self, name: str, version: int | None) -> Entry:
        found = versions_on_disk(self._models, name)
        if not found or (version is not None and version not in found):
            wanted = quoted(name) if version is None else f"{quoted(name)} version {version}"
            raise RequestError(f"there is no model {wanted} in the model folder")
        chosen = found[-1] if version is None else version
        known = next((entry for entry in self._repository.of(name) if entry.version == chosen), None)
        if known is None:
            known = Entry(name, chosen)
            self._repository.add(known)
        return known


class Use:
    """A model in use, for one block. A class, because every request would pay for a generator."""

    __slots__ = ("_entry", "_memory", "_until")

    def __init__(self, memory: ModelMemory, entry: Entry, until: float | None) -> None:
        self._memory = memory
        self._entry = entry
        self._until = until

    async def __aenter__(self) -> LoadedModel:
        return await self._memory.take(self._entry, self._until)

    async def __aexit__(self, *raised: object) -> None:
        self._memory.leave(self._entry)


def estimated_bytes(models: Path, name: str, version: int) -> int:
    """What a version is expected to take, from the size of its file."""
    try:
        size = (models / name / str(version) / "model.onnx").stat().st_size
    except OSError:
        size = 0  # loading says what is wrong
    return max(BYTES_A_FILE_BYTE * size, _FLOOR_BYTES)


def resident() -> int | None:
    """The resident bytes of this process; None where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def give_back() -> None:
    """Return freed memory to the system; without it nearly all of it stays with glibc's allocator."""
    gc.collect()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)

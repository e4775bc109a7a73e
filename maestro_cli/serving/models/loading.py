"""Loads of model versions: each on a thread of its own, apart from those that run models for users.

Invariant: whoever waits for a load is answered within its time, whatever its files and its model do. One that
is given up makes room for the next; the memory it may take stays reserved until its thread has ended.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from maestro_cli.serving.errors import ArtefactRefused
from maestro_cli.serving.models import artefact
from maestro_cli.serving.models.artefact import Halt, LoadedModel

AT_ONCE = 2
MOST_GIVEN_UP = 8  # whose threads have not ended: a model folder that does not answer must not take them all


@dataclass(eq=False, slots=True)
class _Load:
    """One load; `halt` ends it wherever it asks."""

    name: str
    version: int
    expected_bytes: int
    halt: Halt = field(default_factory=Halt)
    done: Future[LoadedModel] = field(default_factory=Future)

    def start(self, models: Path) -> None:
        """Raises ArtefactRefused when the system gives no thread."""
        self.done.set_running_or_notify_cancel()  # from here on only the thread can end it
        try:
            threading.Thread(
                target=self._run, args=(models,), name=f"load {self.name}/{self.version}", daemon=True
            ).start()
        except RuntimeError as error:
            raise ArtefactRefused(f"there is no thread to load it: {error}") from error

    def _run(self, models: Path) -> None:
        try:
            self.done.set_result(artefact.load(models, self.name, self.version, self.halt))
        except BaseException as error:  # noqa: BLE001 - whoever waits is told, whatever it is
            self.done.set_exception(error)


class Loads:
    """The loads of one model folder. Use it from one event loop, or before there is one."""

    def __init__(self, models: Path, seconds: float) -> None:
        self._models = models
        self._seconds = seconds
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._wanted: set[_Load] = set()
        self._given_up: set[_Load] = set()

    @property
    def reserved_bytes(self) -> int:
        """What the loads that have not ended are expected to take, those that wait for a slot included."""
        self._forget_ended()
        return sum(load.expected_bytes for load in (*self._wanted, *self._given_up))

    async def load(self, name: str, version: int, expected_bytes: int) -> LoadedModel:
        """The version, read and proved; its bytes are reserved from now until this returns.

        Raises ArtefactRefused with the reason, also when it takes too long.
        """
        load = _Load(name, version, expected_bytes)
        self._wanted.add(load)
        try:
            async with self._slots:
                self._start(load)
                async with asyncio.timeout(self._seconds):
                    return await asyncio.wrap_future(load.done)
        except TimeoutError as error:
            raise self._give_up(load) from error
        finally:
            self._wanted.discard(load)

    def load_now(self, name: str, version: int) -> LoadedModel:
        """The same on the calling thread, while no event loop runs."""
        load = _Load(name, version, 0)
        self._start(load)
        try:
            return load.done.result(self._seconds)
        except TimeoutError as error:
            raise self._give_up(load) from error

    def _start(self, load: _Load) -> None:
        self._forget_ended()
        if len(self._given_up) >= MOST_GIVEN_UP:
            raise ArtefactRefused(f"{MOST_GIVEN_UP} loads before it took too long and have not ended yet")
        load.start(self._models)

    def _give_up(self, load: _Load) -> ArtefactRefused:
        load.halt.ask()
        self._given_up.add(load)
        return ArtefactRefused(f"it was not loaded within {self._seconds:g} s")

    def _forget_ended(self) -> None:
        self._given_up = {load for load in self._given_up if not load.done.done()}

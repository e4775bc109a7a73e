"""A load never holds up anything but itself: it ends in time, and its memory is reserved while it runs."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maestro_cli.serving.errors import ArtefactRefused, ModelError, Overloaded, RequestError
from maestro_cli.serving.models import artefact, loading
from maestro_cli.serving.models.artefact import Halt, LoadedModel
from maestro_cli.serving.models.loading import MOST_GIVEN_UP, Loads
from maestro_cli.serving.models.memory import estimated_bytes
from maestro_cli.serving.models.repository import Entry, State
from tests.unit.serving.onnx_by_hand import endless_model
from tests.unit.serving.test_model_memory import MODELS, Bench, put_version

GIVEN_UP = r"not loaded within"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for version in (1, 2, 3):
        put_version(tmp_path, "a", version)
    return tmp_path


class Gate:
    """Holds up the loads of some versions until it is opened."""

    def __init__(self) -> None:
        self.held = {1, 2}
        self.began = threading.Semaphore(0)
        self.open = threading.Event()
        self.threads: set[str] = set()

    def load(self, models: Path, name: str, version: int, halt: Halt) -> LoadedModel:
        self.threads.add(threading.current_thread().name)
        self.began.release()
        if version in self.held:
            assert self.open.wait(120)
        return artefact.load(models, name, version, halt)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    found = Gate()

    class Gated:
        load = staticmethod(found.load)

    monkeypatch.setattr(loading, "artefact", Gated)
    yield found
    found.open.set()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def listener(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path may have only a hundred characters
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


@pytest.mark.parametrize("file", ["model.onnx", "manifest.json"])
@pytest.mark.parametrize("make", [pipe, device, listener, Path.mkdir])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(
    models: Path, file: str, make: Callable[[Path], None]
) -> None:
    path = models / "a" / "1" / file
    path.unlink()
    make(path)
    with pytest.raises(ArtefactRefused, match=file) as refused:
        Loads(models, 60).load_now("a", 1)
    assert "within" not in str(refused.value)


def test_a_link_to_a_regular_file_is_read(models: Path) -> None:
    """A ConfigMap's files are links."""
    path = models / "a" / "1" / "manifest.json"
    shutil.move(path, models / "elsewhere")
    path.symlink_to(models / "elsewhere")
    assert Loads(models, 60).load_now("a", 1).version == "1"


def test_a_golden_row_without_end_is_ended(tmp_path: Path) -> None:
    endless_model(tmp_path, "endless")
    shutil.copytree(MODELS / "fraud", tmp_path / "fraud")
    bench = Bench(tmp_path, Entry("endless", 1), load_seconds=0.5)

    async def body() -> None:
        with pytest.raises(ModelError, match=GIVEN_UP) as told:
            await bench.served_by("endless")
        assert told.value.status == 503
        await ended(lambda: not loads_running())

    bench.play(body)
    with pytest.raises(ArtefactRefused, match=GIVEN_UP):
        Loads(tmp_path, 0.5).load_now("endless", 1)
    assert bench.news.told == ["refused 1"]


def loads_running() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("load ")]


async def ended(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""

    def wait() -> None:
        while not condition():
            threading.Event().wait(0.01)

    await asyncio.wait_for(asyncio.to_thread(wait), 120)


async def until_loaded(bench: Bench, version: int) -> None:
    """Ask for it until it is there: on a busy machine a load may be later than these tests let it be."""
    async with asyncio.timeout(120):
        while True:
            try:
                await bench.memory.load("a", version)
            except (RequestError, Overloaded):
                await asyncio.sleep(0)
            else:
                return


def test_loads_that_do_not_end_leave_room_for_others(models: Path, gate: Gate) -> None:
    bench = Bench(models, *(Entry("a", n) for n in (1, 2, 3)), load_seconds=0.5)

    async def body() -> None:
        stuck = [asyncio.create_task(bench.served_by("a", version)) for version in ("1", "2")]
        for told in await asyncio.gather(*stuck, return_exceptions=True):
            assert isinstance(told, ModelError)
            assert "not loaded within 0.5 s" in told.text
        await until_loaded(bench, 3)
        assert await bench.served_by("a", "3") == "3"
        assert bench.news.told[:2] == ["refused 1", "refused 2"]
        assert gate.threads >= {"load a/1", "load a/2", "load a/3"}  # no thread that runs models for users
        gate.open.set()
        await until_loaded(bench, 1)

    bench.play(body)


def test_who_waits_for_a_load_waits_no_longer_than_its_deadline(models: Path, gate: Gate) -> None:
    bench = Bench(models, Entry("a", 1))

    async def body() -> None:
        entry = bench.repository.find("a", "1")
        with pytest.raises(ModelError, match="before the model was loaded") as late:
            async with bench.memory.using(entry, asyncio.get_running_loop().time() + 0.05):
                raise AssertionError("it is not loaded")
        assert late.value.status == 504
        gate.open.set()
        assert await bench.served_by("a", "1") == "1"
        assert bench.news.told == ["loaded 1"]  # the load went on

    bench.play(body)


def test_loads_that_run_reserve_their_memory(models: Path, gate: Gate) -> None:
    room = estimated_bytes(models, "a", 1)
    bench = Bench(models, *(Entry("a", n) for n in (1, 2, 3)), budget_bytes=room + room // 2)

    async def body() -> None:
        first = asyncio.create_task(bench.served_by("a", "1"))
        await asyncio.to_thread(gate.began.acquire, timeout=120)
        with pytest.raises(Overloaded, match="no room"):
            await bench.served_by("a", "2")
        turned_away = bench.repository.of("a")[1]
        assert (turned_away.state, turned_away.reason) == (State.UNKNOWN, "")  # not "loading"
        gate.open.set()
        assert await first == "1"

    bench.play(body)


def test_what_was_given_up_keeps_its_memory_reserved_until_it_ends(models: Path, gate: Gate) -> None:
    room = estimated_bytes(models, "a", 1)
    bench = Bench(
        models, *(Entry("a", n) for n in (1, 2, 3)), budget_bytes=room + room // 2, load_seconds=0.5
    )

    async def body() -> None:
        with pytest.raises(ModelError, match=GIVEN_UP):
            await bench.served_by("a", "1")
        with pytest.raises(Overloaded, match="no room"):
            await bench.served_by("a", "3")
        gate.open.set()
        await until_loaded(bench, 3)

    bench.play(body)


def test_a_folder_that_does_not_answer_takes_a_bounded_number_of_threads(models: Path, gate: Gate) -> None:
    loads = Loads(models, 0.01)
    for _ in range(MOST_GIVEN_UP):
        with pytest.raises(ArtefactRefused, match=GIVEN_UP):
            loads.load_now("a", 1)
    with pytest.raises(ArtefactRefused, match="have not ended yet"):
        loads.load_now("a", 3)
    for _ in range(MOST_GIVEN_UP):
        assert gate.began.acquire(timeout=120)
    assert not gate.began.acquire(blocking=False)

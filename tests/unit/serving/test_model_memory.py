"""Which version answers, and which models are in memory."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.serving.errors import ModelError, Overloaded, RequestError
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.models.memory import ModelMemory
from maestro_cli.serving.models.repository import (
    Entry,
    Repository,
    State,
    names_on_disk,
    versions_on_disk,
)

MODELS = Path(__file__).resolve().parents[3] / "deploy" / "models"
MIB = 2**20


def put_version(models: Path, name: str, version: int) -> None:
    """A copy of fraud/1 under another name and number."""
    folder = models / name / str(version)
    shutil.copytree(MODELS / "fraud" / "1", folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "name": name, "version": version}))


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for version in (1, 2, 3):
        put_version(tmp_path, "a", version)
    return tmp_path


class News:
    def __init__(self) -> None:
        self.told: list[str] = []

    def loaded(self, entry: Entry, seconds: float) -> None:
        self.told.append(f"loaded {entry.version}")

    def refused(self, entry: Entry, reason: str) -> None:
        self.told.append(f"refused {entry.version}")

    def dropped(self, entry: Entry, model: LoadedModel, why: str) -> None:
        self.told.append(f"{why} {model.version}")


class Bench:
    """A memory of models that each grow the process by one MiB."""

    def __init__(
        self, models: Path, *entries: Entry, budget_bytes: int | None = None, load_seconds: float = 60.0
    ) -> None:
        self.models = models
        self.repository = Repository(entries)
        self.news = News()
        self._grown = 0
        self.memory = ModelMemory(
            models, self.repository, self.news,
            load_seconds=load_seconds, budget_bytes=budget_bytes, resident_bytes=self._resident,
        )  # fmt: skip

    def _resident(self) -> int:
        self._grown += MIB
        return self._grown

    async def served_by(self, name: str, version: str | None = None) -> str:
        async with self.memory.using(self.repository.find(name, version)) as model:
            return model.version

    def play(self, body: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run(body())


def declared(version: int) -> Entry:
    return Entry("a", version, declared=True, required=True)


def test_the_highest_declared_version_that_can_answer_is_the_default() -> None:
    low, high, lazy = declared(9), declared(10), Entry("a", 11)
    repository = Repository([high, low, lazy, Entry("b", 1)])
    assert repository.find("a", None) is high
    assert repository.find("a", "9") is low
    assert repository.find("b", None).version == 1  # none is declared: any that can be loaded
    assert (repository.names, repository.versions("a")) == (["a", "b"], ["9", "10"])
    high.fail("broken")
    repository.elect("a")
    assert repository.find("a", None) is low
    assert [entry.version for entry in repository.missing] == [10]
    assert repository.missing


@pytest.mark.parametrize(
    ("name", "version"),
    [("c", None), ("a", "3"), ("a", "01"), ("a", "x"), ("a", ""), ("a", "٣"), ("a", "1.0")],
)
def test_what_is_not_served_is_not_found(name: str, version: str | None) -> None:
    with pytest.raises(RequestError) as refused:
        Repository([declared(1)]).find(name, version)
    assert refused.value.status == 404


def test_the_folder_tells_names_and_versions(models: Path) -> None:
    for stray in ("a/x", "a/04", "a/99999999999", "UPPER/1", "empty", "..b/1"):
        (models / stray).mkdir(parents=True)
    (models / "file").write_text("")
    assert names_on_disk(models) == ["a"]
    assert versions_on_disk(models, "a") == [1, 2, 3]
    assert versions_on_disk(models, "../a") == []


def test_a_version_is_loaded_when_asked_for_and_once_for_all_who_ask(models: Path) -> None:
    bench = Bench(models, Entry("a", 1))

    async def body() -> None:
        askers = [asyncio.create_task(bench.served_by("a", "1")) for _ in range(20)]
        await asyncio.sleep(0)
        askers[0].cancel()  # who asked first goes away
        assert await asyncio.gather(*askers[1:]) == ["1"] * 19
        assert bench.news.told == ["loaded 1"]

    bench.play(body)


def test_a_version_that_is_refused_when_it_is_first_asked_for_leaves_the_older_one_serving(
    models: Path,
) -> None:
    (models / "a" / "2" / "model.onnx").write_bytes(b"broken")
    bench = Bench(models, declared(1), declared(2))

    async def body() -> None:
        with pytest.raises(ModelError, match="digest"):
            await bench.served_by("a")
        assert await bench.served_by("a") == "1"

    bench.play(body)


def test_what_the_routing_names_is_evicted_after_all_others(models: Path) -> None:
    put_version(models, "a", 4)
    bench = Bench(models, declared(4), *(Entry("a", n) for n in (1, 2, 3)), budget_bytes=3 * MIB)
    bench.memory.routed = {("a", 1)}

    async def body() -> None:
        for version in ("4", "1", "2", "3"):
            await bench.served_by("a", version)
        assert bench.news.told[-1] == "loaded 3"
        assert "evicted 2" in bench.news.told
        assert "evicted 1" not in bench.news.told

    bench.play(body)


@pytest.mark.parametrize(
    ("routed", "version", "refused"),
    [
        ({("a", 1)}, 1, True),
        ({("a", 1)}, None, True),
        ({("a", 1)}, 2, False),
        ({("a", None)}, 2, False),  # version 1 is left to answer
        ({("a", None)}, None, True),
        ({("b", None)}, None, False),
    ],
)
def test_what_the_routing_cannot_do_without_is_not_unloaded(
    models: Path, routed: set[tuple[str, int | None]], version: int | None, refused: bool
) -> None:
    bench = Bench(models, declared(1), declared(2))
    bench.memory.routed = routed

    async def body() -> None:
        if not refused:
            assert await bench.memory.unload("a", version)
            return
        with pytest.raises(RequestError, match="the routing in force names model 'a'") as told:
            await bench.memory.unload("a", version)
        assert told.value.status == 409
        assert await bench.served_by("a", "1") == "1"

    bench.play(body)


def test_the_longest_unused_leaves_and_comes_back_when_asked_for(models: Path) -> None:
    put_version(models, "a", 4)
    bench = Bench(models, declared(4), *(Entry("a", n) for n in (1, 2, 3)), budget_bytes=3 * MIB)

    async def body() -> None:
        for version in ("4", "1", "2", "1", "3"):
            assert await bench.served_by("a", version) == version
        assert bench.news.told == ["loaded 4", "loaded 1", "loaded 2", "evicted 2", "loaded 3"]
        assert bench.memory.held_bytes <= 3 * MIB
        assert bench.repository.find("a", "2").state is State.UNKNOWN
        assert await bench.served_by("a", "2") == "2"
        assert bench.news.told[-2:] == ["evicted 1", "loaded 2"]

    bench.play(body)


def test_who_is_in_use_stays_and_a_memory_full_of_them_refuses(models: Path) -> None:
    bench = Bench(models, Entry("a", 3), Entry("a", 1), Entry("a", 2), budget_bytes=2 * MIB)

    async def body() -> None:
        async with bench.memory.using(bench.repository.find("a", "3")):  # the default
            async with bench.memory.using(bench.repository.find("a", "1")):
                with pytest.raises(Overloaded) as full:
                    await bench.served_by("a", "2")
                assert (full.value.status, full.value.headers) == (503, {"retry-after": "1"})
            assert await bench.served_by("a", "2") == "2"
        assert "evicted 1" in bench.news.told
        assert "evicted 3" not in bench.news.told

    bench.play(body)


def test_the_champion_before_stays_in_memory(models: Path) -> None:
    put_version(models, "a", 4)
    bench = Bench(models, declared(1), Entry("a", 3), Entry("a", 4), budget_bytes=3 * MIB)

    async def body() -> None:
        await bench.served_by("a")
        await bench.memory.load("a", 2)
        assert await bench.served_by("a") == "2"
        for version in ("3", "4"):
            await bench.served_by("a", version)
        assert bench.news.told[2:] == ["loaded 3", "evicted 3", "loaded 4"]

    bench.play(body)


def test_models_that_came_with_a_request_make_room_for_each_other(models: Path) -> None:
    for name in ("b", "c"):
        put_version(models, name, 1)
    bench = Bench(models, declared(1), Entry("b", 1), Entry("c", 1), budget_bytes=2 * MIB)

    async def body() -> None:
        for name in ("a", "b", "c", "b"):
            assert await bench.served_by(name) == "1"
        assert bench.repository.find("a", None).state is State.READY
        assert bench.news.told.count("evicted 1") == 2

    bench.play(body)


def test_a_failing_load_leaves_the_old_version_serving(models: Path) -> None:
    bench = Bench(models, declared(1))
    (models / "a" / "3" / "model.onnx").write_bytes(b"no model")

    async def body() -> None:
        assert await bench.served_by("a") == "1"
        with pytest.raises(RequestError, match=r"version 3 was not loaded: model\.onnx has digest"):
            await bench.memory.load("a", None)
        assert bench.repository.find("a", None).version == 1
        assert not bench.repository.missing
        with pytest.raises(ModelError, match="digest"):
            await bench.served_by("a", "3")
        (models / "a" / "1" / "model.onnx").write_bytes(b"no model")
        with pytest.raises(RequestError, match="version 1 was not loaded"):
            await bench.memory.load("a", 1)
        assert await bench.served_by("a") == "1"  # as it was read before

    bench.play(body)


def test_what_was_refused_is_not_read_again_at_once(models: Path) -> None:
    bench = Bench(models, Entry("a", 1))
    manifest = models / "a" / "1" / "manifest.json"
    good = manifest.read_text()
    manifest.write_text("{}")

    async def body() -> None:
        for _ in range(5):
            with pytest.raises(ModelError, match=r"manifest\.json"):
                await bench.served_by("a", "1")
        assert bench.news.told == ["refused 1"]
        manifest.write_text(good)
        await bench.memory.load("a", 1)  # by name: at once
        assert await bench.served_by("a") == "1"

    bench.play(body)


def test_unloading_waits_for_who_is_with_it_and_lets_nobody_in(models: Path) -> None:
    bench = Bench(models, declared(1), declared(2))

    async def body() -> None:
        await bench.served_by("a", "1")
        async with bench.memory.using(bench.repository.find("a", None)) as model:
            assert model.version == "2"
            unloading = asyncio.create_task(bench.memory.unload("a", 2))
            await asyncio.sleep(0)
            with pytest.raises(ModelError, match="unload"):
                await bench.served_by("a", "2")
            assert await bench.served_by("a") == "1"  # the one before answers already
            assert not unloading.done()
            assert "unloaded 2" not in bench.news.told
        assert [entry.version for entry in await unloading] == [2]
        assert bench.news.told[-1] == "unloaded 2"
        with pytest.raises(ModelError, match="unloaded"):
            await bench.served_by("a", "2")
        with pytest.raises(RequestError, match="is not loaded"):
            await bench.memory.unload("a", 2)
        await bench.memory.load("a", 2)
        assert await bench.served_by("a") == "2"

    bench.play(body)


def test_reading_a_version_again_changes_it_in_one_step(models: Path) -> None:
    bench = Bench(models, declared(1))

    async def body() -> None:
        entry = bench.repository.find("a", None)
        async with bench.memory.using(entry) as old:
            await bench.memory.load("a", 1)
            assert entry.model is not old
            assert entry.state is State.READY
        assert bench.news.told == ["loaded 1", "loaded 1", "replaced 1"]

    bench.play(body)


@pytest.mark.parametrize(("name", "version"), [("nope", None), ("a", 9), ("../a", None)])
def test_only_what_is_in_the_folder_can_be_loaded(models: Path, name: str, version: int | None) -> None:
    bench = Bench(models, declared(1))

    async def body() -> None:
        with pytest.raises(RequestError, match="there is no model"):
            await bench.memory.load(name, version)

    bench.play(body)

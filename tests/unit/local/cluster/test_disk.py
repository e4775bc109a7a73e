"""The file behind the store: what was noted is there for the next process, or the waiter is told."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any, cast

import pytest

from maestro_cli.local.cluster.disk import Disk
from maestro_cli.local.cluster.status import ApiError
from maestro_cli.local.cluster.store import Store


def _reopened(state: Path) -> tuple[Store, int]:
    disk = Disk(state)
    store = Store(after=disk.revision())
    for row in disk.load():
        store.restore(*row)
    told = disk.revision()
    disk.close()
    return store, told


def _put(store: Store, name: str, **more: str) -> None:
    store.put("pods", ("ns", name), {"metadata": {"name": name}, **more})


def test_the_newest_versions_come_back_and_revisions_go_on(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    store = Store(on_commit=disk.note)
    for name in ("a", "b", "c"):
        _put(store, name)
    _put(store, "a", note="second")
    store.remove("pods", ("ns", "b"), {"metadata": {"name": "b"}})
    asyncio.run(disk.settled())
    disk.close()
    again, told = _reopened(tmp_path)
    assert told == store.revision
    assert again.revision > store.revision
    assert [one.raw for one in again.list("pods")] == [one.raw for one in store.list("pods")]
    assert [one.object for one in again.list("pods")] == [one.object for one in store.list("pods")]


def _backed(state: Path) -> tuple[Disk, Store]:
    disk = Disk(state)
    store = Store(on_commit=disk.note)
    disk.undo = store.undo
    return disk, store


def _shown(store: Store) -> list[tuple[str, str | None]]:
    return [(one.key[1], one.object.get("note")) for one in store.list("pods")]


def _fill(disk: Disk) -> None:
    pages = disk._db.execute("PRAGMA page_count").fetchone()[0]
    disk._db.execute(f"PRAGMA max_page_count = {pages + 1}")


def test_what_a_full_disk_refuses_is_nowhere_and_reads_go_on(tmp_path: Path) -> None:
    disk, store = _backed(tmp_path)
    for name in ("kept", "stays"):
        _put(store, name, note="old")
    asyncio.run(disk.settled())
    told = store.revision
    _fill(disk)
    heard: list[int] = []
    store.listen("pods", lambda event: None, lambda event: heard.append(event.revision))
    for note in ("newer", "newest"):
        _put(store, "kept", note=note)
    store.remove("pods", ("ns", "stays"), {"metadata": {"name": "stays"}})
    _put(store, "new", fill="x" * 50_000)
    with pytest.raises(ApiError, match=r"nothing was changed: .* full; free disk space"):
        asyncio.run(disk.settled())
    assert "free disk space" in disk.trouble
    asyncio.run(disk.settled())  # as for a read: there is nothing to write any more
    assert _shown(store) == [("kept", "old"), ("stays", "old")]
    assert (store.revision, store.since("pods", told)) == (told, [])
    assert heard == [told + 4, told + 3, told + 2, told + 1]
    disk._db.execute("PRAGMA max_page_count = 100000")
    _put(store, "b")
    asyncio.run(disk.settled())
    assert disk.trouble == ""
    disk.close()
    again, _ = _reopened(tmp_path)
    assert _shown(again) == [("b", None), ("kept", "old"), ("stays", "old")]


def test_one_wait_covers_all_that_was_noted_before(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    store = Store(on_commit=disk.note)

    async def write(number: int) -> None:
        _put(store, f"p{number}")
        await disk.settled()
        assert f"p{number}" not in [event.after.key[1] for _, event in disk._noted]

    async def crowd() -> None:
        await asyncio.gather(*(write(number) for number in range(200)))

    asyncio.run(crowd())
    disk.close()
    again, _ = _reopened(tmp_path)
    assert len(again.list("pods")) == 200


class _Failing:
    """A database that fails once in the middle of a transaction, in an unexpected way."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._failures = [MemoryError()]

    def executemany(self, *words: Any) -> Any:
        if self._failures:
            raise self._failures.pop()
        return self._database.executemany(*words)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


def test_whatever_fails_what_was_not_written_is_told_and_taken_back(tmp_path: Path) -> None:
    disk, store = _backed(tmp_path)
    disk._db = cast(sqlite3.Connection, _Failing(disk._db))
    _put(store, "a")
    with pytest.raises(ApiError, match="MemoryError"):
        asyncio.run(disk.settled())
    _put(store, "b")
    asyncio.run(disk.settled())
    disk.close()
    again, _ = _reopened(tmp_path)
    assert _shown(again) == [("b", None)]

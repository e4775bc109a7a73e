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


def test_a_full_disk_is_told_and_made_up_for_later(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    store = Store(on_commit=disk.note)
    pages = disk._db.execute("PRAGMA page_count").fetchone()[0]
    disk._db.execute(f"PRAGMA max_page_count = {pages + 1}")
    _put(store, "a", fill="x" * 50_000)
    with pytest.raises(ApiError, match="full; free disk space"):
        asyncio.run(disk.settled())
    disk._db.execute("PRAGMA max_page_count = 100000")
    _put(store, "b")
    asyncio.run(disk.settled())
    disk.close()
    again, _ = _reopened(tmp_path)
    assert [one.key[1] for one in again.list("pods")] == ["a", "b"]


def test_one_wait_covers_all_that_was_noted_before(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    store = Store(on_commit=disk.note)

    async def write(number: int) -> None:
        _put(store, f"p{number}")
        await disk.settled()
        with pytest.raises(KeyError):
            disk._noted["pods", "ns", f"p{number}"]

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


def test_whatever_fails_what_was_not_written_is_told_and_made_up_for_later(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    store = Store(on_commit=disk.note)
    disk._db = cast(sqlite3.Connection, _Failing(disk._db))
    _put(store, "a")
    with pytest.raises(ApiError, match="MemoryError"):
        asyncio.run(disk.settled())
    _put(store, "b")
    asyncio.run(disk.settled())
    disk.close()
    again, _ = _reopened(tmp_path)
    assert [one.key[1] for one in again.list("pods")] == ["a", "b"]

"""A record of costs gives the same again, and is believed in nothing when it comes from somebody else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from maestro_cli.core.archives import pack, read_archive
from maestro_cli.core.errors import ActionFailed, InvalidFile, NotFound
from maestro_cli.cost import record
from maestro_cli.cost.allocation.allocate import allocate
from maestro_cli.cost.metering.model import Metered
from maestro_cli.cost.prices.model import Resource
from maestro_cli.cost.record import AMOUNTS, MANIFEST, METERED, PRICES, pack_record, read_record
from tests.unit.cost.allocation.generated import cluster

Files = dict[str, bytes]
SEED = 11


def written(folder: Path, seed: int = SEED, kind: str = ".tar.gz") -> Path:
    path = folder / f"record{kind}"
    path.write_bytes(pack_record(*cluster(seed), kind)[0])
    return path


@pytest.mark.parametrize("kind", [".tar.gz", ".zip"])
def test_every_allocation_of_a_record_is_that_of_what_was_recorded(tmp_path: Path, kind: str) -> None:
    for seed in range(40):
        metered, book = cluster(seed)
        packed, digest = pack_record(metered, book, kind)
        path = tmp_path / f"record{kind}"
        path.write_bytes(packed)
        found = read_record(path)
        assert found.digest == digest
        assert found.book == book
        told, again = (
            allocate(*one, ("workload",)) for one in ((metered, book), (found.metered, found.book))
        )
        assert again.allocation == told.allocation
        assert again.costs.tobytes() == told.costs.tobytes()
        assert pack_record(found.metered, found.book, kind) == (packed, digest)


def test_a_record_knows_up_to_when_there_was_anything(tmp_path: Path) -> None:
    metered, book = cluster(SEED)
    assert metered.measured_until == metered.hours.end
    at = metered.hours.end - timedelta(minutes=55, seconds=3, microseconds=7)
    path = tmp_path / "record.zip"
    path.write_bytes(pack_record(replace(metered, until=at), book, ".zip")[0])
    assert read_record(path).metered.measured_until == at


def test_a_record_keeps_how_long_pods_ran_and_an_earlier_one_is_read_without(tmp_path: Path) -> None:
    metered, book = cluster(SEED)
    ran = metered.requested[Resource.CPU] / 7
    path = tmp_path / "record.zip"
    for running in (None, ran):
        path.write_bytes(pack_record(replace(metered, running=running), book, ".zip")[0])
        found = read_record(path).metered.running
        if running is None or found is None:
            assert (running, found) == (None, None)
        else:
            assert np.array_equal(found, running, equal_nan=True)


def test_the_same_gives_the_same_bytes() -> None:
    assert pack_record(*cluster(SEED), ".zip") == pack_record(*cluster(SEED), ".zip")


def broken(files: Files, name: str, change: Callable[[bytes], bytes]) -> Files:
    """With one file changed and a manifest that says so: whoever changes a record can do that too."""
    changed = {**files, name: change(files[name])}
    manifest = json.loads(files[MANIFEST])
    if name != MANIFEST:
        manifest["files"][name] = hashlib.sha256(changed[name]).hexdigest()
        changed[MANIFEST] = json.dumps(manifest).encode()
    return changed


def edited(**values: object) -> Callable[[bytes], bytes]:
    return lambda data: json.dumps({**json.loads(data), **values}).encode()


def amount(value: float) -> Callable[[bytes], bytes]:
    return lambda data: np.float64(value).tobytes() + data[8:]


def version(**values: object) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        book = json.loads(data)
        book["versions"][0].update(values)
        return json.dumps(book).encode()

    return change


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (MANIFEST, edited(schema="maestro.dev/cost-record/v9")),
        (MANIFEST, edited(more=1)),
        (MANIFEST, lambda data: b"[" * 100_000),
        (METERED, edited(hours=10**9)),
        (METERED, edited(hours=0)),
        (METERED, edited(hours=-1)),
        (METERED, edited(hours=1e300)),
        (METERED, edited(start="2026-03-01T00:30:00Z")),
        (METERED, edited(start="2026-03-01T00:00:00")),
        (METERED, edited(containers=[])),
        (METERED, edited(containers=[{"namespace": 1}])),
        (METERED, edited(nodes=[{"name": "a"}] * 300_000)),
        (METERED, edited(requested=["cpu", "cpu"])),
        (METERED, edited(requested=["disk"])),
        (METERED, edited(unheard_of=1)),
        (AMOUNTS, lambda data: data[:-8]),
        (AMOUNTS, lambda data: data + b"\0" * 8),
        (AMOUNTS, amount(-1.0)),
        (AMOUNTS, amount(float("inf"))),
        (AMOUNTS, amount(1e300)),
        (PRICES, lambda data: b"null"),
        (PRICES, version(control_plane_hourly=-1)),
        (PRICES, version(control_plane_hourly=1e300)),
        (PRICES, version(since="2026-03-01T00:00:00")),
        (PRICES, edited(versions=[])),
        (PRICES, edited(currency="<b>")),
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    files = read_archive(written(tmp_path))
    path = tmp_path / "broken.zip"
    path.write_bytes(pack(broken(files, name, change), ".zip"))
    with pytest.raises(InvalidFile) as raised:
        read_record(path)
    assert str(path) in str(raised.value.file)


@pytest.mark.parametrize("name", [METERED, AMOUNTS, PRICES])
def test_what_is_not_as_its_manifest_says_is_refused(tmp_path: Path, name: str) -> None:
    files = read_archive(written(tmp_path))
    path = tmp_path / "broken.zip"
    path.write_bytes(pack({**files, name: files[name] + b" "}, ".zip"))
    with pytest.raises(InvalidFile, match="record of costs"):
        read_record(path)


def test_files_too_many_or_missing_are_refused(tmp_path: Path) -> None:
    files = read_archive(written(tmp_path))
    for wrong in ({**files, "more.json": b"{}"}, {MANIFEST: files[MANIFEST]}, {"x": b""}):
        path = tmp_path / "broken.zip"
        path.write_bytes(pack(wrong, ".zip"))
        with pytest.raises(InvalidFile):
            read_record(path)


def test_a_record_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_record(tmp_path / "nowhere.zip")


def test_an_hour_cannot_be_covered_twice(tmp_path: Path) -> None:
    metered, book = cluster(SEED)
    for coverage in (2.0, float("nan")):
        wrong = replace(metered, coverage=np.full(metered.hours.count, coverage))
        path = tmp_path / "wrong.zip"
        path.write_bytes(pack_record(wrong, book, ".zip")[0])
        with pytest.raises(InvalidFile):
            read_record(path)


def test_a_record_that_could_not_be_read_again_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "MAX_TOTAL_BYTES", 1000)
    metered: Metered = cluster(SEED)[0]
    with pytest.raises(ActionFailed):
        pack_record(metered, cluster(SEED)[1], ".zip")

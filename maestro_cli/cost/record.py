"""What was metered and its prices in one file, of which every report comes out the same again, offline.

Format: `.tar.gz` or `.zip` of `manifest.json` (SHA-256 of each file), `metered.json` (hours, containers,
nodes, volumes), `amounts.f64` (the matrices one after the other, doubles of 8 bytes, the lowest first) and
`prices.json`. Invariants: the same amounts and prices give the same bytes; a record from somebody else is
believed in nothing: digests, shapes and bounds are checked before an array is made of it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from maestro_cli.core.archives import MAX_ARCHIVE_BYTES, MAX_TOTAL_BYTES, pack, read_archive
from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import ActionFailed, InvalidFile
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.metering.bins import MOST_HOURS
from maestro_cli.cost.metering.model import (
    BalancerRef,
    ContainerRef,
    Hours,
    Matrix,
    Metered,
    NodeRef,
    TelemetryRef,
    VolumeRef,
)
from maestro_cli.cost.prices.model import PriceBook, Resource, is_currency

SCHEMA = "maestro.dev/cost-record/v1"
MANIFEST, METERED, AMOUNTS, PRICES = "manifest.json", "metered.json", "amounts.f64", "prices.json"
MOST_THINGS = 200_000  # containers, nodes and volumes of a cluster in a window
MOST_AMOUNT = 1e15
_MOST_BYTES = {MANIFEST: 1 << 20, METERED: 96 << 20, PRICES: 8 << 20}
_MOST_VERSIONS = 10_000
_DOUBLE = 8
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CostRecord:
    """`digest` is the SHA-256 of the manifest: who was told it elsewhere knows that nothing was exchanged."""

    metered: Metered
    book: PriceBook
    digest: str


class _Manifest(msgspec.Struct, forbid_unknown_fields=True):
    schema: str
    files: dict[str, str]


class _Metered(msgspec.Struct, forbid_unknown_fields=True):
    """All of Metered but its matrices; `requested`, `used` and `capacity` name those that there are."""

    cluster: str
    start: datetime
    hours: int
    containers: tuple[ContainerRef, ...]
    nodes: tuple[NodeRef, ...]
    volumes: tuple[VolumeRef, ...]
    balancers: tuple[BalancerRef, ...]
    requested: tuple[Resource, ...]
    used: tuple[Resource, ...]
    capacity: tuple[Resource, ...]
    sent: tuple[str, ...]
    notes: tuple[str, ...]
    until: datetime | None = None
    telemetry: tuple[TelemetryRef, ...] = ()
    running: bool = False  # whether there is that matrix: earlier records have none


def pack_record(metered: Metered, book: PriceBook, kind: str) -> tuple[bytes, str]:
    """The bytes of a record and its digest; `kind` is `.tar.gz` or `.zip`.

    Raises ActionFailed when it would be larger than what is read again.
    """
    told = _Metered(
        cluster=metered.cluster,
        start=metered.hours.start,
        hours=metered.hours.count,
        containers=metered.containers,
        nodes=metered.nodes,
        volumes=metered.volumes,
        balancers=metered.balancers,
        requested=_ordered(metered.requested),
        used=_ordered(metered.used),
        capacity=_ordered(metered.capacity),
        sent=tuple(sorted(metered.sent_gib)),
        notes=metered.notes,
        until=metered.until,
        telemetry=metered.telemetry,
        running=metered.running is not None,
    )
    files = {
        METERED: _json(msgspec.to_builtins(told)),
        AMOUNTS: b"".join(_bytes(matrix) for matrix in _matrices(metered, told)),
        PRICES: _json(msgspec.to_builtins(book)),
    }
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    files[MANIFEST] = _json({"schema": SCHEMA, "files": digests})
    too_large = any(len(files[name]) > most for name, most in _MOST_BYTES.items())
    packed = pack(files, kind)
    if too_large or sum(map(len, files.values())) > MAX_TOTAL_BYTES or len(packed) > MAX_ARCHIVE_BYTES:
        raise ActionFailed(
            "the record would be larger than one that can be read again; nothing was written",
            why=f"{len(metered.containers)} containers in {metered.hours.count} hours",
            fix="a shorter --window, or several records",
        )
    return packed, hashlib.sha256(files[MANIFEST]).hexdigest()


def read_record(path: Path) -> CostRecord:
    """Raises NotFound, and InvalidFile for what is no record, or is not as its manifest says."""
    files, file = read_archive(path), str(path)
    manifest = _decoded(files, MANIFEST, file, _Manifest)
    if manifest.schema != SCHEMA:
        raise _refused(file, f"its schema is {visible(manifest.schema, 60)!r}, not {SCHEMA}")
    if set(files) != {MANIFEST, METERED, AMOUNTS, PRICES} or set(manifest.files) != set(files) - {MANIFEST}:
        raise _refused(file, "it has other files than a record has")
    for name, digest in manifest.files.items():
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise _refused(file, f"{name} is not what its manifest says")
    metered = _read_metered(_decoded(files, METERED, file, _Metered), files[AMOUNTS], file)
    return CostRecord(metered, _read_book(files, file), hashlib.sha256(files[MANIFEST]).hexdigest())


def _read_metered(told: _Metered, data: bytes, file: str) -> Metered:
    import numpy as np

    things = (len(told.containers), len(told.nodes), len(told.volumes), len(told.balancers))
    start = told.start
    if start.tzinfo is None or start.timestamp() % 3600 or not 1 <= told.hours <= MOST_HOURS:
        raise _refused(file, "its hours are not full ones of UTC, or too many")
    if told.until is not None and (told.until.tzinfo is None or told.until <= start):
        raise _refused(file, "it was made before its hours, or without a time zone")
    if max(*things, len(told.telemetry), len(told.sent)) > MOST_THINGS:
        raise _refused(file, f"it has more than {MOST_THINGS} things")
    for names in (told.requested, told.used, told.capacity, told.sent):
        if len(set(names)) != len(names):
            raise _refused(file, "it has a matrix twice")
    shapes = list(_shapes(told))
    if sum(rows * columns for rows, columns in shapes) * _DOUBLE != len(data):
        raise _refused(file, f"{AMOUNTS} has another size than what it tells of")
    numbers = np.frombuffer(data, dtype="<f8").astype(np.float64)
    if not (np.isnan(numbers) | ((numbers >= 0) & (numbers <= MOST_AMOUNT))).all():
        raise _refused(file, "an amount is below 0 or infinite")
    cut = np.cumsum([rows * columns for rows, columns in shapes])[:-1]
    parts = [part.reshape(shape) for part, shape in zip(np.split(numbers, cut), shapes, strict=True)]
    return _with_matrices(told, iter(parts), file)


def _with_matrices(told: _Metered, parts: Iterator[Matrix], file: str) -> Metered:
    metered = Metered(
        cluster=told.cluster,
        hours=Hours(told.start.astimezone(UTC), told.hours),
        containers=told.containers,
        nodes=told.nodes,
        volumes=told.volumes,
        requested={one: next(parts) for one in told.requested},
        used={one: next(parts) for one in told.used},
        capacity={one: next(parts) for one in told.capacity},
        present=next(parts),
        volume_gib=next(parts),
        coverage=next(parts)[0],
        sent_gib={one: next(parts) for one in told.sent},
        balancers=told.balancers,
        balancer_hours=next(parts),
        notes=told.notes,
        until=None if told.until is None else told.until.astimezone(UTC),
        telemetry=told.telemetry,
        telemetry_amounts=next(parts),
        running=next(parts) if told.running else None,
    )
    if not (metered.coverage <= 1).all():  # NaN is not
        raise _refused(file, "an hour is covered by more than all of it")
    return metered


def _read_book(files: Mapping[str, bytes], file: str) -> PriceBook:
    book = _decoded(files, PRICES, file, PriceBook)
    for number in _numbers(msgspec.to_builtins(book)):
        if not (math.isfinite(number) and 0 <= number <= MOST_AMOUNT):
            raise _refused(file, "a price is below 0 or infinite")
    if len(book.versions) > _MOST_VERSIONS or any(one.since.tzinfo is None for one in book.versions):
        raise _refused(file, "its versions of prices are too many, or without a time zone")
    if not is_currency(book.currency):
        raise _refused(file, "its currency is none")
    try:
        return PriceBook.of(book.currency, book.versions, book.source)
    except ValueError as error:
        raise _refused(file, str(error)) from error


def _shapes(told: _Metered) -> Iterator[tuple[int, int]]:
    """Of every matrix in the order in which they are written."""
    containers, nodes = len(told.containers), len(told.nodes)
    rows = [containers] * (len(told.requested) + len(told.used)) + [nodes] * (len(told.capacity) + 1)
    rows += [len(told.volumes), 1] + [containers] * len(told.sent) + [len(told.balancers)]
    rows.append(len(told.telemetry))
    if told.running:
        rows.append(containers)
    return ((one, told.hours) for one in rows)


def _matrices(metered: Metered, told: _Metered) -> Iterator[Matrix]:
    import numpy as np

    yield from (metered.requested[one] for one in told.requested)
    yield from (metered.used[one] for one in told.used)
    yield from (metered.capacity[one] for one in told.capacity)
    yield from (metered.present, metered.volume_gib, metered.coverage)
    yield from (metered.sent_gib[one] for one in told.sent)
    nothing = np.zeros((len(metered.balancers), metered.hours.count))
    yield nothing if metered.balancer_hours is None else metered.balancer_hours
    if metered.telemetry_amounts is not None:
        yield metered.telemetry_amounts
    if metered.running is not None:
        yield metered.running


def _bytes(matrix: Matrix) -> bytes:
    import numpy as np

    return np.ascontiguousarray(np.where(np.isnan(matrix), np.nan, matrix), dtype="<f8").tobytes()


def _ordered(matrices: Mapping[Resource, Matrix]) -> tuple[Resource, ...]:
    return tuple(one for one in Resource if one in matrices)


def _numbers(value: Any) -> Iterable[float]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _numbers(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield float(value)


def _decoded(files: Mapping[str, bytes], name: str, file: str, kind: type[T]) -> T:
    data = files.get(name)
    if data is None:
        raise _refused(file, f"it has no {name}")
    if len(data) > _MOST_BYTES[name]:
        raise _refused(file, f"{name} is larger than {_MOST_BYTES[name] >> 20} MiB")
    try:
        return msgspec.json.decode(data, type=ready(kind))
    except (msgspec.DecodeError, RecursionError) as error:
        raise _refused(file, f"{name}: {visible(str(error), 200)}") from error


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _refused(file: str, why: str) -> InvalidFile:
    return InvalidFile(
        "is not a record of costs", file=file, why=why, fix="ask for it again, or --record one"
    )

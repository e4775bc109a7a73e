"""The file of prices that people write: YAML of our own keys and of OpenCost's, and what is odd in one.

List rates have the names of OpenCost's `default.json` (`CPU`, `spotRAM`, `storage`, …), where numbers are
text as they are there. A file without `versions` is one version that always held; with them all prices stand
in versions, each whole, from its `since` on until that of the next.

Invariant: what cannot be a price (below 0, infinite, no number), two versions from one instant on and a
second currency are refused with file, line and key; what can be one and is odd is told as a warning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain

from maestro_cli.config.settings import Responders
from maestro_cli.config.strict import Document
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.cost.prices.model import (
    ALWAYS,
    HOURS_OF_A_MONTH,
    Capacity,
    Egress,
    NodePrice,
    PriceBook,
    PriceVersion,
    StorageClass,
    UnitRates,
    is_currency,
)
from maestro_cli.cost.prices.spec import Listed, NodeSpec, PricesFile, StorageSpec, VersionSpec

_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something in a file that can be and is likely not meant."""

    file: str
    line: int
    key: str
    what: str


@dataclass(frozen=True, slots=True)
class ReadPrices:
    """A file as it was read. `book` is None when it prices no machine."""

    book: PriceBook | None
    figures: Responders
    oddities: tuple[Oddity, ...] = ()


def prices_of(document: Document) -> ReadPrices:
    """The prices of a YAML file that was read; raises InvalidFile."""
    from maestro_cli.cost.prices.oddities import oddities

    if document.data is None:
        raise document.fail(
            "says no price", why="the file is empty", fix="such as 'CPU: 0.0316'; docs/cost-prices.md"
        )
    spec = document.decode(PricesFile)
    currency = _currency(document, spec)
    figures = Responders(
        hourly_rate=spec.hourly_rate,
        currency=currency,
        value_per_request=spec.value_per_request,
        replica_hourly_rate=spec.replica_hourly_rate,
        budget_per_million=spec.budget_per_million,
    )
    if not spec.versions:
        versions = [_version(document, spec, ALWAYS, ())] if _prices_anything(spec) else []
        found = (*_no_versions(document, spec), *oddities(document, spec, ()))
    elif _prices_anything(spec):
        at = next(name for name in Listed.__struct_fields__ if name in document.data)
        fix = "move it into each of the versions, or leave versions out"
        raise document.fail("stands beside versions", (at,), fix=fix)
    else:
        versions = list(_versions(document, spec.versions))
        each = (oddities(document, one, ("versions", index)) for index, one in enumerate(spec.versions))
        found = tuple(chain.from_iterable(each))
    book = PriceBook.of(currency, versions, document.file) if versions else None
    return ReadPrices(book, figures, found)


def _no_versions(document: Document, spec: PricesFile) -> Iterator[Oddity]:
    """Of `versions: []`, which a file without the key means as well."""
    if isinstance(document.data, dict) and "versions" in document.data and not spec.versions:
        example = "such as '- {since: 2026-01-01, CPU: 0.03, RAM: 0.004}'"
        fix = "leave it out" if _prices_anything(spec) else example
        yield Oddity(document.file, document.line_of(("versions",)), "versions", f"there is none: {fix}")


def _currency(document: Document, spec: PricesFile) -> str:
    """The one currency of the file, three letters; raises InvalidFile for two."""
    said: list[tuple[_Path, str]] = []
    if "currency" in document.data:
        said.append((("currency",), spec.currency))
    if spec.currencyCode:
        said.append((("currencyCode",), spec.currencyCode))
    said.extend(
        (("versions", i, "currency"), one.currency) for i, one in enumerate(spec.versions) if one.currency
    )
    for path, code in said:
        if not is_currency(code):
            raise document.fail(
                "is no currency", path, why="three capital letters, as ISO 4217 has them", fix="USD"
            )
        if code != said[0][1]:
            raise document.fail(
                "is a second currency",
                path,
                why=f"{said[0][1]} is the first",
                fix="convert the prices: one file, one currency",
            )
    return said[0][1] if said else spec.currency


def _versions(document: Document, specs: Iterable[VersionSpec]) -> Iterator[PriceVersion]:
    seen: dict[datetime, int] = {}
    for index, spec in enumerate(specs):
        path = ("versions", index)
        since = _since(document, spec, path)
        if since in seen:
            line = document.line_of(("versions", seen[since]))
            raise document.fail("begins when another version does", (*path, "since"), why=f"see line {line}")
        seen[since] = index
        yield _version(document, spec, since, path)


def _since(document: Document, spec: VersionSpec, path: _Path) -> datetime:
    if not spec.since:
        raise document.fail("'since' is missing", path, fix="add 'since: 2026-01-01'")
    try:
        if len(spec.since) == len("2026-01-01"):
            day = date.fromisoformat(spec.since)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        return from_rfc3339(spec.since)
    except ValueError as error:
        fix = "2026-01-01 or 2026-01-01T06:00:00Z"
        raise document.fail("is no date or instant", (*path, "since"), fix=fix) from error


def _prices_anything(spec: Listed) -> bool:
    return any(getattr(spec, name) != getattr(Listed(), name) for name in Listed.__struct_fields__)


def _version(document: Document, spec: Listed, since: datetime, path: _Path) -> PriceVersion:
    def listed(name: str) -> float | None:
        return _number(document, getattr(spec, name), (*path, name))

    def one(plain: float | None, where: _Path, name: str) -> float | None:
        """The price by our own key or by OpenCost's; raises InvalidFile for both."""
        theirs = listed(name)
        if plain is not None and theirs is not None:
            raise document.fail("is given twice", (*path, *where), why=f"{name} is the same price")
        return theirs if plain is None else plain

    egress, overhead = spec.egress, spec.overhead
    return PriceVersion(
        since=since,
        on_demand=_rates(document, path, ("CPU", "RAM", "GPU"), listed),
        spot=_rates(document, path, ("spotCPU", "spotRAM", "spotGPU"), listed),
        nodes=tuple(_nodes(document, spec.nodes, path)),
        gpus=_gpus(document, spec.gpus, path),
        storage=tuple(_storage(document, spec.storage_classes, listed("storage"), path)),
        egress=Egress(
            one(egress.zone, ("egress", "zone"), "zoneNetworkEgress"),
            one(egress.region, ("egress", "region"), "regionNetworkEgress"),
            one(egress.internet, ("egress", "internet"), "internetNetworkEgress"),
        ),
        control_plane_hourly=overhead.control_plane_hourly,
        load_balancer_hourly=one(
            overhead.load_balancer_hourly, ("overhead", "load_balancer_hourly"), "defaultLBPrice"
        ),
        per_gib_logged=overhead.per_gib_logged,
        per_million_log_records=overhead.per_million_log_records,
        per_million_spans=overhead.per_million_spans,
        per_series_month=overhead.per_series_month,
    )


def _rates(
    document: Document, path: _Path, names: tuple[str, str, str], listed: Callable[[str], float | None]
) -> UnitRates | None:
    """The list rates of one way to buy; raises InvalidFile for cores without memory, and memory without."""
    cpu, memory, gpu = map(listed, names)
    if cpu is None and memory is None and gpu is None:
        return None
    if cpu is None or memory is None:
        absent, there = (names[0], names[1]) if cpu is None else (names[1], names[0])
        at = (*path, there if memory is not None or cpu is not None else names[2])
        why = "a list prices cores and memory: only so can a node's price be split"
        raise document.fail(f"stands without {absent}", at, why=why, fix=f"add '{absent}:'")
    return UnitRates(cpu, memory, gpu)


def _number(document: Document, value: float | str | None, path: _Path) -> float | None:
    """A price that may be text; empty text is none, as OpenCost has it. Raises InvalidFile."""
    if value is None or value == "":
        return None
    try:
        price = float(value)
    except ValueError as error:
        raise document.fail("is not a number", path, fix='write it as 0.031611 or "0.031611"') from error
    if not math.isfinite(price) or price < 0:
        raise document.fail("is not a price", path, why="it is below 0" if price < 0 else "it is not finite")
    return price


def _nodes(document: Document, specs: list[NodeSpec], path: _Path) -> Iterator[NodePrice]:
    seen: dict[tuple[str, ...], int] = {}
    for index, spec in enumerate(specs):
        at = (*path, "nodes", index)
        if bool(spec.type) is bool(spec.node):
            fix = "type: of a kind of node, or node: of one alone"
            raise document.fail("names a type and a node" if spec.type else "names no type", at, fix=fix)
        key = (spec.type, spec.node.casefold(), spec.region, "" if spec.node else spec.capacity)
        if key in seen:
            line = document.line_of((*path, "nodes", seen[key]))
            raise document.fail("prices what another line does", at, why=f"see line {line}")
        seen[key] = index
        yield NodePrice(
            instance_type=spec.type,
            hourly=spec.hourly,
            capacity=Capacity(spec.capacity),
            region=spec.region,
            gpu=spec.gpu,
            interruptions_per_hour=spec.interruptions_per_hour,
            node=spec.node,
        )


def _gpus(document: Document, gpus: Mapping[str, float], path: _Path) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, hourly in gpus.items():
        if name.casefold() in found:
            why = "upper and lower case are one"
            raise document.fail("is the same GPU as another", (*path, "gpus", name), why=why)
        found[name.casefold()] = hourly
    return found


def _storage(
    document: Document, specs: list[StorageSpec], default: float | None, path: _Path
) -> Iterator[StorageClass]:
    """Each class, and OpenCost's one price as the class without a name, which stands for any other."""
    seen: dict[str, int] = {}
    for index, spec in enumerate(specs):
        at = (*path, "storage_classes", index)
        if spec.name in seen or not spec.name:
            why = (
                f"see line {document.line_of((*path, 'storage_classes', seen[spec.name]))}"
                if spec.name
                else ""
            )
            raise document.fail("has no name of its own", at, why=why)
        seen[spec.name] = index
        monthly = None if spec.per_gib_month is None else spec.per_gib_month / HOURS_OF_A_MONTH
        hourly = spec.per_gib_hour if monthly is None else monthly
        if hourly is None or (spec.per_gib_hour is not None and monthly is not None):
            raise document.fail("needs one price of a GiB", at, fix="per_gib_month: or per_gib_hour:")
        yield StorageClass(
            name=spec.name,
            per_gib_hour=hourly,
            per_thousand_requests=spec.per_thousand_requests,
            per_gib_retrieved=spec.per_gib_retrieved,
            least_days=spec.least_days,
            least_bytes=spec.least_bytes,
        )
    if default is not None:
        yield StorageClass("", default)

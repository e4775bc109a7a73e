"""OpenCost's own files: `default.json` (custom prices) and the CSV of prices of nodes, GPUs and volumes.

Formats: https://github.com/opencost/opencost, `configs/`, `pkg/cloud/models` (CustomPricing) and
`pkg/cloud/provider/csvprovider.go`. A line of the CSV prices a node by what `InstanceIDField` of it is, else
all of its `Region` and `InstanceType`; where several do the latter it is their mean. Its nodes are priced
without their GPUs, which have lines of their own. Of lines of one thing at other `EndTimestamp`s the later
line holds, as it does with OpenCost, which reads no timestamps.

Invariant: a price that is not read (a discount, a node by a label of people's own) is told, not passed over.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from maestro_cli.config.settings import Responders
from maestro_cli.config.strict import Document, suggestion
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.prices.file import Oddity, ReadPrices, prices_of
from maestro_cli.cost.prices.model import ALWAYS, NodePrice, PriceBook, PriceVersion, StorageClass
from maestro_cli.cost.prices.spec import OpenCostList

COLUMNS = (
    "EndTimestamp",
    "InstanceID",
    "Region",
    "AssetClass",
    "InstanceIDField",
    "InstanceType",
    "MarketPriceHourly",
    "Version",
)
_Priced: TypeAlias = tuple[int, dict[str, str], float]  # a line, its fields, a price an hour
_CLASSES = ("node", "gpu", "pv")
_READ = frozenset(OpenCostList.__struct_fields__) | {"provider", "description", "currencyCode"}
_TYPES = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")


def default_json(document: Document) -> ReadPrices:
    """The prices of OpenCost's JSON; keys that are no prices are told. Raises InvalidFile."""
    if not isinstance(document.data, dict):
        raise document.fail("is not a JSON object")
    known = {key: value for key, value in document.data.items() if key in _READ}
    found = prices_of(Document(document.file, known, document.lines, document.first_line))
    told = tuple(
        Oddity(document.file, document.line_of((key,)), visible(key, 60), "is not read")
        for key, value in document.data.items()
        if key not in _READ and _is_amount(value)
    )
    return ReadPrices(found.book, found.figures, (*found.oddities, *told))


def _is_amount(value: object) -> bool:
    """Whether a key may alter what is charged: `30%`, `0.025`; not `0`, a name or nothing.

    OpenCost writes its whole configuration into the file, most of it empty.
    """
    try:
        return not isinstance(value, bool) and float(str(value).strip().rstrip("%")) != 0
    except ValueError:
        return False


@dataclass(slots=True)
class _Lines:
    """What the lines of a CSV came to."""

    file: str
    nodes: list[NodePrice] = field(default_factory=list)
    kinds: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    gpus: dict[str, float] = field(default_factory=dict)
    storage: list[StorageClass] = field(default_factory=list)
    oddities: list[Oddity] = field(default_factory=list)

    def odd(self, line: int, key: str, what: str) -> None:
        self.oddities.append(Oddity(self.file, line, key, what))


def prices_csv(text: str, file: str) -> ReadPrices:
    """The prices of OpenCost's CSV, one version that always held, in US dollars. Raises InvalidFile."""
    lines = _Lines(file)
    for line, row, hourly in _held(lines, text):
        _take(lines, line, row, hourly)
    for (region, kind), prices in lines.kinds.items():
        if max(prices) > min(prices):
            lines.odd(
                1, "InstanceType", f"{visible(kind, 60)} has several prices: their mean is that of others"
            )
        mean = math.fsum(prices) / len(prices)
        lines.nodes.append(NodePrice(kind, mean, region=region, gpus_apart=True))
    if not (lines.nodes or lines.gpus or lines.storage):
        raise InvalidFile("holds no price that can be read", file=file, why=_first(lines.oddities))
    version = PriceVersion(ALWAYS, nodes=tuple(lines.nodes), gpus=lines.gpus, storage=tuple(lines.storage))
    return ReadPrices(PriceBook.of("USD", [version], file), Responders(), tuple(lines.oddities))


def _first(oddities: list[Oddity]) -> str:
    return f"line {oddities[0].line}: {oddities[0].key} {oddities[0].what}" if oddities else "no line has one"


def _rows(text: str, file: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The fields of each line below the heading; comments (`#`) and empty lines are none."""
    reader = csv.reader(io.StringIO(text), strict=True)
    heading: list[str] | None = None
    try:
        for row in reader:
            line = reader.line_num
            if not row or row[0].lstrip().startswith("#"):
                continue
            if heading is None:
                heading = [name.strip().lstrip("\ufeff") for name in row]
                _check_heading(heading, file, line)
                continue
            if len(row) != len(COLUMNS):
                why = f"{len(row)} fields, where the heading has {len(COLUMNS)}"
                raise InvalidFile("is no line of prices", file=file, line=line, why=why)
            yield line, dict(zip(heading, (value.strip() for value in row), strict=True))
    except csv.Error as error:
        raise InvalidFile("is not valid CSV", file=file, line=reader.line_num, why=str(error)) from error
    if heading is None:
        raise InvalidFile("is empty", file=file, fix=",".join(COLUMNS))


def _check_heading(heading: list[str], file: str, line: int) -> None:
    for name in heading:
        if name not in COLUMNS:
            fix = suggestion(name, COLUMNS)
            raise InvalidFile("is not known here", file=file, line=line, key=visible(name, 60), fix=fix)
    if len(heading) != len(COLUMNS) or len(set(heading)) != len(COLUMNS):
        raise InvalidFile("has not each column once", file=file, line=line, fix=",".join(COLUMNS))


def _take(lines: _Lines, line: int, row: dict[str, str], hourly: float) -> None:
    asset = row["AssetClass"].lower()
    if asset == "node":
        _take_node(lines, line, row, hourly)
    elif asset == "gpu":
        known = lines.gpus.setdefault(row["InstanceID"].casefold(), hourly)
        if known != hourly:
            raise InvalidFile(
                "has two prices", file=lines.file, line=line, key=visible(row["InstanceID"], 60)
            )
    elif row["InstanceIDField"] == "spec.storageClassName":
        lines.storage.append(StorageClass(row["InstanceID"], hourly))
    else:
        lines.odd(
            line, "InstanceIDField", "is not read: volumes are priced by their class, spec.storageClassName"
        )


_NAMED_BY = ("AssetClass", "InstanceIDField", "InstanceID", "Region", "InstanceType")


def _held(lines: _Lines, text: str) -> Iterable[_Priced]:
    """The lines that hold, one of each thing; of lines that name a kind there may be several, one a node.

    The others are told. Raises InvalidFile for two prices of one thing at one timestamp.
    """
    held: dict[tuple[str, ...], _Priced] = {}
    at: dict[tuple[str, ...], _Priced] = {}
    for line, row in _rows(text, lines.file):
        found = (line, row, _price(row, lines.file, line))
        _check_class(row, lines.file, line)
        thing = tuple(row[name].casefold() for name in _NAMED_BY)
        before = held.setdefault(thing, found)
        same = at.setdefault((*thing, row["EndTimestamp"]), found)
        if before[0] == line:
            continue
        name = visible(row["InstanceID"], 60)
        if before[2] == found[2]:
            lines.odd(
                line, "InstanceID", f"{name} is priced by line {before[0]} as well: take one of both out"
            )
        elif row["InstanceIDField"].removeprefix("metadata.labels.") in _TYPES:
            held[*thing, str(line)] = found
        elif same[2] != found[2]:
            why, fix = f"line {same[0]} has {same[2]:g}, this one {found[2]:g}", "take one of both out"
            raise InvalidFile("has two prices", file=lines.file, line=line, key=name, why=why, fix=fix)
        else:
            said = f"{name} has this price in place of {before[2]:g}, which line {before[0]} has for another"
            lines.odd(line, "EndTimestamp", said)
            held[thing] = found
    return held.values()


def _check_class(row: dict[str, str], file: str, line: int) -> None:
    asset = row["AssetClass"].lower()
    if asset not in _CLASSES:
        fix = suggestion(asset, _CLASSES)
        raise InvalidFile("is no class of assets", file=file, line=line, key="AssetClass", fix=fix)


def _take_node(lines: _Lines, line: int, row: dict[str, str], hourly: float) -> None:
    """The line of one node, or of a kind, by what its field is."""
    where, name, region = row["InstanceIDField"], row["InstanceID"], row["Region"]
    if row["InstanceType"]:
        lines.kinds.setdefault((region, row["InstanceType"]), []).append(hourly)
    label = where.removeprefix("metadata.labels.")
    if label in _TYPES:
        lines.kinds.setdefault((region, name), []).append(hourly)
    elif where in ("metadata.name", "spec.providerID"):
        lines.nodes.append(NodePrice("", hourly, region=region, node=name, gpus_apart=True))
    elif not row["InstanceType"]:
        said = f"{visible(where, 60)} is not read: metadata.name, spec.providerID or a label of the type"
        lines.odd(line, "InstanceIDField", said)


def _price(row: dict[str, str], file: str, line: int) -> float:
    try:
        hourly = float(row["MarketPriceHourly"])
    except ValueError:
        hourly = math.nan
    if not (math.isfinite(hourly) and hourly >= 0):
        said = visible(row["MarketPriceHourly"], 40) or "nothing"
        raise InvalidFile(
            "is not a price", file=file, line=line, key="MarketPriceHourly", why=f"found {said}"
        )
    return hourly

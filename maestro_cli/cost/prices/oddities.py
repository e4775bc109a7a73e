"""What can be a price and is likely not meant: one of a month where one of an hour stands, spot dearer.

Invariant: nothing here refuses a file; each oddity names file, line and key.
"""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.config.strict import Document, dotted
from maestro_cli.cost.prices.file import Oddity
from maestro_cli.cost.prices.spec import Listed, NodeSpec

_Path = tuple[str | int, ...]
# More than the dearest that anybody sells for an hour: a price of a month, or a slip of the point.
_MOST_HOURLY = {
    "CPU": 5.0,
    "RAM": 1.0,
    "GPU": 50.0,
    "storage": 0.005,
    "spotCPU": 5.0,
    "spotRAM": 1.0,
    "spotGPU": 50.0,
}
_MOST_OF_A_NODE = 500.0
_MOST_OF_STORAGE = _MOST_HOURLY["storage"]
_MOST_OFF = 0.6  # how much below the list spot may be without a word: nobody promises more
_MOST_INTERRUPTIONS = 1.0


def oddities(document: Document, spec: Listed, path: _Path) -> tuple[Oddity, ...]:
    """Of one version that stands at `path`, by line."""
    found = [*_of_list(spec), *_of_nodes(spec.nodes), *_of_storage(spec)]
    told = [
        Oddity(document.file, document.line_of((*path, *at)), dotted((*path, *at)), what)
        for at, what in found
    ]
    return tuple(sorted(told, key=lambda one: (one.line, one.key)))


def _of_list(spec: Listed) -> Iterator[tuple[_Path, str]]:
    rates = {name: float(value) for name, most in _MOST_HOURLY.items() if (value := getattr(spec, name))}
    for name, rate in rates.items():
        if rate > _MOST_HOURLY[name]:
            yield (name,), f"{rate:g} for an hour: is it the price of a month?"
    for name in ("CPU", "RAM", "GPU"):
        listed, spot = rates.get(name), rates.get(f"spot{name}")
        if listed and spot:
            yield from _off((f"spot{name}",), listed, spot)


def _of_nodes(nodes: list[NodeSpec]) -> Iterator[tuple[_Path, str]]:
    listed = {(one.type, one.region): one.hourly for one in nodes if one.type and one.capacity != "spot"}
    for index, one in enumerate(nodes):
        at: _Path = ("nodes", index)
        if one.hourly > _MOST_OF_A_NODE:
            yield (*at, "hourly"), f"{one.hourly:g} for an hour: is it the price of a month?"
        if not one.hourly:
            yield (*at, "hourly"), "a price of 0: what runs there is free"
        if one.capacity == "spot" and (hourly := listed.get((one.type, one.region))):
            yield from _off((*at, "hourly"), hourly, one.hourly)
        if one.interruptions_per_hour is None:
            continue
        if one.capacity != "spot":
            yield (*at, "interruptions_per_hour"), "nodes on demand are not interrupted"
        elif one.interruptions_per_hour > _MOST_INTERRUPTIONS:
            yield (*at, "interruptions_per_hour"), "more than one an hour: is it a percentage?"


def _of_storage(spec: Listed) -> Iterator[tuple[_Path, str]]:
    for index, one in enumerate(spec.storage_classes):
        if one.per_gib_hour is not None and one.per_gib_hour > _MOST_OF_STORAGE:
            at: _Path = ("storage_classes", index, "per_gib_hour")
            yield at, f"{one.per_gib_hour:g} for an hour: is it the price of a month? Then: per_gib_month"


def _off(at: _Path, listed: float, spot: float) -> Iterator[tuple[_Path, str]]:
    if spot > listed:
        yield at, f"spot is dearer than on demand ({spot:g} against {listed:g})"
    elif round(1 - spot / listed, 4) > _MOST_OFF:
        yield at, f"spot is {1 - spot / listed:.0%} off the list: check it against your bills"

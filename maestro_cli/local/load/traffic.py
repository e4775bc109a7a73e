"""What is asked and when. Invariant: the same seed and rate give the same requests at the same offsets."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import msgspec

from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import InvalidFile
from maestro_cli.local.load.judging import Truth
from maestro_cli.local.load.surge import Factor

_SCHEMA = "maestro.traffic/1"


class Input(msgspec.Struct, frozen=True):
    """One tensor of a request in Open Inference Protocol v2 words."""

    name: str
    datatype: str
    shape: list[int]


class TruthPart(msgspec.Struct, frozen=True):
    """What came true, a value a row, and the output that foretells it among its first `within` values."""

    output: str
    values: list[float | int]
    within: Annotated[int, msgspec.Meta(ge=1)] = 1


class TrafficFile(msgspec.Struct, frozen=True):
    """`deploy/models/MODEL/traffic.json`: the tensors of a request, and rows of values by tensor name."""

    schema: str
    model: str
    inputs: list[Input]
    rows: list[dict[str, list[float | int]]]
    truth: TruthPart | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests ready to send: the path, one JSON body a recorded row, and what is known to be right."""

    path: str
    bodies: tuple[bytes, ...]
    truth: Truth | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """One intended request: seconds after the start, and which body."""

    offset_seconds: float
    body: int


def read_traffic(path: Path) -> Traffic:
    """Read recorded traffic; raises InvalidFile."""
    try:
        recorded = msgspec.json.decode(path.read_bytes(), type=ready(TrafficFile))
    except OSError as error:
        raise InvalidFile("cannot be read", file=str(path), why=error.strerror or "") from error
    except msgspec.DecodeError as error:
        raise InvalidFile("is not recorded traffic", file=str(path), why=str(error)) from error
    if recorded.schema != _SCHEMA or not recorded.rows:
        raise InvalidFile(f"is not recorded traffic of schema {_SCHEMA} with rows", file=str(path))
    for number, row in enumerate(recorded.rows):
        lacking = [item.name for item in recorded.inputs if item.name not in row]
        if lacking:
            raise InvalidFile(f"lacks {', '.join(lacking)}", file=str(path), key=f"rows[{number}]")
    bodies = tuple(msgspec.json.encode(_body(recorded.inputs, row)) for row in recorded.rows)
    truth = None
    if recorded.truth is not None:
        if len(recorded.truth.values) != len(recorded.rows):
            raise InvalidFile("needs one value a row", file=str(path), key="truth.values")
        truth = Truth(recorded.truth.output, tuple(recorded.truth.values), recorded.truth.within)
    return Traffic(f"/v2/models/{recorded.model}/infer", bodies, truth)


def arrivals(seed: int, rate: float, bodies: int, factor: Factor = lambda: 1.0) -> Iterator[Arrival]:
    """An endless Poisson process of `rate` requests a second, each with a body drawn evenly.

    `factor` is asked before each request: how many times that rate is wanted now.
    """
    chance = random.Random(seed)
    offset = 0.0
    for _ in count():
        offset += chance.expovariate(rate * factor())
        yield Arrival(offset, chance.randrange(bodies))


def _body(inputs: list[Input], row: dict[str, list[float | int]]) -> dict[str, Any]:
    tensors = [
        {"name": item.name, "datatype": item.datatype, "shape": item.shape, "data": row[item.name]}
        for item in inputs
    ]
    return {"inputs": tensors}

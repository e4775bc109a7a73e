"""What an Open Inference Protocol v2 server says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One entry of the repository index; state is READY, LOADING, UNAVAILABLE, …"""

    name: str
    version: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input: data flat in row-major order; the product of the shape is its length."""

    datatype: str  # FP32, INT64, BYTES, …
    shape: tuple[int, ...]
    data: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Inference:
    """One answer, and which model version and digest gave it (`x-maestro-served`, if sent)."""

    model: str
    version: str
    outputs: Mapping[str, tuple[Any, ...]]
    served_by: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RoutingInForce:
    """The routing document that answers now, as JSON text, its digest, and the change that put it there."""

    digest: str
    document: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """Of remembered requests for one name: so many went to one version and would go to another."""

    name: str
    before: str
    after: str
    requests: int


@dataclass(frozen=True, slots=True)
class RoutingPreview:
    """What a document would have done to the last requests that one replica remembers."""

    digest: str
    requests: int
    moved: int
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class ServedReplica:
    """One process of the bundled server; `models` has the state of each version, as `fraud@1`: READY.

    `pod` is the uid of the pod that it says it runs in, or "".
    """

    id: str
    routing: str
    models: Mapping[str, str]
    cleared_by: str = ""
    pod: str = ""

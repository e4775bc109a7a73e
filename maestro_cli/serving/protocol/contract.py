"""Whether a request keeps the contract a model's manifest declares.

Invariant: what `feed` returns can be given to the model; a refusal after it is the model's fault, a
refusal here the client's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from maestro_cli.serving.errors import RequestError, quoted
from maestro_cli.serving.models.manifest import TensorSpec
from maestro_cli.serving.protocol.tensors import FEW, NUMPY_TYPES, Array

MAX_ROWS = 4096


def feed(
    specs: Sequence[TensorSpec],
    given: Mapping[str, Array],
    datatypes: Mapping[str, str],
    *,
    loose: bool = False,
) -> dict[str, Array]:
    """The arrays to run, by input name; raises RequestError (400) naming the tensor and what is wrong.

    `loose` leaves out what is given beyond the model's inputs.
    """
    known = {spec.name for spec in specs}
    for name in given:
        if name not in known and not loose:
            raise RequestError(f"unknown input {quoted(name)}; the model takes {', '.join(sorted(known))}")
    rows: int | None = None
    for spec in specs:
        array = given.get(spec.name)
        if array is None:
            raise RequestError(f"input '{spec.name}' is missing")
        _check_one(spec, datatypes[spec.name], array)
        if spec.shape[:1] == (-1,):
            if rows is not None and array.shape[0] != rows:
                raise RequestError(f"input '{spec.name}' has {array.shape[0]} rows, another has {rows}")
            rows = array.shape[0]
    return {name: array for name, array in given.items() if name in known}


def _check_one(spec: TensorSpec, datatype: str, array: Array) -> None:
    if datatype != spec.datatype:
        raise RequestError(f"input '{spec.name}' must be {spec.datatype}, got {datatype}")
    if not _fits(spec.shape, array.shape):
        raise RequestError(f"input '{spec.name}' must have shape {list(spec.shape)}, got {list(array.shape)}")
    if array.size == 0:
        raise RequestError(f"input '{spec.name}' is empty")
    if spec.shape[:1] == (-1,) and array.shape[0] > MAX_ROWS:
        raise RequestError(f"input '{spec.name}' has {array.shape[0]} rows, at most {MAX_ROWS} a request")
    if (spec.minimum is not None or spec.maximum is not None) and not _is_within(array, spec):
        low = "" if spec.minimum is None else f"{spec.minimum:g}"
        high = "" if spec.maximum is None else f"{spec.maximum:g}"
        raise RequestError(f"input '{spec.name}' has a value outside {low}..{high}")


def _fits(wanted: tuple[int, ...], got: tuple[int, ...]) -> bool:
    """Whether a tensor has the extents of the contract; -1 is free."""
    if len(wanted) == len(got) and wanted[1:] == got[1:]:  # most have one free extent, the first
        return not wanted or wanted[0] in (-1, got[0])
    return len(wanted) == len(got) and all(one in (-1, other) for one, other in zip(wanted, got, strict=True))


def _is_within(array: Array, spec: TensorSpec) -> bool:
    """Whether every value keeps the bounds, which are taken as the datatype holds them."""
    if array.size <= FEW:
        values = array.ravel().tolist()
        lowest, highest = min(values), max(values)
    else:
        lowest, highest = array.min(), array.max()
    return (spec.minimum is None or lowest >= _held(spec.datatype, spec.minimum)) and (
        spec.maximum is None or highest <= _held(spec.datatype, spec.maximum)
    )


@lru_cache(maxsize=1024)
def _held(datatype: str, bound: float) -> float:
    """A bound as a tensor of that datatype would hold it."""
    kind = NUMPY_TYPES[datatype]
    if kind.kind != "f":
        return bound
    with np.errstate(over="ignore"):
        return float(np.float64(bound).astype(kind))


def outputs_wanted(specs: Sequence[TensorSpec], asked: Sequence[str]) -> list[str]:
    """The output names to compute, in the order asked for; raises RequestError for an unknown one."""
    known = [spec.name for spec in specs]
    for name in asked:
        if name not in known:
            raise RequestError(f"unknown output {quoted(name)}; the model gives {', '.join(known)}")
    return list(asked) or known


def describe(specs: Sequence[TensorSpec]) -> list[Mapping[str, object]]:
    """Tensor metadata as the protocol gives it."""
    return [{"name": s.name, "datatype": s.datatype, "shape": list(s.shape)} for s in specs]


def configure(specs: Sequence[TensorSpec], *, without_rows: bool) -> list[Mapping[str, object]]:
    """Tensors as Triton's model configuration gives them; where rows are a batch, `dims` leave them out."""
    return [
        {
            "name": spec.name,
            "data_type": "TYPE_" + ("STRING" if spec.datatype == "BYTES" else spec.datatype),
            "dims": list(spec.shape[1:] if without_rows else spec.shape),
        }
        for spec in specs
    ]

"""Whether a request keeps the contract a model's manifest declares.

Invariant: what `feed` returns can be given to the model; a refusal after it is the model's fault, a
refusal here the client's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from maestro_cli.serving.errors import RequestError, quoted
from maestro_cli.serving.models.manifest import TensorSpec
from maestro_cli.serving.protocol.tensors import Array, holds_somewhere

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
    fits = len(array.shape) == len(spec.shape) and all(
        wanted in (-1, got) for wanted, got in zip(spec.shape, array.shape, strict=True)
    )
    if not fits:
        raise RequestError(f"input '{spec.name}' must have shape {list(spec.shape)}, got {list(array.shape)}")
    if array.size == 0:
        raise RequestError(f"input '{spec.name}' is empty")
    if spec.shape[:1] == (-1,) and array.shape[0] > MAX_ROWS:
        raise RequestError(f"input '{spec.name}' has {array.shape[0]} rows, at most {MAX_ROWS} a request")
    below = spec.minimum is not None and holds_somewhere(array < spec.minimum)
    above = spec.maximum is not None and holds_somewhere(array > spec.maximum)
    if below or above:
        low = "" if spec.minimum is None else f"{spec.minimum:g}"
        high = "" if spec.maximum is None else f"{spec.maximum:g}"
        raise RequestError(f"input '{spec.name}' has a value outside {low}..{high}")


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

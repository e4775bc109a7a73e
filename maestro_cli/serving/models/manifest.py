"""`manifest.json`, what a model version says of itself.

Invariant: a manifest that was read names a valid model, tensors of known datatypes and at least one golden
row; unknown keys are refused. Format `maestro.model/1`, documented in docs/serving.md.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec

from maestro_cli.core.decoding import ready
from maestro_cli.serving.errors import ArtefactRefused
from maestro_cli.serving.protocol.tensors import NUMPY_TYPES

MODEL_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")
MAX_VERSION = 2**31 - 1
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MAX_TOLERANCE = 0.01


class TensorSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tensor of the contract; extent -1 is free, the first extent counts the rows.

    `minimum` and `maximum` bound every value: a request outside them is the client's fault.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    columns: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


class GoldenRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row (flat values by tensor) and what the model must answer to it."""

    inputs: dict[str, list[Any]]
    outputs: dict[str, list[Any]]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: Literal["maestro.model/1"]
    name: str
    version: Annotated[int, msgspec.Meta(ge=1, le=MAX_VERSION)]
    platform: Literal["onnx_onnxv1"]
    digest: str
    deterministic: bool
    est_bytes: Annotated[int, msgspec.Meta(ge=0)]
    inputs: Annotated[tuple[TensorSpec, ...], msgspec.Meta(min_length=1)]
    outputs: Annotated[tuple[TensorSpec, ...], msgspec.Meta(min_length=1)]
    golden: Annotated[tuple[GoldenRow, ...], msgspec.Meta(min_length=1)]
    tolerance: Annotated[float, msgspec.Meta(ge=0, le=_MAX_TOLERANCE)] = 1e-5
    description: str = ""
    parent: int | None = None
    training: dict[str, Any] = {}
    metrics: dict[str, Any] = {}

    @property
    def stackable(self) -> bool:
        """Whether rows of several requests may run together: every tensor's first extent counts rows."""
        return all(tensor.shape[:1] == (-1,) for tensor in (*self.inputs, *self.outputs))


_DECODER = msgspec.json.Decoder(ready(Manifest))


def read_manifest(content: bytes, name: str, version: int) -> Manifest:
    """The manifest of that version; raises ArtefactRefused with the key that is wrong."""
    try:
        manifest = _DECODER.decode(content)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise ArtefactRefused(f"manifest.json: {str(error)[:300]}") from error
    if (manifest.name, manifest.version) != (name, version):
        raise ArtefactRefused(
            f"manifest.json is of {manifest.name[:64]}/{manifest.version}, not {name}/{version}"
        )
    if not _DIGEST.fullmatch(manifest.digest):
        raise ArtefactRefused("manifest.json: digest is not sha256:<64 hex digits>")
    for side in (manifest.inputs, manifest.outputs):
        names = [tensor.name for tensor in side]
        if len(set(names)) != len(names):
            raise ArtefactRefused("manifest.json: a tensor is declared twice")
        for tensor in side:
            if tensor.datatype not in NUMPY_TYPES:
                raise ArtefactRefused(f"manifest.json: unknown datatype {tensor.datatype[:16]}")
    return manifest

"""Loads one model version: a folder `<models>/<name>/<version>/{model.onnx,manifest.json}`.

Invariant: a `LoadedModel` was built from the very bytes whose digest the manifest names, uses no operator
outside ai.onnx and ai.onnx.ml, touches no other file, and has reproduced its golden rows. Nothing but a
regular file is read: a pipe or a device would have the reader wait for it.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maestro_cli.core.files import open_file
from maestro_cli.serving.errors import ArtefactRefused, ModelError
from maestro_cli.serving.models.bounded import is_bounded
from maestro_cli.serving.models.manifest import GoldenRow, Manifest, TensorSpec, read_manifest
from maestro_cli.serving.models.onnx_survey import Survey, survey
from maestro_cli.serving.protocol import tensors

# Since 1.29 onnxruntime tells its makers about the machine and every model, and keeps an id in the home,
# unless this is set when it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort

MAX_MODEL_BYTES = 256 * 1024 * 1024
MAX_MANIFEST_BYTES = 1024 * 1024
_ALLOWED_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
_ORT_FORMAT = b"ORTM"  # by these four bytes at offset 4 onnxruntime tells its own format
_SILENT = 4  # onnxruntime prints nothing below "fatal": its errors reach us as exceptions

# Every error onnxruntime raises; they have no common base but Exception.
ORT_ERRORS: tuple[type[Exception], ...] = (
    ort.EPFail, ort.EngineError, ort.Fail, ort.InvalidArgument, ort.InvalidGraph, ort.InvalidProtobuf,
    ort.ModelLoaded, ort.NoModel, ort.NoSuchFile, ort.NotImplemented, ort.RuntimeException,
    RuntimeError, ValueError, TypeError,
)  # fmt: skip


class Halt:
    """Ends a run of a model that nobody waits for, and a load between its steps."""

    def __init__(self) -> None:
        self.options = onnxruntime.RunOptions()
        self.is_asked = False

    def ask(self) -> None:
        """Have it end soon, after the operator that it is at; from any thread."""
        self.is_asked = self.options.terminate = True

    def check(self) -> None:
        """Raises ArtefactRefused once it was asked for."""
        if self.is_asked:
            raise ArtefactRefused("it was given up")


class LoadedModel:
    """A version that answers. `served_by` is what the header x-maestro-served says: `name@version#digest`.

    `is_bounded`: a run of as many rows always does as much (`bounded`).
    """

    def __init__(
        self, manifest: Manifest, session: onnxruntime.InferenceSession, *, is_bounded: bool
    ) -> None:
        self.manifest = manifest
        self.name = manifest.name
        self.version = str(manifest.version)
        self.digest = manifest.digest.removeprefix("sha256:")
        self.served_by = f"{self.name}@{self.version}#{self.digest[:8]}"
        self.is_bounded = is_bounded
        self.row_seconds = 0.0  # what a golden row took; the execution learns from there
        self._session = session

    def run(
        self, feed: Mapping[str, tensors.Array], outputs: Sequence[str], halt: Halt | None = None
    ) -> list[tensors.Array]:
        """The named outputs for these inputs.

        Raises ModelError with ONNX Runtime's own words, also soon after `halt` is asked for.
        """
        options = halt.options if halt is not None else None
        try:
            answers: list[Any] = self._session.run(list(outputs), dict(feed), options)
        except ORT_ERRORS as error:
            raise ModelError(str(error)) from error
        for name, answer in zip(outputs, answers, strict=True):
            if not isinstance(answer, np.ndarray):
                raise ModelError(f"output '{name}' is not a tensor")
        return answers


def load(models: Path, name: str, version: int, halt: Halt | None = None) -> LoadedModel:
    """Read, check and prove one version; raises ArtefactRefused with the reason for the repository index."""
    try:
        return _prove(models, name, version, halt or Halt())
    except ArtefactRefused:
        raise
    except (
        Exception
    ) as error:  # whatever a file made go wrong: it must not end the server or leave it loading
        raise ArtefactRefused(
            f"it could not be loaded: {type(error).__name__}: {str(error)[:300]}"
        ) from error


def _prove(models: Path, name: str, version: int, halt: Halt) -> LoadedModel:
    folder = models / name / str(version)
    manifest = read_manifest(_read(folder / "manifest.json", MAX_MANIFEST_BYTES), name, version)
    content = _read(folder / "model.onnx", MAX_MODEL_BYTES)
    halt.check()
    digest = hashlib.sha256(content).hexdigest()
    if f"sha256:{digest}" != manifest.digest:
        raise ArtefactRefused(f"model.onnx has digest sha256:{digest}, the manifest says {manifest.digest}")
    found = _check_graph(content)
    bounded = is_bounded(manifest.inputs, found.operators)
    halt.check()
    model = LoadedModel(manifest, _open(content), is_bounded=bounded)
    _check_tensors(manifest.inputs, model._session.get_inputs(), "input")
    _check_tensors(manifest.outputs, model._session.get_outputs(), "output")
    took = []
    for index, row in enumerate(manifest.golden):
        began = time.perf_counter()
        _reproduce(model, row, index, halt)
        took.append(time.perf_counter() - began)
    halt.check()
    model.row_seconds = min(took)
    return model


def _read(path: Path, limit_bytes: int) -> bytes:
    try:
        with open_file(path) as file:
            content = file.read(limit_bytes + 1)
    except OSError as error:
        raise ArtefactRefused(f"{path.name}: {error.strerror or error}") from error
    if len(content) > limit_bytes:
        raise ArtefactRefused(f"{path.name} is larger than {limit_bytes} bytes")
    return content


def _check_graph(content: bytes) -> Survey:
    if content[4:8] == _ORT_FORMAT:
        raise ArtefactRefused("model.onnx is in ONNX Runtime's own format, or could be taken for it")
    found = survey(content)
    foreign = sorted(found.domains - _ALLOWED_DOMAINS)
    if foreign:
        raise ArtefactRefused(
            f"model.onnx uses operators of domain {foreign[0][:64]!r}; only ai.onnx, ai.onnx.ml"
        )
    if found.external_data:
        raise ArtefactRefused("model.onnx points at external data")
    if found.functions:
        raise ArtefactRefused("model.onnx holds model-local functions or training graphs")
    return found


def _open(content: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # small models: the arena only holds memory back
    options.log_severity_level = _SILENT
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.load_model_format", "ONNX")  # what was surveyed is what runs
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except ORT_ERRORS as error:
        raise ArtefactRefused(f"model.onnx: {str(error)[:300]}") from error


def _check_tensors(declared: Sequence[TensorSpec], actual: Sequence[Any], side: str) -> None:
    """The manifest's tensors are the graph's: same names, datatypes and shapes (a free extent is -1)."""
    graph = {
        node.name: (
            tensors.ONNX_TYPES.get(node.type, node.type),
            tuple(extent if isinstance(extent, int) else -1 for extent in node.shape),
        )
        for node in actual
    }
    manifest = {spec.name: (spec.datatype, spec.shape) for spec in declared}
    for name in sorted(graph.keys() | manifest.keys()):
        if graph.get(name) != manifest.get(name):
            raise ArtefactRefused(
                f"{side} {name[:64]!r}: the graph has {graph.get(name)}, the manifest {manifest.get(name)}"
            )


def _reproduce(model: LoadedModel, row: GoldenRow, index: int, halt: Halt) -> None:
    """One golden row must come out as the manifest says: integers exactly, floats within the tolerance."""
    where = f"golden row {index}"
    try:
        feed = {
            spec.name: np.array(row.inputs[spec.name], dtype=tensors.NUMPY_TYPES[spec.datatype]).reshape(
                [1 if extent == -1 and axis == 0 else extent for axis, extent in enumerate(spec.shape)]
            )
            for spec in model.manifest.inputs
        }
        answers = model.run(feed, list(row.outputs), halt)
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise ArtefactRefused(f"{where} does not fit the inputs: {error}") from error
    except ModelError as fault:
        raise ArtefactRefused(f"{where}: {fault.text}") from fault
    if not row.outputs:
        raise ArtefactRefused(f"{where} expects nothing")
    for (name, expected), answer in zip(row.outputs.items(), answers, strict=True):
        got = answer.ravel()
        if not _is_same(got, expected, model.manifest.tolerance):
            raise ArtefactRefused(f"{where}: {name} is {got.tolist()[:8]}, the manifest says {expected[:8]}")


def _is_same(got: tensors.Array, expected: Sequence[Any], tolerance: float) -> bool:
    if got.dtype.kind != "f":
        return bool(got.tolist() == expected)
    try:
        numbers = np.array(expected, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        return False
    return got.shape == numbers.shape and bool(np.allclose(got, numbers, rtol=0, atol=tolerance))

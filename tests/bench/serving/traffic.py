"""The requests that every server gets, and the answers that it must give.

Invariant: what is right was computed here by ONNX Runtime itself, not by any of the servers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime

from maestro_cli.config.locations import shipped
from maestro_cli.local.load.traffic import Traffic, read_traffic

MODELS = shipped("deploy") / "models"
MODEL, VERSION = "fraud", 1
FILE = MODELS / MODEL / str(VERSION) / "model.onnx"
TOLERANCE = 1e-5


class _Tensor(msgspec.Struct):
    name: str
    data: list[float]


class _Answer(msgspec.Struct):
    outputs: list[_Tensor]


_DECODER = msgspec.json.Decoder(_Answer)


@dataclass(frozen=True, slots=True)
class Expected:
    """The right outputs by name, for each request body."""

    outputs: tuple[dict[str, tuple[float, ...]], ...]

    def fault(self, number: int, answer: bytes) -> str:
        """What is wrong with an answer to that body; "" when nothing is."""
        try:
            given = {one.name: one.data for one in _DECODER.decode(answer).outputs}
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return "the answer is not an inference response"
        right = self.outputs[number]
        if given.keys() != right.keys():
            return f"outputs are {sorted(given)}"
        for name, values in right.items():
            if len(given[name]) != len(values):
                return f"{name} has {len(given[name])} values"
            if any(abs(a - b) > TOLERANCE for a, b in zip(given[name], values, strict=True)):
                return f"{name} is wrong"
        return ""


def recorded() -> tuple[Traffic, Expected]:
    """The held-out applications that ship with the model, and what the model says of each."""
    traffic = read_traffic(MODELS / MODEL / "traffic.json")
    return traffic, expected(FILE, traffic.bodies)


def expected(file: Path, bodies: Sequence[bytes]) -> Expected:
    """What the model in that file answers to these bodies."""
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return Expected(
        tuple(
            {
                name: tuple(np.asarray(values).ravel().tolist())
                for name, values in zip(names, session.run(names, _feed(body)), strict=True)
            }
            for body in bodies
        )
    )


def _feed(body: bytes) -> dict[str, Any]:
    kinds = {"FP32": np.float32, "INT64": np.int64}
    return {
        one["name"]: np.array(one["data"], kinds[one["datatype"]]).reshape(one["shape"])
        for one in json.loads(body)["inputs"]
    }

"""Calls a model server with NVIDIA's `tritonclient[http]` and prints what came of them as one JSON object.

Run by test_tritonclient.py with the Python that has that client; knows nothing of maestro.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

FEATURES = np.array([[6.0, 1169.0, 4.0, 4.0, 2.0, 1.0, 0.0, 4.0, 4.0]], dtype=np.float32)
KEY = {"authorization": f"Bearer {sys.argv[2]}"}
PURPOSE = np.array([[3]], dtype=np.int64)
WORDS = np.array([["ä€"], [""], ["a" * 300]], dtype=np.object_)


def given(name: str, datatype: str, array: Any, *, binary: bool) -> Any:
    tensor = triton.InferInput(name, list(array.shape), datatype)
    return tensor.set_data_from_numpy(array, binary_data=binary)


def applicant(*, features_binary: bool = True, purpose_binary: bool = True) -> list[Any]:
    return [
        given("features", "FP32", FEATURES, binary=features_binary),
        given("purpose", "INT64", PURPOSE, binary=purpose_binary),
    ]


def told(result: Any) -> dict[str, Any]:
    return {
        "id": result.get_response()["id"],
        "version": result.get_response()["model_version"],
        "score": result.as_numpy("score").tolist(),
        "flagged": result.as_numpy("flagged").tolist(),
    }


def answers(client: Any) -> list[dict[str, Any]]:
    """One answer for each way of sending, asking and compressing."""
    mixed = [
        triton.InferRequestedOutput("score", binary_data=True),
        triton.InferRequestedOutput("flagged", binary_data=False),
    ]
    asked = [
        (applicant(features_binary=first, purpose_binary=second), outputs, compression)
        for first in (True, False)
        for second in (True, False)
        for outputs in (None, mixed)
        for compression in (None, "gzip", "deflate")
    ]
    found = [
        client.infer(
            "fraud", inputs, "1", outputs, request_id="7",
            request_compression_algorithm=compression, response_compression_algorithm="gzip",
        )
        for inputs, outputs, compression in asked
    ]  # fmt: skip
    waiting = [client.async_infer("fraud", applicant(), "1", request_id="7") for _ in range(5)]
    return [told(result) for result in (*found, *(one.get_result() for one in waiting))]


def refused(call: Callable[[], object]) -> list[str]:
    """Status and text of the error that a call ends in."""
    try:
        call()
    except InferenceServerException as error:
        return [str(error.status()), str(error.message())]
    return ["200", "it was not refused"]


def refusals(client: Any) -> dict[str, list[str]]:
    shared = applicant()
    shared[0].set_shared_memory("region", 36)
    classes = [triton.InferRequestedOutput("score", class_count=2)]
    return {
        "input": refused(lambda: client.infer("fraud", applicant()[:1])),
        "datatype": refused(
            lambda: client.infer("fraud", [given("features", "FP64", FEATURES.astype("f8"), binary=True)])
        ),
        "model": refused(lambda: client.infer("nope", applicant())),
        "version": refused(lambda: client.get_model_metadata("fraud", "9")),
        "classification": refused(lambda: client.infer("fraud", applicant(), outputs=classes)),
        "shared memory": refused(lambda: client.infer("fraud", shared)),
        "region": refused(lambda: client.register_system_shared_memory("region", "/key", 36)),
        "status": refused(client.get_system_shared_memory_status),
        "statistics": refused(lambda: client.get_inference_statistics("fraud")),
        "config": refused(lambda: client.load_model("fraud", KEY, config="{}")),
        "load": refused(lambda: client.load_model("nope", KEY)),
    }


def repository(client: Any) -> dict[str, Any]:
    """The index after a load and after an unload."""
    client.load_model("fraud", KEY)
    loaded = client.get_model_repository_index()
    client.unload_model("fraud", KEY)
    return {
        "loaded": loaded,
        "unloaded": client.get_model_repository_index(),
        "ready": client.is_model_ready("fraud"),
    }


def words(client: Any) -> list[Any]:
    found = []
    for sent, asked in ((True, True), (True, False), (False, True), (False, False)):
        result = client.infer(
            "words", [given("x", "BYTES", WORDS, binary=sent)],
            outputs=[triton.InferRequestedOutput("y", binary_data=asked)],
        )  # fmt: skip
        got = result.as_numpy("y").ravel().tolist()
        found.append([item.decode() if isinstance(item, bytes) else item for item in got])
    return [*found, WORDS.ravel().tolist()]


def main(address: str) -> None:
    client = triton.InferenceServerClient(address, concurrency=2)
    ready = [client.is_model_ready("fraud", version) for version in ("1", "9")]
    outcome = {
        "health": [client.is_server_live(), client.is_server_ready(), *ready],
        "server": client.get_server_metadata(),
        "model": client.get_model_metadata("fraud", "1"),
        "configuration": client.get_model_config("fraud", "1"),
        "answers": answers(client),
        "words": words(client),
        "refusals": refusals(client),
        "repository": repository(client),
    }
    client.close()
    json.dump(outcome, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])

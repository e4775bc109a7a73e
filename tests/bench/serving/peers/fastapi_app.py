"""Plain FastAPI: the request validated by its models, the model run inline, the answer written by orjson.

Runs as `uvicorn fastapi_app:app` in an environment of its own; MODEL_FILE names the ONNX file.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import onnxruntime
import orjson
from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel

TYPES = {"FP32": np.float32, "INT64": np.int64}
DATATYPES = {"float32": "FP32", "int64": "INT64"}


class Tensor(BaseModel):
    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class InferRequest(BaseModel):
    id: str | None = None
    inputs: list[Tensor]


def _session() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(os.environ["MODEL_FILE"], options, providers=["CPUExecutionProvider"])


app = FastAPI()
session = _session()
names = [output.name for output in session.get_outputs()]


@app.get("/v2/models/fraud/ready")  # type: ignore[untyped-decorator]
async def ready() -> dict[str, Any]:
    return {"name": "fraud", "ready": True}


@app.post("/v2/models/fraud/infer")  # type: ignore[untyped-decorator]
async def infer(request: InferRequest) -> Response:
    try:
        feed = {
            one.name: np.array(one.data, TYPES[one.datatype]).reshape(one.shape) for one in request.inputs
        }
        answers = session.run(names, feed)
    except (KeyError, ValueError) as error:
        raise HTTPException(400, str(error)) from error
    outputs = [
        {
            "name": name,
            "datatype": DATATYPES[str(answer.dtype)],
            "shape": list(answer.shape),
            "data": answer.ravel().tolist(),
        }
        for name, answer in zip(names, answers, strict=True)
    ]
    told = {"model_name": "fraud", "model_version": "1", "id": request.id, "outputs": outputs}
    return Response(orjson.dumps(told), media_type="application/json")

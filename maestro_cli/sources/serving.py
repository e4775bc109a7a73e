"""An inference server that speaks the Open Inference Protocol v2 over HTTP.

Invariant: an answer always says which model and version gave it, as far as the server tells; model output
is untrusted. Formats: kserve/open-inference-protocol `inference_rest.md`, Triton's model repository
extension for the index.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from maestro_cli.config.secrets import NO_VAULT, Secrets
from maestro_cli.config.settings import Endpoint
from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import NotFound, UsageError
from maestro_cli.core.facts.endpoints import EndpointCheck
from maestro_cli.core.facts.inference import Inference, ModelVersion, Tensor
from maestro_cli.core.untrusted import Untrusted, visible
from maestro_cli.sources.failures import quoted, shown_url
from maestro_cli.sources.http import Answer, Ask, checked, endpoint_backend
from maestro_cli.sources.serving_admin import ServingAdmin

if TYPE_CHECKING:
    import httpx

SYSTEM = "Serving"


class ServerMetadata(msgspec.Struct):
    """What `GET /v2` says."""

    name: str = ""
    version: str = ""
    extensions: list[str] = []


class _Entry(msgspec.Struct):
    name: str
    version: str | int | None = None
    state: str | None = ""
    reason: str | None = ""


class _Output(msgspec.Struct):
    name: str
    data: list[Any]


class _Inference(msgspec.Struct):
    model_name: str = ""
    model_version: str | None = ""
    outputs: list[_Output] = []


class _Error(msgspec.Struct):
    error: str = ""


class InferenceServer:
    """One server, or a Service in front of several. Methods raise Unreachable and Refused."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeout_seconds: float = 4,
        transport: httpx.BaseTransport | None = None,
        secrets: Secrets = NO_VAULT,
    ) -> None:
        self._backend = endpoint_backend(
            SYSTEM, endpoint, timeout_seconds=timeout_seconds, transport=transport, secrets=secrets
        )
        self.url = shown_url(endpoint.url)
        self.admin = ServingAdmin(self._backend, self.url)

    def close(self) -> None:
        """Close its connections; the source is of no use afterwards."""
        self._backend.close()

    def live(self) -> bool:
        """Whether the process says that it lives."""
        return self._backend.get("/v2/health/live").status == 200

    def ready(self) -> bool:
        """Whether it says that its models can answer."""
        return self._backend.get("/v2/health/ready").status == 200

    def metadata(self) -> ServerMetadata:
        """Its name, version and extensions."""
        return self._backend.decode(self._good(self._backend.get("/v2")), ServerMetadata)

    def index(self) -> tuple[ModelVersion, ...]:
        """Every model version the server knows, by name and version."""
        ask = Ask("POST", "/v2/repository/index", body=b"{}", safe=True)
        entries = self._backend.decode(self._good(self._backend.ask(ask)), list[_Entry])
        versions = [
            ModelVersion(
                Untrusted(item.name),
                Untrusted("" if item.version is None else item.version),
                Untrusted(item.state or "READY"),
                Untrusted(item.reason or ""),
            )
            for item in entries
        ]
        return tuple(sorted(versions, key=lambda item: (item.name, item.version)))

    def infer(
        self, model: str, inputs: Mapping[str, Tensor | Sequence[Any]], *, version: str | None = None
    ) -> Inference:
        """Ask a model; nested lists become tensors of INT64, FP32, BOOL or BYTES.

        Raises NotFound for an unknown model or version, UsageError for input it does not take.
        """
        tensors = {
            name: value if isinstance(value, Tensor) else tensor(value) for name, value in inputs.items()
        }
        body = {
            "inputs": [
                {"name": name, "shape": item.shape, "datatype": item.datatype, "data": item.data}
                for name, item in tensors.items()
            ]
        }
        chosen = f"/versions/{quote(version, safe='')}" if version else ""
        path = f"/v2/models/{quote(model, safe='')}{chosen}/infer"
        started = time.monotonic()
        answer = self._good(
            self._backend.ask(Ask("POST", path, body=msgspec.json.encode(body), safe=True)), what=model
        )
        seconds = time.monotonic() - started
        said = self._backend.decode(answer, _Inference)
        return Inference(
            model=Untrusted(said.model_name or model),
            version=Untrusted(said.model_version or ""),
            outputs={Untrusted(item.name): tuple(item.data) for item in said.outputs},
            served_by=Untrusted(answer.headers.get("x-maestro-served", "")),
            seconds=seconds,
        )

    def check(self) -> EndpointCheck:
        """Whether it is ready; the version is what it says of itself."""
        return checked(SYSTEM, self.url, self._version_of_a_ready_one)

    def _version_of_a_ready_one(self) -> str:
        self._good(self._backend.get("/v2/health/ready"))
        said = self.metadata()
        return visible(f"{said.name} {said.version}".strip(), 80)

    def _good(self, answer: Answer, *, what: str = "") -> Answer:
        if answer.status in (400, 404, 422):
            try:
                said = quoted(msgspec.json.decode(answer.body, type=ready(_Error)).error)
            except (msgspec.DecodeError, RecursionError):
                return self._backend.expect_ok(answer)
            if answer.status == 404:
                raise NotFound(f"{self.url} does not serve {visible(what, 100) or 'this'}", why=said)
            raise UsageError(f"{self.url} does not take this input", why=said)
        return self._backend.expect_ok(answer)


def tensor(nested: Sequence[Any]) -> Tensor:
    """A tensor from nested lists; raises UsageError when they are ragged, mixed or empty."""
    shape: list[int] = []
    level: list[Any] = list(nested)
    shape.append(len(level))
    while level and all(isinstance(item, list | tuple) for item in level):
        widths = {len(item) for item in level}
        if len(widths) != 1:
            raise UsageError("the input is ragged: its rows differ in length")
        shape.append(widths.pop())
        level = [value for row in level for value in row]
    kinds = {type(value) for value in level}
    for allowed, datatype in (({bool}, "BOOL"), ({int}, "INT64"), ({int, float}, "FP32"), ({str}, "BYTES")):
        if kinds and kinds <= allowed:
            if any(isinstance(value, float) and not math.isfinite(value) for value in level):
                raise UsageError("the input has NaN or infinity, which JSON cannot carry")
            return Tensor(datatype, tuple(shape), tuple(level))
    raise UsageError("the input is empty, or mixes numbers, text and lists")

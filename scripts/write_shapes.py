"""Write `maestro_cli/local/cluster/shapes.json`: the fields of every message the light cluster knows.

    python scripts/write_shapes.py DEFINITIONS

DEFINITIONS is `_definitions.json` of the newest `kubernetes_validate` (PyPI): the Kubernetes API as JSON
schema, patch merge keys included. Run it when the Kubernetes version of the light cluster moves.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "maestro_cli" / "local" / "cluster" / "shapes.json"
CORE, META = "io.k8s.api.core.v1.", "io.k8s.apimachinery.pkg.apis.meta.v1."
ROOTS = (
    *(CORE + kind for kind in (
        "Namespace", "Node", "Pod", "Service", "Endpoints", "Event", "ConfigMap", "Secret", "ServiceAccount",
        "Binding",
    )),
    "io.k8s.api.apps.v1.Deployment", "io.k8s.api.apps.v1.ReplicaSet", "io.k8s.api.batch.v1.Job",
    "io.k8s.api.policy.v1.PodDisruptionBudget", "io.k8s.api.policy.v1.Eviction",
    "io.k8s.api.coordination.v1.Lease", "io.k8s.api.discovery.v1.EndpointSlice",
    "io.k8s.api.events.v1.Event", "io.k8s.api.autoscaling.v1.Scale",
    "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler", "io.k8s.api.networking.v1.NetworkPolicy",
    "io.k8s.api.authorization.v1.SelfSubjectAccessReview",
    "io.k8s.api.authorization.v1.SelfSubjectRulesReview",
    "io.k8s.api.authentication.v1.SelfSubjectReview", META + "DeleteOptions",
)  # fmt: skip
# Of no Kubernetes release: an extension's, of which only the header is known here.
EXTENSIONS = {
    "ServiceMonitor": {
        "apiVersion": "text", "kind": "text", "metadata": "@ObjectMeta", "spec": "any", "status": "any",
    },
}  # fmt: skip
SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-text",
    META + "FieldsV1": "any",
}


def short(name: str) -> str:
    """The last word of a definition's name; `events.Event`, because there are two."""
    return "events.Event" if name == "io.k8s.api.events.v1.Event" else name.rpartition(".")[2]


def form(schema: Any, wanted: list[str]) -> str:
    """A field's type as `shapes.py` reads it; the definitions it names are added to `wanted`."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        if name in SPECIAL:
            return SPECIAL[name]
        wanted.append(name)
        return "@" + name
    kind = schema.get("type", "any")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "array":
        merged = "merge" in schema.get("x-kubernetes-patch-strategy", "")
        key = schema.get("x-kubernetes-patch-merge-key", "")
        return f"[{key if merged else '-'}]" + form(schema["items"], wanted)
    if kind == "object" and "additionalProperties" in schema:
        return "{}" + form(schema["additionalProperties"], wanted)
    known = {"string": "text", "integer": "int", "boolean": "bool", "number": "number"}
    return known.get(kind, "any")


def main(path: str) -> None:
    definitions = json.loads(Path(path).read_text())["$defs"]
    wanted, found = list(ROOTS), dict[str, Any]()
    while wanted:
        name = wanted.pop()
        if name not in found:
            schema = definitions[name]
            if "properties" in schema:
                found[name] = {key: form(one, wanted) for key, one in schema["properties"].items()}
            else:
                found[name] = form(schema, wanted)

    def resolved(one: str) -> str:
        """With short names, and with what is no message (a Time) in its place."""
        head, at, name = one.partition("@")
        if not at:
            return one
        return head + (found[name] if isinstance(found[name], str) else "@" + short(name))

    messages = dict[str, dict[str, str]](EXTENSIONS)
    for name, fields in found.items():
        if isinstance(fields, dict):
            message = {key: resolved(one) for key, one in fields.items()}
            if messages.setdefault(short(name), message) != message:
                raise SystemExit(f"two messages are called {short(name)}")
    lines = (f'"{name}": {json.dumps(fields, sort_keys=True)}' for name, fields in sorted(messages.items()))
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(messages)} messages, {TARGET.stat().st_size} bytes")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])

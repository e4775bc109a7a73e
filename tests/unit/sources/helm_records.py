"""Records of Helm releases as Helm 3 writes them."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

FIRST = "2026-01-01T00:00:00.123456789Z"


def packed(body: bytes) -> str:
    """JSON, gzipped, in base64; and in base64 once more, as in every Secret."""
    return base64.b64encode(base64.b64encode(gzip.compress(body, mtime=0))).decode()


def secret(name: str, revision: int, status: str, data: str, namespace: str = "ml") -> dict[str, Any]:
    labels = {"owner": "helm", "name": name, "status": status, "version": str(revision)}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {
            "name": f"sh.helm.release.v1.{name}.v{revision}", "namespace": namespace, "labels": labels,
            "resourceVersion": str(revision),
        },
        "data": {"release": data},
    }  # fmt: skip


def record(
    name: str, revision: int, status: str, manifest: str, description: str = "Upgrade complete", **more: Any
) -> dict[str, Any]:
    """The Secret of one revision."""
    body = {
        "name": name, "namespace": "ml", "version": revision, "manifest": manifest,
        "info": {
            "first_deployed": FIRST, "last_deployed": "2026-01-02T03:04:05Z", "deleted": "",
            "status": status, "description": description,
        },
        "chart": {"metadata": {"name": name, "version": f"1.{revision}.0", "apiVersion": "v2"}, "files": []},
        **more,
    }  # fmt: skip
    return secret(name, revision, status, packed(json.dumps(body).encode()))


def record_of(secret: dict[str, Any]) -> dict[str, Any]:
    """What a Secret holds."""
    inner = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    found: dict[str, Any] = json.loads(gzip.decompress(inner))
    return found

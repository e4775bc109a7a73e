"""One kubeconfig of one file and one context, for programs that are to reach that cluster and no other.

Invariant: whatever the files of the user say besides, it has the context in use alone, as the current one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.sources.kube.access import config_of
from maestro_cli.sources.kube.kubeconfig import Entry

_FILES = {
    "cluster": ("certificate-authority",),
    "user": ("client-certificate", "client-key", "tokenFile"),
}


def standalone_kubeconfig(endpoint: ClusterEndpoint, environment: Mapping[str, str]) -> tuple[str, str]:
    """The name of the context in use and the kubeconfig as JSON text; both "" in a pod, where a service
    account stands for one.

    Raises InvalidFile naming file, line and key.
    """
    config = config_of(endpoint, environment)
    if config is None:
        return "", ""
    name = config.context
    inside = {"cluster": name, "user": name, "namespace": config.namespace}
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": _anchored(config.cluster, "cluster")}],
        "users": [{"name": name, "user": _anchored(config.user, "user") if config.user else {}}],
        "contexts": [{"name": name, "context": {key: value for key, value in inside.items() if value}}],
    }
    return name, json.dumps(document, indent=1)


def _anchored(entry: Entry, kind: str) -> dict[str, Any]:
    """With the files that it names by their whole paths; so is a plugin that is no name to be looked up."""
    folder = Path(entry.document.file).resolve().parent
    body = dict(entry.body)
    body |= {key: str(folder / body[key]) for key in _FILES[kind] if body.get(key)}
    plugin = body.get("exec")
    if isinstance(plugin, Mapping) and os.sep in str(plugin.get("command", "")):
        body["exec"] = {**plugin, "command": str(folder / str(plugin["command"]))}
    return body

"""What the steps of a runbook find in their environment besides the run's values.

Invariant: a `kubectl` or `maestro` that a step starts speaks to the context of the run, whatever the person
who started it has chosen elsewhere.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.config.locations import make_private, state_dir
from maestro_cli.core.files import write_atomically

if TYPE_CHECKING:
    from maestro_cli.config.settings import ClusterEndpoint, Context


def step_environment(name: str, context: Context, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with the context's own in it; a variable whose value the context lacks is not there.

    Programs that came with this maestro, itself among them, are found before others of that name.
    """
    beside = str(Path(sys.executable).parent)
    own = {
        "MAESTRO_CONTEXT": name,
        "MAESTRO_BACKUPS": context.backups or "",
        "MAESTRO_SERVING_URL": context.serving.url if context.serving is not None else "",
        "PATH": os.pathsep.join(filter(None, (beside, environment.get("PATH", "")))),
    }
    if context.cluster is not None:
        own["KUBECONFIG"] = _kubeconfig(name, context.cluster, environment)
    others = {key: value for key, value in environment.items() if key not in own}
    return others | {key: value for key, value in own.items() if value}


def _kubeconfig(name: str, cluster: ClusterEndpoint, environment: Mapping[str, str]) -> str:
    """The files kubectl reads, after one that only chooses where the context names a context of theirs."""
    files = cluster.kubeconfig or environment.get("KUBECONFIG", "")
    if not cluster.kube_context:
        return files
    files = files or str(Path.home() / ".kube" / "config")
    choice = state_dir() / "kubeconfig" / f"{name}.json"
    make_private(choice.parent)
    write_atomically(choice, json.dumps(_choosing(cluster.kube_context)), mode=0o600)
    return f"{choice}{os.pathsep}{files}"


def _choosing(kube_context: str) -> dict[str, str]:
    return {"apiVersion": "v1", "kind": "Config", "current-context": kube_context}

"""A Kubernetes cluster: the `kubernetes` package for kubeconfig and credentials, httpx for the calls.

Invariant: whoever lists one kind does not import what changes others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maestro_cli.sources.kube.cluster import KubeCluster

__all__ = ["KubeCluster"]


def __getattr__(name: str) -> Any:
    """Imported when it is first asked for."""
    if name != "KubeCluster":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from maestro_cli.sources.kube.cluster import KubeCluster

    return KubeCluster

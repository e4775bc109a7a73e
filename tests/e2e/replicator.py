"""FAKE of what a platform replicates with: a process that copies one config map to another cluster.

`python replicator.py FROM TO NAMESPACE/NAME SECONDS`, with kubeconfigs. It stands for replication of data, is
no part of maestro, and runs as a pod of the region that it copies from: it is lost with it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from maestro_cli.config.settings import ClusterEndpoint
from maestro_cli.core.errors import MaestroError, NotFound
from maestro_cli.sources.kube import KubeCluster


def copy(source: KubeCluster, to: KubeCluster, namespace: str, name: str) -> None:
    """What is there now; nothing where nothing is."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    data = {"data": source.get_object(f"{path}/{name}")["data"]}
    try:
        to.merge_object(f"{path}/{name}", data)
    except NotFound:
        made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **data}
        to.create_object(path, made)


def main(source: Path, to: Path, place: str, seconds: float) -> None:
    clusters = [KubeCluster(ClusterEndpoint(kubeconfig=str(one))) for one in (source, to)]
    namespace, _, name = place.partition("/")
    while True:
        try:
            copy(clusters[0], clusters[1], namespace, name)
        except MaestroError as error:
            sys.stderr.write(f"{error.what}\n")
        time.sleep(seconds)  # its period, which is what the measured RPO follows


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], float(sys.argv[4]))

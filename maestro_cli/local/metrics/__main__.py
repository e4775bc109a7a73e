"""`python -m maestro_cli.local.metrics --state DIR [--port N]`."""

from __future__ import annotations

import argparse
import asyncio
import ssl
import sys

from maestro_cli.local import api, daemon
from maestro_cli.local.api import ApiClient, connect
from maestro_cli.local.certificates import ensure_pki, kubelet_tls
from maestro_cli.local.informer import Informer
from maestro_cli.local.metrics import tls_secrets
from maestro_cli.local.metrics.discovery import targets
from maestro_cli.local.metrics.nodes import NodeMetrics
from maestro_cli.local.metrics.server import MetricsServer
from maestro_cli.local.metrics.state import Snapshot, describe
from maestro_cli.local.process import announce


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = daemon.parser("maestro_cli.local.metrics", "kube_* and container_* series for Prometheus.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any)")
    return parser.parse_args(argv)


class _ClusterPages:
    """Renders the informers' present state; called from server threads."""

    def __init__(self, client: ApiClient, kubelets: ssl.SSLContext) -> None:
        self.deployments = Informer(client, api.DEPLOYMENTS)
        self.replica_sets = Informer(client, api.REPLICA_SETS)
        self.pod_informer = Informer(client, api.PODS)
        self.nodes = Informer(client, api.NODES)
        self.budgets = Informer(client, api.DISRUPTION_BUDGETS)
        self.jobs = Informer(client, api.JOBS)
        self.namespaces = Informer(client, api.NAMESPACES)
        self.tls_secrets = Informer(client, api.SECRETS, field_selector=f"type={tls_secrets.TYPE}")
        self.config_maps = Informer(client, api.CONFIG_MAPS)
        self.node_metrics = NodeMetrics(kubelets)

    @property
    def informers(self) -> list[Informer]:
        return [
            self.deployments,
            self.replica_sets,
            self.pod_informer,
            self.nodes,
            self.budgets,
            self.jobs,
            self.namespaces,
            self.tls_secrets,
            self.config_maps,
        ]

    def metrics(self) -> str:
        snapshot = Snapshot(
            self.deployments.all(),
            self.replica_sets.all(),
            self.pod_informer.all(),
            self.nodes.all(),
            self.budgets.all(),
            self.jobs.all(),
            self.namespaces.all(),
            self.tls_secrets.all(),
            self.config_maps.all(),
        )
        return describe(snapshot).text() + self.node_metrics.text(snapshot.nodes)

    def pods(self) -> object:
        return targets(self.pod_informer.all(), self.replica_sets.get)


async def _serve(arguments: argparse.Namespace) -> None:
    client = await connect(arguments.kubeconfig or arguments.state / "agent.kubeconfig", "metrics")
    pages = _ClusterPages(client, kubelet_tls(ensure_pki(arguments.state)))
    server = MetricsServer(pages, arguments.port)
    server.start()
    try:
        async with asyncio.TaskGroup() as group:
            for informer in pages.informers:
                group.create_task(informer.run())
            await asyncio.gather(*(informer.synced() for informer in pages.informers))
            announce(arguments.state, "metrics", port=server.port, url=f"http://127.0.0.1:{server.port}")
    finally:
        server.shutdown()
        pages.node_metrics.close()
        await client.close()


if __name__ == "__main__":
    sys.exit(daemon.run(lambda: _serve(_arguments(sys.argv[1:]))))

"""`python -m maestro_cli.local.kubelet --state DIR --node node-a --zone zone-a --index 1`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from maestro_cli.core.errors import ActionFailed
from maestro_cli.local import daemon
from maestro_cli.local.api import connect
from maestro_cli.local.certificates import ensure_pki
from maestro_cli.local.kubelet.node import NodeAgent
from maestro_cli.local.kubelet.pods import PodSet
from maestro_cli.local.kubelet.processes import Processes
from maestro_cli.local.kubelet.server import KubeletServer
from maestro_cli.local.kubelet.settings import Settings
from maestro_cli.local.process import announce
from maestro_cli.local.recorder import EventRecorder

_FAREWELL_SECONDS = 2.0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = daemon.parser("maestro_cli.local.kubelet", "One node whose pods are process groups.")
    parser.add_argument("--node", required=True, help="name of the node")
    parser.add_argument("--zone", required=True, help="topology.kubernetes.io/zone of the node")
    parser.add_argument("--region", default="local", help="topology.kubernetes.io/region of the node")
    parser.add_argument("--index", type=int, required=True, help="1..254: pods get 10.244.INDEX.m")
    parser.add_argument("--announce", help="name of the ready file (default: kubelet-a for node-a)")
    defaults = Settings(Path(), "", "", 1)
    for name in ("backoff_initial", "backoff_max", "lease_renew", "volume_refresh", "shutdown_grace"):
        option = "--" + name.replace("_", "-")
        parser.add_argument(option, type=float, default=getattr(defaults, name), metavar="SECONDS")
    parser.add_argument("--lease-duration", type=int, default=defaults.lease_duration, metavar="SECONDS")
    parser.add_argument("--max-pods", type=int, default=defaults.max_pods)
    parser.add_argument("--log-cap-bytes", type=int, default=defaults.log_cap_bytes)
    return parser.parse_args(argv)


def _settings(arguments: argparse.Namespace) -> Settings:
    return Settings(
        state=arguments.state.resolve(),
        node=arguments.node,
        zone=arguments.zone,
        index=arguments.index,
        region=arguments.region,
        backoff_initial=arguments.backoff_initial,
        backoff_max=arguments.backoff_max,
        lease_renew=arguments.lease_renew,
        lease_duration=arguments.lease_duration,
        volume_refresh=arguments.volume_refresh,
        shutdown_grace=arguments.shutdown_grace,
        log_cap_bytes=arguments.log_cap_bytes,
        max_pods=arguments.max_pods,
    )


async def _serve(arguments: argparse.Namespace) -> None:
    settings = _settings(arguments)
    client = await connect(arguments.kubeconfig or settings.state / "kubelet.kubeconfig", settings.node)
    processes = Processes()
    recorder = EventRecorder(client, "kubelet", settings.node)
    pods = PodSet(client, settings, processes, recorder)
    server = KubeletServer(pods, settings.node, ensure_pki(settings.state))
    server.start()
    node = NodeAgent(client, settings, server.port, recorder)
    spawner = asyncio.create_task(processes.run())
    work = [asyncio.create_task(recorder.run())]
    try:
        await node.register()
        work += [asyncio.create_task(pods.informer.run()), asyncio.create_task(node.run())]
        await pods.informer.synced()
        pods.sweep_folders()
        name = arguments.announce or f"kubelet-{settings.node.removeprefix('node-')}"
        url = f"https://127.0.0.1:{server.port}"
        announce(settings.state, name, node=settings.node, port=server.port, url=url)
        await _work_on(processes.lost, work)
    finally:
        with contextlib.suppress(TimeoutError):  # an API server that hangs must not keep us
            limit = settings.shutdown_grace + _FAREWELL_SECONDS
            await asyncio.wait_for(_leave(settings, pods, node, recorder), limit)
        for task in [*work, spawner]:
            task.cancel()
        await asyncio.gather(*work, spawner, return_exceptions=True)
        server.shutdown()
        await client.close()


async def _work_on(lost: asyncio.Event, work: Sequence[asyncio.Task[None]]) -> None:
    """Until the spawner is gone (ActionFailed) or some of the work ends with an error, which is raised: a
    node that does half of its work must not say that it is ready.
    """
    waiting = asyncio.ensure_future(lost.wait())
    try:
        done, _ = await asyncio.wait([waiting, *work], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    for task in set(work) & done:
        task.result()
    raise ActionFailed("the spawner of this node's pods is gone", fix="the supervisor starts the node again")


async def _leave(settings: Settings, pods: PodSet, node: NodeAgent, recorder: EventRecorder) -> None:
    await asyncio.gather(pods.leave(settings.shutdown_grace), node.leave())
    await recorder.flush(1.0)


if __name__ == "__main__":
    sys.exit(daemon.run(lambda: _serve(_arguments(sys.argv[1:]))))

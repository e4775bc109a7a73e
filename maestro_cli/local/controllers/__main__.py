"""`python -m maestro_cli.local.controllers --state DIR`."""

from __future__ import annotations

import argparse
import asyncio
import sys

from maestro_cli.local import daemon
from maestro_cli.local.api import connect
from maestro_cli.local.controllers.deployment import DeploymentController
from maestro_cli.local.controllers.endpoints import EndpointsController
from maestro_cli.local.controllers.replicaset import ReplicaSetController
from maestro_cli.local.controllers.scheduler import Scheduler
from maestro_cli.local.controllers.world import World
from maestro_cli.local.process import announce


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = daemon.parser("maestro_cli.local.controllers", "The controllers of the light cluster.")
    return parser.parse_args(argv)


async def _serve(arguments: argparse.Namespace) -> None:
    client = await connect(arguments.kubeconfig or arguments.state / "agent.kubeconfig", "controllers")
    world = World(client)
    deployments, replica_sets, scheduler = (
        DeploymentController(world),
        ReplicaSetController(world),
        Scheduler(world),
    )
    endpoints = EndpointsController(world)
    queues = [deployments.queue, replica_sets.queue, endpoints.queue]
    recorders = [deployments.recorder, replica_sets.recorder, scheduler.recorder]
    try:
        async with asyncio.TaskGroup() as group:
            for informer in world.informers.values():
                group.create_task(informer.run())
            for recorder in recorders:
                group.create_task(recorder.run())
            await world.synced()  # a controller that saw half the world would fill it up twice
            for queue in queues:
                group.create_task(queue.run())
            group.create_task(scheduler.queue.run(workers=1))  # one at a time, or they crowd one node
            announce(arguments.state, "controllers")
    finally:
        await client.close()


if __name__ == "__main__":
    sys.exit(daemon.run(lambda: _serve(_arguments(sys.argv[1:]))))

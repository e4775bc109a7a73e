"""`python -m maestro_cli.local.controllers --state DIR`."""

from __future__ import annotations

import argparse
import asyncio
import sys

from maestro_cli.local import daemon
from maestro_cli.local.api import connect
from maestro_cli.local.controllers.deployment import DeploymentController
from maestro_cli.local.controllers.disruption import DisruptionController
from maestro_cli.local.controllers.endpoints import EndpointsController
from maestro_cli.local.controllers.garbage import GarbageCollector
from maestro_cli.local.controllers.job import JobController
from maestro_cli.local.controllers.nodes import NodeController
from maestro_cli.local.controllers.replicaset import ReplicaSetController
from maestro_cli.local.controllers.scheduler import Scheduler
from maestro_cli.local.controllers.world import World
from maestro_cli.local.process import announce


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = daemon.parser("maestro_cli.local.controllers", "The controllers of the light cluster.")
    parser.add_argument(
        "--node-grace", type=float, default=20.0, metavar="SECONDS", help="a node this long silent is lost"
    )
    parser.add_argument(
        "--evict-after",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="pods of a lost node are deleted after their toleration, at the latest after this",
    )
    return parser.parse_args(argv)


async def _serve(arguments: argparse.Namespace) -> None:
    client = await connect(arguments.kubeconfig or arguments.state / "agent.kubeconfig", "controllers")
    world = World(client)
    deployments, replica_sets, jobs = (
        DeploymentController(world),
        ReplicaSetController(world),
        JobController(world),
    )
    scheduler = Scheduler(world)
    nodes = NodeController(
        world, grace_seconds=arguments.node_grace, evict_after_seconds=arguments.evict_after
    )
    budgets = DisruptionController(world)
    queues = [
        deployments.queue,
        replica_sets.queue,
        jobs.queue,
        EndpointsController(world).queue,
        budgets.queue,
        GarbageCollector(world).queue,
    ]
    recorders = [
        deployments.recorder,
        replica_sets.recorder,
        jobs.recorder,
        scheduler.recorder,
        nodes.recorder,
        budgets.recorder,
    ]
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
            group.create_task(nodes.run())
            announce(arguments.state, "controllers")
    finally:
        await client.close()


if __name__ == "__main__":
    sys.exit(daemon.run(lambda: _serve(_arguments(sys.argv[1:]))))

"""`python -m maestro_cli.local.balancer --state DIR`."""

from __future__ import annotations

import argparse
import asyncio
import sys

from maestro_cli.local import daemon
from maestro_cli.local.api import connect
from maestro_cli.local.balancer.services import ServiceTable
from maestro_cli.local.process import announce


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = daemon.parser("maestro_cli.local.balancer", "A TCP proxy for every Service.")
    return parser.parse_args(argv)


async def _serve(arguments: argparse.Namespace) -> None:
    client = await connect(arguments.kubeconfig or arguments.state / "agent.kubeconfig", "balancer")
    table = ServiceTable(client)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(table.services.run())
            group.create_task(table.slices.run())
            group.create_task(table.pods.run())
            await asyncio.gather(table.services.synced(), table.slices.synced())
            group.create_task(table.run())
            announce(arguments.state, "balancer")
    finally:
        await table.stop()
        await client.close()


if __name__ == "__main__":
    sys.exit(daemon.run(lambda: _serve(_arguments(sys.argv[1:]))))

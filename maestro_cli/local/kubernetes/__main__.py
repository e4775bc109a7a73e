"""`python -m maestro_cli.local.kubernetes --state DIR --program FILE`: the control plane alone.

Runs until SIGTERM or SIGINT. Invariant: it is announced as `cluster` once all four parts are ready, and none
of them outlives this process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import ActionFailed
from maestro_cli.local import daemon
from maestro_cli.local.kubernetes.commands import ControlPlane
from maestro_cli.local.kubernetes.files import write_files
from maestro_cli.local.kubernetes.parts import control_plane_parts
from maestro_cli.local.ports import Ports
from maestro_cli.local.process import announce
from maestro_cli.local.supervisor.group import Group
from maestro_cli.local.supervisor.model import CLUSTER


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = daemon.parser("maestro_cli.local.kubernetes", "The real control plane, without a platform.")
    parser.add_argument("--program", type=Path, required=True, help="the control plane's binary")
    parser.add_argument("--unsafe-no-fsync", action="store_true", help="etcd does not wait for the disk")
    parser.add_argument("--node-grace", type=float, metavar="SECONDS", help="a node this long silent is lost")
    parser.add_argument(
        "--evict-after", type=int, metavar="SECONDS", help="pods of a lost node are deleted after this"
    )
    parser.add_argument(
        "--apiserver-flag", action="append", default=[], metavar="FLAG", help="one more for kube-apiserver"
    )
    return parser.parse_args(argv)


async def _serve(arguments: argparse.Namespace) -> None:
    plane = ControlPlane(
        arguments.state.resolve(),
        str(arguments.program.resolve()),
        fsync=not arguments.unsafe_no_fsync,
        node_grace_seconds=arguments.node_grace,
        evict_after_seconds=arguments.evict_after,
        apiserver_flags=tuple(arguments.apiserver_flag),
    )
    (plane.state / "logs").mkdir(parents=True, exist_ok=True, mode=0o700)
    write_files(plane)
    ports = Ports()
    group = Group(control_plane_parts(plane, ports), plane.state, os.environ, ports, SystemClock())
    announced = False
    try:
        while True:
            await group.look()
            group.start_due()
            if (child := group.hopeless()) is not None:
                why = f"{child.reason}; look into {plane.state / 'logs' / child.part.name}.log"
                raise ActionFailed(f"{child.part.name} does not start", why=why)
            if not announced and not group.unready():
                announce(plane.state, CLUSTER, **group.facts[CLUSTER])
                announced = True
            await group.pause(busy=True)
    finally:
        await asyncio.shield(group.stop())


if __name__ == "__main__":
    sys.exit(daemon.run(lambda: _serve(_arguments(sys.argv[1:]))))

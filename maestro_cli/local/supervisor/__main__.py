"""`python -m maestro_cli.local.supervisor --state DIR --id ID …`: detach, then supervise."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from maestro_cli.core.clock import SystemClock
from maestro_cli.local.process import PLATFORM_VARIABLE
from maestro_cli.local.programs import Programs
from maestro_cli.local.supervisor.model import Plan


def main(arguments: list[str]) -> int:
    """Answer as soon as the supervisor is on its own; the supervisor itself runs until it is stopped."""
    options = _parse(arguments)
    if os.fork():
        return 0  # the caller goes on; nobody has to reap the supervisor
    os.setsid()
    os.set_inheritable(options.lock_fd, False)
    plan = Plan(
        state=options.state,
        id=os.environ[PLATFORM_VARIABLE],
        profile=options.profile,
        interval_seconds=options.interval_seconds,
        cluster=options.cluster,
        load_seed=options.load_seed,
        load_rate=options.load_rate,
        programs=Programs(options.prometheus, options.alertmanager),
        watch=not options.without_watch,
        cluster_program=options.cluster_program,
        second=options.second,
        region=options.region,
    )
    from maestro_cli.local.supervisor.loop import Supervisor

    async def supervise() -> None:
        await Supervisor(plan, os.environ, SystemClock()).run()

    asyncio.run(supervise())
    return 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="maestro_cli.local.supervisor")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--lock-fd", type=int, required=True)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--interval-seconds", type=float, required=True)
    parser.add_argument("--cluster", required=True)
    parser.add_argument("--cluster-program", default="")
    parser.add_argument("--load-seed", type=int, required=True)
    parser.add_argument("--load-rate", type=float, required=True)
    parser.add_argument("--prometheus", required=True)
    parser.add_argument("--alertmanager", required=True)
    parser.add_argument("--region", default="local")
    parser.add_argument("--without-watch", action="store_true")
    parser.add_argument("--second", action="store_true", help="start the second model service as well")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

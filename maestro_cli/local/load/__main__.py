"""`python -m maestro_cli.local.load --state DIR --url http://127.0.0.1:PORT --seed 1 --rate 50`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry, disable_created_metrics, start_http_server

from maestro_cli.config.locations import shipped
from maestro_cli.config.secrets import NO_VAULT
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import MaestroError
from maestro_cli.local.load.generator import Generator
from maestro_cli.local.load.judging import Judge
from maestro_cli.local.load.surge import SurgeFollower, surge_file
from maestro_cli.local.load.traffic import arrivals, read_traffic
from maestro_cli.local.ports import LOOPBACK
from maestro_cli.local.process import announce, die_with_parent

DEFAULT_RATE = 50.0


def main(arguments: list[str]) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    parser = argparse.ArgumentParser(prog="maestro_cli.local.load")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=DEFAULT_RATE)
    parser.add_argument(
        "--traffic", type=Path, default=shipped("deploy") / "models" / "fraud" / "traffic.json"
    )
    parser.add_argument("--name", default="load", help="what it announces itself as")
    parser.add_argument("--key-file", type=Path, help="what holds the key to send")
    parser.add_argument("--namespace", default="ml", help="of the workload that is asked")
    parser.add_argument("--deployment", default="fraud", help="the workload that is asked")
    options = parser.parse_args(arguments)
    die_with_parent()
    try:
        asyncio.run(_run(options))
    except MaestroError as error:
        print(f"{error.what}: {error.why}", file=sys.stderr)  # noqa: T201 - goes to the part's log
        return int(error.exit_code)
    return 0


async def _run(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    traffic = read_traffic(options.traffic)
    key = NO_VAULT.resolve(f"file:{options.key_file}") if options.key_file is not None else ""
    judge = None
    if traffic.truth is not None:
        workload = {"namespace": options.namespace, "deployment": options.deployment}
        judge = Judge(traffic.truth, registry, **workload)
    generator = Generator(options.url, traffic, registry, key=key, judge=judge)
    factor = SurgeFollower(surge_file(options.state, options.name), SystemClock())
    schedule = arrivals(options.seed, options.rate, len(traffic.bodies), factor)
    task = loop.create_task(generator.run(schedule))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    server, _ = start_http_server(0, LOOPBACK, registry)  # a daemon thread: ends with the process
    port = server.server_port
    announce(options.state, options.name, port=port, url=f"http://{LOOPBACK}:{port}", target=options.url)
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

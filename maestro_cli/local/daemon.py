"""How a process of the platform starts and stops.

Invariant: it dies with its parent, logs to standard error, and a SIGTERM or SIGINT cancels its main
task once, so that `finally` blocks run and the exit status is 0.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from maestro_cli.core.errors import MaestroError
from maestro_cli.local.process import die_with_parent


def parser(program: str, description: str) -> argparse.ArgumentParser:
    """A command line with the options every process of the platform has."""
    made = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    made.add_argument("--state", type=Path, required=True, help="state folder of the platform")
    made.add_argument("--kubeconfig", type=Path, help="JSON kubeconfig (default: in the state folder)")
    return made


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run until the coroutine ends or the process is told to stop; the exit status."""
    die_with_parent()
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        asyncio.run(_until_told(main))
    except MaestroError as problem:
        logging.getLogger(__name__).error("%s: %s", problem.what, problem.why)
        return int(problem.exit_code)
    return 0


async def _until_told(main: Callable[[], Awaitable[None]]) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(main())
    told = False

    def stop() -> None:
        nonlocal told
        if not told:  # a second signal must not interrupt the cleaning up
            told = True
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not told:
            raise

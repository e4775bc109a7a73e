"""A thousand workloads over fourteen days on a real Prometheus: right-sized, as KRR does, and allocated.

`KRR` names a checkout of robusta-dev/krr with its requirements in `.venv`; without it maestro is measured
alone. KRR runs as it is, with its defaults: it reads the workloads from a real API server, and asks
Prometheus about each at the time that it is then. So usage begins an hour after the fourteen days do and ends
when the run begins: every query of the run looks at the same samples, and the figures of both have to be the
same, bit for bit. Processor time is of the program and of the server: unlike the clock, it hardly depends on
who else uses the machine.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import yaml

from maestro_cli.local.ports import free_port
from tests.bench.control_plane import control_plane
from tests.bench.deployments import deploy
from tests.bench.figures import Figure
from tests.bench.scraped import INSTANCE_TYPE, SCRAPE_SECONDS, Span, series_of
from tests.bench.terminal import Failed, environment, folder, program, serving
from tests.bench.watched import Server, Watched, watched
from tests.bench.workloads import DAYS, Workload, workloads
from tests.peers.blocks.program import NotBuilt, write_blocks

ROUNDS = 3
BLOCK_SECONDS = 18 * 3600
RUN_SECONDS = 3600  # what a run may take: usage is of so much less than the days
MOST_RATIO, MOST_MEGABYTES = 0.1, 300.0
LONGEST_SECONDS = 3000.0
Key = tuple[str, str, str, str]  # namespace, kind, name, container
Told = tuple[object, ...]  # of CPU and of memory: request, limit, why there is none
_PRICES = {
    "currency": "USD", "CPU": 0.031611, "RAM": 0.004237,
    "nodes": [{"type": INSTANCE_TYPE, "hourly": 0.768}],
}  # fmt: skip


def measure() -> list[Figure]:
    peer = _peer()
    all_ = list(workloads(DAYS * 86_400 - RUN_SECONDS))
    with folder() as where, ExitStack() as running:
        words: list[str] = []
        if peer is not None:
            plane = running.enter_context(control_plane(where / "plane"))
            deploy(plane, all_)
            words = [*peer, "simple", "-q", "-f", "json", "-k", str(plane.kubeconfig)]
        end = _scrape(where, all_)
        server = running.enter_context(_prometheus(where))
        took = _measured(where, server, [*words, "-p", server.url] if words else [])
        if time.time() > end + RUN_SECONDS:
            raise Failed(f"the run took more than {RUN_SECONDS} s: its queries looked at different samples")
    return list(_figures(took))


def _peer() -> list[str] | None:
    """How KRR is started; None where nobody named a checkout."""
    named = os.environ.get("KRR")
    if not named:
        return None
    python, script = (Path(named).resolve() / part for part in (".venv/bin/python", "krr.py"))
    for path in (python, script):
        if not path.is_file():
            raise Failed(f"{path} is not there: KRR names a checkout with its requirements in .venv")
    return [str(python), str(script)]


def _scrape(where: Path, all_: Sequence[Workload]) -> float:
    """The samples, as blocks of Prometheus; gives when the last one of usage is, in seconds since 1970."""
    end = int(time.time()) // SCRAPE_SECONDS * SCRAPE_SECONDS
    begin = end - DAYS * 86_400 + RUN_SECONDS
    span = Span(begin * 1000, end * 1000, (end + RUN_SECONDS) * 1000)
    try:
        write_blocks(where / "data", BLOCK_SECONDS, series_of(all_, span))
    except NotBuilt as error:
        raise Failed(str(error)) from error
    return end


@contextmanager
def _prometheus(where: Path) -> Iterator[Server]:
    """It merges no blocks, which would be in the way of what is measured."""
    (where / "prometheus.yml").write_text("{}")
    address = f"127.0.0.1:{free_port()}"
    words = [program("prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data",
             "--storage.tsdb.retention.time=100y", "--storage.tsdb.min-block-duration=2h",
             "--storage.tsdb.max-block-duration=2h", f"--web.listen-address={address}"]  # fmt: skip
    with serving(words, f"http://{address}/-/ready", where):
        (process,) = (one for one in psutil.Process().children() if one.name() == "prometheus")
        yield Server(f"http://{address}", process)


def _measured(where: Path, server: Server, peer: Sequence[str]) -> dict[str, list[Watched]]:
    home = environment(where / "home")
    (where / "prices.yaml").write_text(yaml.safe_dump(_PRICES))
    settings = where / "home" / "config" / "maestro" / "config.yaml"
    settings.parent.mkdir(parents=True)
    entry = {"prometheus": {"url": server.url}}
    settings.write_text(yaml.safe_dump({"contexts": {"bench": entry}, "current_context": "bench"}))
    prices = ("--prices", str(where / "prices.yaml"))
    own = {
        "sizes": ("rightsize", "-A"),
        "priced": ("rightsize", "-A", *prices),
        "allocation": ("allocate", "--window", f"{DAYS}d", "--by", "workload", *prices),
    }
    run = partial(watched, environment=home, server=server, where=where, longest=LONGEST_SECONDS)

    def ask(name: str) -> Watched:
        shutil.rmtree(where / "home" / "cache", ignore_errors=True)
        return run([sys.executable, "-m", "maestro_cli", "cost", *own[name], "-o", "json"])

    for name in own:
        ask(name)  # the bytecode is written, and the server has read its blocks
    took: dict[str, list[Watched]] = {name: [] for name in own}
    took["krr"] = [run(peer)] if peer else []
    for _ in range(ROUNDS):
        for name in own:
            took[name].append(ask(name))
    return took


def _figures(took: Mapping[str, Sequence[Watched]]) -> Iterator[Figure]:
    yield from _times(f"right-sizing of 1,000 workloads, {DAYS} days", took["sizes"])
    yield _memory(took["sizes"], MOST_MEGABYTES)
    yield from _times("  with prices: what is saved, nodes packed", took["priced"])
    yield _memory(took["priced"], MOST_MEGABYTES)
    yield from _times(f"allocation of the same {DAYS} days, by workload", took["allocation"])
    yield _memory(took["allocation"], MOST_MEGABYTES)
    if not took["krr"]:
        sys.stdout.write("  no KRR was named: the ratio was not measured (KRR=/path/to/a/checkout)\n")
        return
    (peer,) = took["krr"]
    yield from _times("KRR, the same workloads", took["krr"])
    yield _memory(took["krr"], None)
    own, theirs = _own_figures(took["sizes"][-1].output), _peer_figures(peer.output)
    other = [key for key in own.keys() | theirs.keys() if own.get(key) != theirs.get(key)]
    for key in sorted(other)[:20]:
        sys.stdout.write(f"  {'/'.join(key)}: {own.get(key)}, KRR {theirs.get(key)}\n")
    yield Figure(f"  figures of {len(theirs)} containers that differ from KRR's", "", (len(other),), 0, True)
    sizes = took["sizes"]
    yield Figure("right-sizing ÷ KRR", "×", tuple(one.wall / peer.wall for one in sizes), MOST_RATIO, True)
    ratios = tuple(one.processor / peer.processor for one in sizes)
    yield Figure("    in processor time", "×", ratios)


def _times(name: str, took: Sequence[Watched]) -> Iterator[Figure]:
    def each(of: Callable[[Watched], float]) -> tuple[float, ...]:
        return tuple(of(one) for one in took)

    yield Figure(name, "s", each(lambda one: one.wall), notes={"scrape_seconds": SCRAPE_SECONDS})
    yield Figure("    processor", "s", each(lambda one: one.own))
    yield Figure("    processor of the server", "s", each(lambda one: one.server))
    yield Figure("    requests", "", each(lambda one: one.requests))


def _memory(took: Sequence[Watched], limit: float | None) -> Figure:
    return Figure("    memory, all its processes", "MB", tuple(one.peak_bytes / 1e6 for one in took), limit)


def _own_figures(output: str) -> dict[Key, Told]:
    """What maestro says that KRR says."""
    found: dict[Key, Told] = {}
    for item in json.loads(output)["items"]:
        for one in item["containers"]:
            amounts = one["rules"]["krr"]
            key = item["namespace"], item["kind"], item["name"], one["container"]
            found[key] = tuple(
                amounts[resource][what]
                for resource in ("cpu", "memory")
                for what in ("request", "limit", "why")
            )
    return found


def _peer_figures(output: str) -> dict[Key, Told]:
    """What KRR says; `?` is where it has no figure."""
    found: dict[Key, Told] = {}
    for scan in json.loads(output)["scans"]:
        of, told = scan["object"], scan["recommended"]
        key = of["namespace"], of["kind"], of["name"], of["container"]
        found[key] = tuple(
            value
            for resource in ("cpu", "memory")
            for value in (
                _number(told["requests"][resource]["value"]),
                _number(told["limits"][resource]["value"]),
                (told["info"] or {}).get(resource) or "",
            )
        )
    return found


def _number(told: Any) -> float | None:
    return None if told == "?" or told is None else float(told)

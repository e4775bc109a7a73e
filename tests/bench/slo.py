"""A month of fifty objectives on a real Prometheus, beside slo-generator on the same server.

Both tell the same: how much of each budget was left on each of thirty days. maestro's first look asks for the
samples; the second finds the days that are over on the disk. slo-generator has a window for every day back
(its windows end with now, whatever instant it is given), and as most have it one of 1 h, 12 h, 7 d and 30 d.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from maestro_cli.local.ports import free_port
from tests.bench.figures import Figure, seconds_of
from tests.bench.serving.environments import installed
from tests.bench.terminal import Failed, environment, folder, program, run, serving

OBJECTIVES, DAYS, SCRAPE = 50, 30, 60
ROUNDS = 3
TARGET = 0.999
PEER = ("slo-generator[prometheus]==2.6.0", "setuptools<80")  # which it imports and does not ask for
_USUAL = (3600, 43200, 604800, DAYS * 86400)
_TOLD = re.compile(r"(s\d+)\s.*Good: (\d+)")


def measure() -> list[Figure]:
    peer = installed("slo-generator", PEER, ()) / "slo-generator"
    with folder() as where:
        now = _record(where)
        address = f"127.0.0.1:{free_port()}"
        server = [program("prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data",
                  "--storage.tsdb.retention.time=100y", f"--web.listen-address={address}"]  # fmt: skip
        with serving(server, f"http://{address}/-/ready", where):
            return _figures(where, peer, f"http://{address}", now)


def _figures(where: Path, peer: Path, url: str, now: int) -> list[Figure]:
    slos, generated = where / "slos", where / "generated"
    _write_objectives(slos, generated)
    days = _peer_config(where / "days.yaml", url, [86400 * day for day in range(1, DAYS + 1)])
    usual = _peer_config(where / "usual.yaml", url, _USUAL)
    home, at = environment(where / "home"), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    own = [sys.executable, "-m", "maestro_cli", "slo", "status", "--file", str(slos), "--prometheus", url,
           "--at", at, "-o"]  # fmt: skip

    def look(form: str = "wide") -> str:
        return run([*own, form], home, (0, 10, 15)).stdout

    def generate(config: Path) -> str:
        done = run([str(peer), "compute", "-f", str(generated), "-c", str(config)], home)
        return done.stdout + done.stderr

    look()  # the bytecode is written, and the server has read its blocks
    first: list[float] = []
    again: list[float] = []
    by_day: list[float] = []
    by_usual: list[float] = []
    for _ in range(ROUNDS):
        shutil.rmtree(Path(home["XDG_CACHE_HOME"]) / "maestro", ignore_errors=True)
        first.append(seconds_of(look))
        again.append(seconds_of(look))
        by_usual.append(seconds_of(lambda: generate(usual)))
        by_day.append(seconds_of(lambda: generate(days)))
    _compare(look("json"), generate(usual))
    middle, common = statistics.median(by_day), statistics.median(by_usual)
    notes = {"peer": PEER[0], "objectives": OBJECTIVES, "days": DAYS, "scrape_seconds": SCRAPE}
    return [
        Figure("the month of 50 objectives day by day, first look", "s", tuple(first), 5, notes=notes),
        Figure("  again, days that are over from the disk", "s", tuple(again), 5),
        Figure("  slo-generator, a window for each day back", "s", tuple(by_day)),
        Figure("  slo-generator, its four usual windows", "s", tuple(by_usual)),
        Figure("again ÷ slo-generator, day by day", "×", tuple(one / middle for one in again), 0.1, True),
        Figure("first look ÷ slo-generator, day by day", "×", tuple(one / middle for one in first)),
        Figure("again ÷ slo-generator's four windows", "×", tuple(one / common for one in again)),
    ]


def _record(where: Path) -> int:
    """Counters that were scraped every minute until now, as blocks; gives when the last sample is."""
    now = int(time.time()) // SCRAPE * SCRAPE
    with (where / "history.txt").open("w") as file:
        file.writelines(_lines(now))
    words = [program("promtool"), "tsdb", "create-blocks-from", "--max-block-duration=800h", "openmetrics",
             str(where / "history.txt"), str(where / "data")]  # fmt: skip
    run(words, environment(where))
    (where / "history.txt").unlink()
    (where / "prometheus.yml").write_text("{}")
    (where / "home").mkdir()
    return now


def _lines(now: int) -> Iterator[str]:
    chance = random.Random(1)
    yield "# TYPE r counter\n"
    samples = (DAYS + 1) * 86400 // SCRAPE
    for number in range(OBJECTIVES):
        rate, bad = chance.uniform(60, 1200), chance.uniform(0.0001, 0.002)
        for code, share in (("200", 1 - bad), ("500", bad)):
            told, value = f'r_total{{service="s{number}",code="{code}",instance="a"}}', 0
            for index in range(samples + 1):
                value += int(rate * share * chance.uniform(0.5, 1.5) + chance.random())
                yield f"{told} {value} {now - (samples - index) * SCRAPE}\n"
    yield "# EOF\n"


def _write_objectives(slos: Path, generated: Path) -> None:
    for place in (slos, generated):
        place.mkdir()
    for number in range(OBJECTIVES):
        name, total = f"s{number}", f'r_total{{service="s{number}"}}'
        bad = f'r_total{{service="s{number}",code="500"}}'
        metric = {key: {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}
                  for key, query in (("bad", bad), ("total", total))}  # fmt: skip
        _dump(slos / f"{name}.yaml", {
            "apiVersion": "openslo/v1", "kind": "SLO", "metadata": {"name": name},
            "spec": {
                "service": name,
                "indicator": {
                    "metadata": {"name": name}, "spec": {"ratioMetric": {"counter": True, **metric}},
                },
                "timeWindow": [{"duration": f"{DAYS}d", "isRolling": True}],
                "budgetingMethod": "Occurrences",
                "objectives": [{"target": TARGET}],
            },
        })  # fmt: skip
        _dump(generated / f"{name}.yaml", {
            "apiVersion": "sre.google.com/v2", "kind": "ServiceLevelObjective",
            "metadata": {
                "name": name, "labels": {"service_name": name, "feature_name": "a", "slo_name": "a"},
            },
            "spec": {
                "description": name, "backend": "prometheus", "method": "good_bad_ratio", "exporters": [],
                "service_level_indicator": {
                    "filter_good": f'r_total{{service="{name}",code!="500"}}', "filter_valid": total,
                },
                "goal": TARGET,
            },
        })  # fmt: skip


def _peer_config(path: Path, url: str, windows: Sequence[int]) -> Path:
    steps = [
        {"name": f"{window} s", "burn_rate_threshold": 1, "alert": False, "window": window,
         "message_alert": "freeze", "message_ok": "ok"}
        for window in windows
    ]  # fmt: skip
    policies = {"default": {"steps": steps}}
    _dump(
        path, {"backends": {"prometheus": {"url": url}}, "exporters": {}, "error_budget_policies": policies}
    )
    return path


def _compare(own: str, told: str) -> None:
    """Raises Failed where the two do not count the same, but for what extrapolation makes of it."""
    theirs: dict[str, int] = {}
    for match in _TOLD.finditer(told):
        theirs[match[1]] = max(int(match[2]), theirs.get(match[1], 0))  # of the longest window
    items = json.loads(own)["items"]
    if len(items) != OBJECTIVES or len(theirs) != OBJECTIVES:
        raise Failed(f"{len(items)} objectives were measured, and {len(theirs)} by slo-generator")
    for one in items:
        good, peer = one["measured"]["good"], theirs[one["objective"]]
        if abs(good - peer) > 0.01 * good:
            raise Failed(f"{one['objective']} has {good} good events, and {peer} by slo-generator")


def _dump(path: Path, document: object) -> None:
    path.write_text(yaml.safe_dump(document), encoding="utf-8")

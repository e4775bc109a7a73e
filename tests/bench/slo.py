"""A month of fifty objectives on a real Prometheus, beside slo-generator on the same server.

Both tell the same: how much of each budget was left on each of thirty days. maestro's first look asks for the
samples; the second finds the days that are over on the disk. slo-generator has a window for every day back
(its windows end with now, whatever instant it is given), and as most have it one of 1 h, 12 h, 7 d and 30 d.
The SLA report is of the last month that is over. Processor time is of the program and of the server: unlike
the clock, it hardly depends on who else uses the machine.
"""

from __future__ import annotations

import calendar
import json
import random
import re
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
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


@dataclass(frozen=True, slots=True)
class Took:
    """Wall and processor seconds of one run: of the program, and of the server meanwhile."""

    wall: float
    own: float
    server: float

    @property
    def processor(self) -> float:
        return self.own + self.server


def _figures(where: Path, peer: Path, url: str, now: int) -> list[Figure]:
    slos, generated = where / "slos", where / "generated"
    _write_objectives(slos, generated)
    days = _peer_config(where / "days.yaml", url, [86400 * day for day in range(1, DAYS + 1)])
    usual = _peer_config(where / "usual.yaml", url, _USUAL)
    home, at = environment(where / "home"), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    month = time.strftime("%Y-%m", time.gmtime(_last_month(now)))
    own = [sys.executable, "-m", "maestro_cli"]
    asked = ["--file", str(slos), "--prometheus", url]
    kept = Path(home["XDG_CACHE_HOME"]) / "maestro"

    def look(form: str = "wide") -> str:
        return run([*own, "slo", "status", *asked, "--at", at, "-o", form], home, (0, 10, 15)).stdout

    def report() -> str:
        words = [*own, "sla", "report", *asked, "--month", month, "--zone", "UTC", "--previous", "0"]
        return run([*words, "-o", "json"], home, (0, 10, 15)).stdout

    def generate(config: Path) -> str:
        done = run([str(peer), "compute", "-f", str(generated), "-c", str(config)], home)
        return done.stdout + done.stderr

    look()  # the bytecode is written, and the server has read its blocks
    _check_month(report())
    took: dict[str, list[Took]] = {name: [] for name in ("month", "first", "again", "usual", "days")}
    for _ in range(ROUNDS):
        for name, action in (("month", report), ("first", look)):
            shutil.rmtree(kept, ignore_errors=True)
            took[name].append(_took(action))
        took["again"].append(_took(look))
        took["usual"].append(_took(lambda: generate(usual)))
        took["days"].append(_took(lambda: generate(days)))
    _compare(look("json"), generate(usual))
    return _told(took)


def _told(took: dict[str, list[Took]]) -> list[Figure]:
    notes = {"peer": PEER[0], "objectives": OBJECTIVES, "days": DAYS, "scrape_seconds": SCRAPE}

    def times(name: str, told: str, limit: float | None = None) -> list[Figure]:
        return [
            Figure(told, "s", tuple(one.wall for one in took[name]), limit, notes=notes),
            Figure("    processor", "s", tuple(one.own for one in took[name])),
            Figure("    processor of the server", "s", tuple(one.server for one in took[name])),
        ]

    def ratio(told: str, name: str, other: str, limit: float | None = None) -> list[Figure]:
        pairs = list(zip(took[name], took[other], strict=True))  # of one round each
        return [
            Figure(told, "×", tuple(one.wall / two.wall for one, two in pairs), limit, True),
            Figure("    in processor time", "×", tuple(a.processor / b.processor for a, b in pairs)),
        ]

    return [
        *times("month", "the SLA report of a month, 50 objectives, first look", 5),
        *times("first", "the last 30 days of 50 objectives, first look", 5),
        *times("again", "  again, days that are over from the disk", 5),
        *times("days", "  slo-generator, a window for each day back"),
        *times("usual", "  slo-generator, its four usual windows"),
        *ratio("first look ÷ slo-generator, day by day", "first", "days", 0.1),
        *ratio("again ÷ slo-generator, day by day", "again", "days", 0.1),
        *ratio("first look ÷ slo-generator's four windows", "first", "usual"),
        *ratio("again ÷ slo-generator's four windows", "again", "usual"),
    ]


def _took(action: Callable[[], object]) -> Took:
    (server,) = (one for one in psutil.Process().children() if one.name() == "prometheus")
    own, at = _processor_of_children(), sum(server.cpu_times()[:2])
    wall = seconds_of(action)
    return Took(wall, _processor_of_children() - own, sum(server.cpu_times()[:2]) - at)


def _processor_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # of those that ended
    return used.ru_utime + used.ru_stime


def _record(where: Path) -> int:
    """Counters that were scraped every minute from before the last month until now; gives when it ends."""
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
    samples = max((DAYS + 1) * 86400, now - _last_month(now) + 3600) // SCRAPE
    for number in range(OBJECTIVES):
        rate, bad = chance.uniform(60, 1200), chance.uniform(0.0001, 0.002)
        for code, share in (("200", 1 - bad), ("500", bad)):
            told, value = f'r_total{{service="s{number}",code="{code}",instance="a"}}', 0
            for index in range(samples + 1):
                value += int(rate * share * chance.uniform(0.5, 1.5) + chance.random())
                yield f"{told} {value} {now - (samples - index) * SCRAPE}\n"
    yield "# EOF\n"


def _last_month(now: int) -> int:
    """When the last month of UTC that is over began."""
    first = time.gmtime(now)
    year, month = (first.tm_year - 1, 12) if first.tm_mon == 1 else (first.tm_year, first.tm_mon - 1)
    return calendar.timegm((year, month, 1, 0, 0, 0))


def _check_month(report: str) -> None:
    """Raises Failed where the whole of the month was not seen."""
    seen = [one["raw"]["coverage"] for one in json.loads(report)["items"]]
    if len(seen) != OBJECTIVES or min(seen) < 1:
        raise Failed(f"of {len(seen)} objectives of the month {min(seen, default=0):.1%} was seen")


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

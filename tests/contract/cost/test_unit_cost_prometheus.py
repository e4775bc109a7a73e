"""The cost of predictions by a real Prometheus: of a recorded hour, and of real servers under load."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen

import httpx
import pytest

from maestro_cli.config.locations import config_dir
from maestro_cli.config.settings import Endpoint
from maestro_cli.core.verdict import Verdict
from maestro_cli.cost.unit.figure import LEAST_COVERAGE, Usage, unit_cost
from maestro_cli.cost.unit.usage import Scope, UsageQueries, measure_usage
from maestro_cli.local.load.traffic import read_traffic
from maestro_cli.sources.prometheus import Prometheus
from tests.cli.program import maestro
from tests.contract.sources.conftest import ROOT, listening, process, program, until

pytestmark = pytest.mark.contract

T0 = 1_767_225_600  # 2026-01-01T00:00:00Z
HOUR = 3600
INTERVAL = 15
MODELS = ROOT / "deploy" / "models"


@contextmanager
def prometheus_over(folder: Path, config: dict[str, object]) -> Iterator[Prometheus]:
    def command(port: int) -> list[str]:
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        return [
            program("prometheus"),
            f"--config.file={folder / 'config.json'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{port}",
        ]

    with listening(command, folder) as url:
        source = Prometheus(Endpoint(url), timeout_seconds=30)
        yield source
        source.close()


@dataclass(frozen=True)
class Replica:
    """A target for part of the hour; `up` and its count of answers are functions of the second."""

    service: str
    number: int
    begins: int = 0
    ends: int = HOUR
    rate: float = 10.0
    up: Callable[[int], bool] = lambda second: True
    instance: str = ""

    def samples(self) -> Iterator[tuple[str, int, str]]:
        target = (
            f'namespace="ml",deployment="{self.service}",job="pods",pod="{self.service}-{self.number}",'
            f'instance="{self.instance or f"10.0.0.{self.number}:8080"}"'
        )
        for second in range(self.begins, self.ends + 1, INTERVAL):
            yield "up", T0 + second, f"up{{{target}}} {int(self.up(second))} {T0 + second}"
            if self.up(second):
                count = self.rate * (second - self.begins)
                for code, answered in (("200", count), ("500", count / 2), ("400", count)):
                    labels = f'{target},model="m",version="1",code="{code}"'
                    series = f"maestro_inference_requests_total{{{labels}}}"
                    yield "maestro", T0 + second, f"{series} {answered} {T0 + second}"


HISTORY = (
    Replica("fraud", 1),
    Replica("fraud", 2),
    Replica("fraud", 3, begins=HOUR // 2),  # scaled out at half time
    Replica("idle", 4, rate=0.0),
    Replica("shaky", 5, up=lambda second: second < 1800),
    # the address of a replica of `old` is given to one of `new`
    Replica("old", 6, ends=HOUR // 2 - INTERVAL, instance="10.0.0.9:8080"),
    Replica("new", 7, begins=HOUR // 2, instance="10.0.0.9:8080"),
)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that measured `HISTORY`, a sample each 15 s, and nothing before."""
    folder = tmp_path_factory.mktemp("recorded")
    lines = [sample for replica in HISTORY for sample in replica.samples()]
    ups = [line for kind, _, line in lines if kind == "up"]
    counts = [line for kind, _, line in lines if kind == "maestro"]
    text = ["# TYPE up gauge", *ups, "# TYPE maestro_inference_requests counter", *counts, "# EOF", ""]
    (folder / "history.txt").write_text("\n".join(text), encoding="utf-8")
    backfill = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", "history.txt", "data"]
    subprocess.run(backfill, cwd=folder, check=True, capture_output=True)
    with prometheus_over(folder, {}) as source:
        yield source


def usage_of(source: Prometheus, service: str, *, end: int = HOUR, window: float = HOUR) -> Usage:
    instant = datetime.fromtimestamp(T0 + end, UTC)
    (usage,) = measure_usage(source, Scope("ml", service), instant, window)
    return usage


def test_a_recorded_hour_costs_what_it_cost(recorded: Prometheus) -> None:
    usage = usage_of(recorded, "fraud")
    assert usage.replica_hours == pytest.approx(2.5, rel=0.01)
    assert usage.predictions == pytest.approx(10 * 2.5 * HOUR, rel=0.01)  # those with 200 alone
    assert usage.coverage == pytest.approx(1.0, abs=0.01)
    found = unit_cost(usage, 0.05, 5.0)
    assert found.per_million == pytest.approx(0.05 / (10 * 0.0036), rel=0.02)
    assert found.verdict is Verdict.PASS
    assert unit_cost(usage, 0.05, 1.0).verdict is Verdict.FAIL


def test_replicas_that_nobody_asks_have_no_price_for_a_prediction(recorded: Prometheus) -> None:
    usage = usage_of(recorded, "idle")
    assert usage.predictions == 0.0
    assert usage.replica_hours == pytest.approx(1.0, rel=0.01)
    assert unit_cost(usage, 0.05, 5.0).verdict is Verdict.INDETERMINATE


def test_a_replica_that_stopped_answering_costs_all_the_same(recorded: Prometheus) -> None:
    usage = usage_of(recorded, "shaky")
    assert usage.replica_hours == pytest.approx(1.0, rel=0.01)
    assert usage.coverage == pytest.approx(0.5, abs=0.02)
    assert unit_cost(usage, 0.05, 5.0).verdict is Verdict.INDETERMINATE


@pytest.mark.parametrize("service", ["old", "new"])
def test_an_address_that_changes_hands_is_two_replicas(recorded: Prometheus, service: str) -> None:
    # a scrape would mark that `old` is gone; a backfill cannot, and it is seen for 5 min more
    usage = usage_of(recorded, service)
    assert usage.replica_hours == pytest.approx(0.5 + (1 / 12 if service == "old" else 0), abs=0.02)


def test_a_window_that_begins_before_the_measurements_decides_nothing(recorded: Prometheus) -> None:
    usage = usage_of(recorded, "fraud", window=2 * HOUR)
    assert usage.coverage == pytest.approx(0.5, abs=0.02)
    assert usage.replica_hours == pytest.approx(2.5, rel=0.02)
    assert unit_cost(usage, 0.05, 5.0).verdict is Verdict.INDETERMINATE


def test_every_service_of_a_namespace_is_found(recorded: Prometheus) -> None:
    end = datetime.fromtimestamp(T0 + HOUR, UTC)
    found = measure_usage(recorded, Scope("ml"), end, HOUR)
    assert [usage.service for usage in found] == ["fraud", "idle", "new", "old", "shaky"]
    assert measure_usage(recorded, Scope("elsewhere"), end, HOUR) == ()


@pytest.mark.parametrize("text", ['"} or vector(1) #', "\\", "a\nb\r\t\x00\x7f", "é\u202e", "{{x}}", "'`"])
def test_a_hostile_name_stays_a_name(recorded: Prometheus, text: str) -> None:
    end = datetime.fromtimestamp(T0 + HOUR, UTC)
    (usage,) = measure_usage(recorded, Scope(text, text), end, HOUR)
    assert (usage.service, usage.predictions, usage.replica_seconds) == (text, None, None)


@dataclass(frozen=True)
class Live:
    """Two real model servers and the Prometheus that scrapes them each second."""

    source: Prometheus
    servers: tuple[tuple[str, Popen[bytes]], ...]

    def now(self, promql: str) -> float | None:
        return self.source.query(promql).only


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(tmp_path / f"server-{number}")) for number in (1, 2)]
        targets = [url.removeprefix("http://") for url, _ in servers]
        labels = {"namespace": "ml", "deployment": "fraud"}
        config: dict[str, object] = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [
                {"job_name": "pods", "static_configs": [{"targets": targets, "labels": labels}]},
                {"job_name": "other", "static_configs": [{"targets": ["127.0.0.1:1"], "labels": labels}]},
            ],
        }
        source = stack.enter_context(prometheus_over(tmp_path, config))
        yield Live(source, tuple(servers))


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, Popen[bytes]]]:
    announcement = folder / "announce.json"
    command = [sys.executable, "-m", "maestro_cli.serving", "--port", "0", "--drain-seconds", "0"]
    options = ["--models", str(MODELS), "--serve", "fraud=1", "--announce", str(announcement)]
    with process([*command, *options], folder) as child:
        until(announcement.exists)
        yield f"http://127.0.0.1:{json.loads(announcement.read_text(encoding='utf-8'))['port']}", child


@contextmanager
def under_load(urls: list[str]) -> Iterator[list[int]]:
    """Ask every server in turn, until the end; gives the count of answers with 200, growing."""
    traffic = read_traffic(MODELS / "fraud" / "traffic.json")
    over, answered = threading.Event(), [0]

    def ask() -> None:
        with httpx.Client(timeout=30, trust_env=False) as client:
            while not over.is_set():
                for url in urls:
                    good = traffic.bodies[answered[0] % len(traffic.bodies)]
                    for body in (good, b"{}"):
                        answered[0] += client.post(url + traffic.path, content=body).status_code == 200
                over.wait(0.002)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answered
    finally:
        over.set()
        thread.join()


def test_real_servers_under_load_and_after_it(live: Live) -> None:
    config_dir().mkdir(parents=True)
    (config_dir() / "config.yaml").write_text(
        f'contexts: {{lab: {{prometheus: {{url: "{live.source.url}"}}, namespace: ml}}}}', encoding="utf-8"
    )
    prices = config_dir() / "prices.yaml"
    prices.write_text("replica_hourly_rate: 0.05\ncurrency: EUR\n", encoding="utf-8")
    command = ["--context", "lab", "cost", "unit", "--service", "fraud", "-o", "json"]
    priced = [*command, "--window", "5s", "--prices", str(prices)]
    queries = UsageQueries(Scope("ml", "fraud"), 600)
    until(lambda: live.now(queries.answering) == 2)
    # the target of the other job never showed the series: it is no replica
    both_all_the_time = pytest.approx(2 * 5 / 3600, rel=1 - LEAST_COVERAGE)

    def whole_window() -> object:
        """The command's result, once both were there for the whole window."""
        result = maestro(*priced, "--budget", "1e6")
        (item,) = json.loads(result.out)["items"]
        return item["replica_hours"] == both_all_the_time and result

    with under_load([url for url, _ in live.servers]) as answered:
        done = until(whole_window)
        over_budget = maestro(*priced, "--budget", "0.000001")
        unpriced = maestro(*command, "--window", "5s", "--budget", "1e6")
    (item,) = json.loads(done.out)["items"]
    assert item["verdict"] == "PASS"
    assert item["coverage"] >= LEAST_COVERAGE
    assert done.code == 0
    assert item["per_million"] == pytest.approx(0.05 * item["replica_hours"] / item["predictions"] * 1e6)
    assert over_budget.code == 10
    assert json.loads(over_budget.out)["items"][0]["verdict"] == "FAIL"
    assert unpriced.code == 15
    assert json.loads(unpriced.out)["items"][0]["per_million"] is None

    # the servers' own count is the one that is paid for: no answer with 400 is in it
    until(lambda: live.now('sum(maestro_inference_requests_total{code="200"})') == answered[0])
    (usage,) = measure_usage(live.source, Scope("ml", "fraud"), datetime.now(UTC), 600)
    assert usage.predictions is not None
    assert answered[0] <= usage.predictions * 1.01
    assert usage.predictions <= answered[0] * 1.5  # PromQL extends to the edges, by an interval at most

    until(lambda: json.loads(maestro(*priced, "--budget", "1e6").out)["items"][0]["predictions"] == 0)
    idle = maestro(*priced, "--budget", "1e6")
    assert (idle.code, json.loads(idle.out)["items"][0]["reason"]) == (15, "no prediction succeeded")

    live.servers[0][1].kill()
    until(lambda: live.now(queries.answering) == 1)
    assert live.now(queries.replicas) == 2

"""Alerts of a real Alertmanager to durable incidents, and how often it is asked."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from maestro_cli.config.locations import shipped
from maestro_cli.config.settings import Endpoint
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import SystemClock
from maestro_cli.incidents.intake.bindings import Bindings
from maestro_cli.incidents.intake.detector import Detector
from maestro_cli.incidents.intake.rules.projection import RulesProjection
from maestro_cli.incidents.intake.rules.reader import read_rules
from maestro_cli.incidents.intake.watch import Watch
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.register import list_incidents
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.projection import RunsProjection
from maestro_cli.sources.alertmanager import Alertmanager
from tests.bench.figures import Figure, scaled, seconds_of
from tests.bench.terminal import Failed, folder, program, serving
from tests.crash.incidents.signal_worker import Outcome, stream_with_kills

ROUNDS = 7
CYCLES = 5
ALERTS = 1000
STORM = 800
STREAM = 100_000
KILLS = 20


def measure() -> list[Figure]:
    taken: list[float] = []
    with folder() as where:
        with alertmanager(where / "apart") as url:
            post(url, [_labels(deployment=f"service-{number}") for number in range(ALERTS)])
            for number in range(ROUNDS):
                taken.append(_one_poll(url, where / f"journal-{number}.sqlite"))
        with alertmanager(where / "storm") as url:
            names = [
                {"alertname": f"Alert{number % 40}", "pod": f"fraud-{number}"} for number in range(STORM)
            ]
            post(url, [_labels(deployment="fraud", **own) for own in names])
            storm = _storm(url, where / "storm.sqlite")
        with alertmanager(where / "wide") as url:
            post(url, [_labels(deployment=f"service-{number}") for number in range(STORM)])
            storm += _wide_storm(url, where / "wide.sqlite")
        storm += _stream(where / "stream.sqlite")
    name = f"{ALERTS:,} alerts of Alertmanager to durable incidents"
    return [Figure(name, "s", tuple(taken), 1), *storm]


def _one_poll(url: str, path: Path) -> float:
    """Seconds from asking Alertmanager to incidents on the disk."""
    journal, counting, watch = _watch(url, path)
    try:
        seconds = seconds_of(watch.poll)
        found = len(list_incidents(journal))
        if found != ALERTS or counting.requests != 1:
            raise Failed(f"{ALERTS} alerts became {found} incidents in {counting.requests} requests")
        return seconds
    finally:
        journal.close()


def _stream(path: Path) -> list[Figure]:
    """Signals while watchers are killed: what of them is lost, and what is there twice."""
    came: list[Outcome] = []
    seconds = seconds_of(lambda: came.append(stream_with_kills(path, STREAM, KILLS, seed=1)))
    wrong = came[0].lost + came[0].doubled + came[0].doubled_keys + (not came[0].is_intact)
    name = f"signals of {STREAM:,} lost or doubled over {KILLS} kills"
    return [
        Figure(name, "signals", (wrong,), 0, True),
        Figure("  each taken twice, and verified", "s", (seconds,)),
    ]


def _wide_storm(url: str, path: Path) -> list[Figure]:
    """A storm over as many workloads, by the shipped rules."""
    book = read_rules((shipped("deploy") / "incident-rules.yaml",))
    journal, counting, watch = _watch(url, path, Bindings((), book))
    try:
        first = seconds_of(watch.cycle)
        for _ in range(CYCLES):
            watch.cycle()
        (*_, incident) = incidents = list_incidents(journal)
        if incident.firing != STORM:
            raise Failed(f"of {STORM} alerts {incident.firing} are on the incident")
        name = f"incidents of {STORM} alerts of as many workloads"
        return [
            Figure(name, "incidents", (len(incidents),), 1, True),
            Figure("requests a cycle", "requests", (counting.requests / (1 + CYCLES),), 1, True),
            Figure("  the first cycle", "ms", (first * 1e3,)),
        ]
    finally:
        journal.close()


def _storm(url: str, path: Path) -> list[Figure]:
    journal, counting, watch = _watch(url, path)
    try:
        first = seconds_of(watch.cycle)
        incidents = list_incidents(journal)
        before = journal.head().seq
        later = [seconds_of(watch.cycle) for _ in range(CYCLES)]
        if incidents[0].firing != STORM:
            raise Failed(f"of {STORM} alerts {incidents[0].firing} are on the incident")
        return [
            Figure(f"incidents of a storm of {STORM} alerts", "incidents", (len(incidents),), 1, True),
            Figure("requests a cycle", "requests", (counting.requests / (1 + CYCLES),), 1, True),
            Figure(
                "events written a cycle while it lasts", "events", (journal.head().seq - before,), 0, True
            ),
            Figure("  the first cycle", "ms", (first * 1e3,)),
            Figure("  every later cycle", "ms", scaled(later, 1e3)),
        ]
    finally:
        journal.close()


class Counting(httpx.BaseTransport):
    """The real transport, and how many requests went over it."""

    def __init__(self) -> None:
        self._real = httpx.HTTPTransport()
        self.requests = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        return self._real.handle_request(request)

    def close(self) -> None:
        self._real.close()


def _watch(url: str, path: Path, bindings: Bindings = Bindings()) -> tuple[Journal, Counting, Watch]:
    clock, counting = SystemClock(), Counting()
    journal = Journal(
        path, projections=[IncidentProjection(), RulesProjection(), RunsProjection()], clock=clock
    )
    watch = Watch(
        Detector(journal, clock, "bench", bindings=bindings),
        Alertmanager(Endpoint(url), transport=counting),
        poll_seconds=10,
        webhook=None,
        clock=clock,
        cancellation=Cancellation(),
    )
    return journal, counting, watch


def _labels(**own: str) -> dict[str, str]:
    return {"alertname": "ErrorBudgetBurn", "severity": "page", "namespace": "ml", **own}


def post(url: str, labels: list[dict[str, str]]) -> None:
    """Give Alertmanager alerts that fire for an hour."""
    alerts: list[dict[str, Any]] = [
        {"labels": one, "annotations": {"summary": "too many errors"}} for one in labels
    ]
    answer = httpx.post(f"{url}/api/v2/alerts", json=alerts, trust_env=False, timeout=30)
    if answer.status_code != 200:
        raise Failed(f"Alertmanager refused the alerts: {answer.status_code}")


@contextmanager
def alertmanager(where: Path) -> Iterator[str]:
    """A real Alertmanager that notifies nobody; gives its URL."""
    where.mkdir()
    config = {
        "global": {"resolve_timeout": "1h"},
        "route": {"receiver": "nobody"},
        "receivers": [{"name": "nobody"}],
    }
    (where / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    words = [
        program("prometheus-alertmanager", "alertmanager"),
        "--config.file=config.json",
        "--storage.path=data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with serving(words, f"http://127.0.0.1:{port}/-/ready", where):
        yield f"http://127.0.0.1:{port}"

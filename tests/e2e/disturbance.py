"""A load on the embedded platform, and what is done to the platform under it.

Invariant: only processes of the session's own platform are killed, one replica at a time and never the last
that is ready. Every request that was sent has one outcome.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import psutil
from prometheus_client import CollectorRegistry

from maestro_cli.config.locations import shipped
from maestro_cli.local.load.generator import TIMEOUT_SECONDS, Generator, Outcome
from maestro_cli.local.load.traffic import Arrival, arrivals, read_traffic
from tests.e2e.session import Session

DEPLOYMENT, SERVICE, ROUTING = "fraud", "fraud", "fraud-routing"
ENDPOINT = r"jsonpath={.metadata.annotations.maestro\.io/local-endpoint}"
_SEED = 7
_SERVER = "maestro_cli.serving"


@dataclass(frozen=True, slots=True)
class Request:
    """When it was meant to be sent and when it was over (time.monotonic), and what its sender got."""

    intended: float
    ended: float
    code: str
    why: str

    @property
    def is_lost(self) -> bool:
        return self.code != "200"

    @property
    def seconds(self) -> float:
        return self.ended - self.intended


class Load:
    """An open-loop load of `rate` requests a second beside the platform's own, from entering to leaving."""

    def __init__(self, url: str, key: str, rate: float, *, patience_seconds: float = TIMEOUT_SECONDS) -> None:
        """A request that has no answer after `patience_seconds` is lost."""
        self._traffic = read_traffic(shipped("deploy") / "models" / DEPLOYMENT / "traffic.json")
        self._schedule = arrivals(_SEED, rate, len(self._traffic.bodies))
        self._generator = Generator(
            url, self._traffic, CollectorRegistry(), self._tell, key=key, timeout_seconds=patience_seconds
        )
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._generator.run(self._arrivals())))
        self.requests: list[Request] = []

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Send no more, and wait for those on their way."""
        self._over.set()
        self._thread.join(120)
        assert not self._thread.is_alive()

    def _arrivals(self) -> Iterator[Arrival]:
        return itertools.takewhile(lambda _: not self._over.is_set(), self._schedule)

    def _tell(self, outcome: Outcome) -> None:
        now = time.monotonic()
        intended = now - (outcome.ended - outcome.intended)
        self.requests.append(Request(intended, now, outcome.code, outcome.why))


@dataclass(frozen=True, slots=True)
class Kill:
    """A replica that was killed, and when (time.monotonic)."""

    at: float
    pod: str


class Disturbance:
    """Does what operators and accidents do, on a platform that is up."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._platform = str(session.json("local", "status")["id"])
        self._routings = 0
        self.kills: list[Kill] = []

    @cached_property
    def url(self) -> str:
        """Where the load balancer listens for the service."""
        found = self._session.kubectl("-n", "ml", "get", "service", SERVICE, "-o", ENDPOINT)
        return f"http://{found.strip()}"

    @property
    def key(self) -> str:
        """What the platform's own load sends."""
        return (self._session.state / "local" / "serving" / "load.key").read_text(encoding="ascii").strip()

    def routing_in_force(self) -> str:
        """The digest that whichever replica answers tells; empty when that one has just died."""
        try:
            with urllib.request.urlopen(f"{self.url}/v2", timeout=30) as answer:
                return str(json.load(answer)["routing"])
        except OSError:
            return ""

    def start_rollout(self) -> None:
        self._session.kubectl("-n", "ml", "rollout", "restart", f"deploy/{DEPLOYMENT}")

    def await_rollout(self) -> None:
        """Until every replica is a new one."""
        self._session.kubectl("-n", "ml", "rollout", "status", f"deploy/{DEPLOYMENT}", "--timeout=150s")

    def await_only(self, replicas: int = 3) -> None:
        """Until no pod is ending any more, and these are there."""
        deadline = time.monotonic() + 180
        while len(self._pods()) != replicas or len(self._ready_pods()) != replicas:
            assert time.monotonic() < deadline, "the pods of before are still there"
            time.sleep(0.2)

    def kill_a_replica(self) -> bool:
        """SIGKILL to the process group of one that is ready, if another one is too."""
        ready = self._ready_pods()
        if len(ready) < 2:
            return False
        spared = [kill.pod for kill in self.kills]
        pod = min(
            ready, key=lambda name: (name in spared, spared[::-1].index(name) * -1 if name in spared else 0)
        )
        process = self._server_of(pod)
        if process is None:
            return False
        at = time.monotonic()
        os.killpg(process.pid, signal.SIGKILL)
        self.kills.append(Kill(at, pod))
        return True

    def change_routing(self) -> str:
        """Put another document into the ConfigMap; what it calls its arms, as answers will."""
        self._routings += 1
        arms = f"soak{self._routings}"
        document = {
            "schema": "maestro.routing/1",
            "routes": {"fraud": {"to": {"split": {"salt": arms, "arms": [
                {"name": f"{arms}-a", "weight": 50, "to": {"model": "fraud"}},
                {"name": f"{arms}-b", "weight": 50, "to": {"model": "fraud", "version": 1}},
            ]}}}},
        }  # fmt: skip
        patch = {"data": {"routing.yaml": json.dumps(document)}}
        self._session.kubectl(
            "-n", "ml", "patch", "configmap", ROUTING, "--type=merge", "-p", json.dumps(patch)
        )
        return arms

    def _pods(self) -> list[dict[str, object]]:
        found = self._session.kubectl("-n", "ml", "get", "pods", "-l", f"app={DEPLOYMENT}", "-o", "json")
        items: list[dict[str, object]] = json.loads(found)["items"]
        return items

    def _ready_pods(self) -> list[str]:
        return sorted(name for pod in self._pods() if (name := _ready_name(pod)))

    def _server_of(self, pod: str) -> psutil.Process | None:
        """The model server of a pod of this platform, which leads its own process group."""
        for process in psutil.process_iter():
            try:
                environment = process.environ()
                if (
                    environment.get("MAESTRO_LOCAL_PLATFORM") == self._platform
                    and environment.get("HOSTNAME") == pod
                    and _SERVER in process.cmdline()
                    and os.getpgid(process.pid) == process.pid
                ):
                    return process
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, ProcessLookupError):
                continue
        return None


def _ready_name(pod: dict[str, object]) -> str:
    """Its name when it is ready and not ending, else empty."""
    meta, status = pod["metadata"], pod.get("status")
    assert isinstance(meta, dict)
    conditions = status.get("conditions", []) if isinstance(status, dict) else []
    is_ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return str(meta["name"]) if is_ready and "deletionTimestamp" not in meta else ""


def lost_without_a_kill(
    requests: Sequence[Request], kills: Sequence[Kill], slack_seconds: float
) -> list[Request]:
    """The lost requests that were not under way while a replica died; it may take `slack_seconds` to."""

    def is_explained(request: Request) -> bool:
        return any(kill.at <= request.ended and request.intended <= kill.at + slack_seconds for kill in kills)

    return [request for request in requests if request.is_lost and not is_explained(request)]

"""A thousand Deployments of a fortnight: their pods over time, what these ask for and use.

Seeded, so that two runs differ in the instant at which the fortnight ends alone. Among them are those a rule
stumbles over: new ones, idle ones, two replicas, sidecars, containers that began anew in their pod, two jobs
that scrape one container, autoscalers. Units: cores, bytes, seconds since the fortnight began.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

WORKLOADS, NAMESPACES, NODES = 1000, 20, 40
DAYS = 14
NODE_CORES, NODE_BYTES = 16.0, 64.0 * 2**30
_MIB = 2.0**20
_YOUNG_SECONDS = 2400.0


@dataclass(frozen=True, slots=True)
class Container:
    """What one container of a workload asks for and uses on average; `cpu_limit` None: it has none."""

    name: str
    cpu: float
    memory: float
    cpu_request: float
    memory_request: float
    cpu_limit: float | None = None


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod from `begin` to `end`; a container that began anew did so at `restart`."""

    name: str
    uid: str
    replica_set: str
    node: int
    begin: float
    end: float
    restart: float | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """One Deployment; `scaled` are the resources that its autoscaler looks at."""

    number: int
    namespace: str
    name: str
    containers: tuple[Container, ...]
    pods: tuple[Pod, ...]
    scaled: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ("kubelet",)

    @property
    def labels(self) -> Mapping[str, str]:
        return {"app": self.name, "team": f"team-{self.number % 7}", "version": f"v{self.number % 3 + 1}"}

    @property
    def replicas(self) -> int:
        last = max(pod.end for pod in self.pods)
        return sum(pod.end == last for pod in self.pods)


def namespace(number: int) -> str:
    return f"shop-{number % NAMESPACES:02d}"


def node(number: int) -> str:
    return f"node-{number % NODES:02d}"


def workloads(seconds: float) -> Iterator[Workload]:
    """All of them, over so many seconds."""
    for number in range(WORKLOADS):
        chance = random.Random(number)
        scaled = ("cpu", "memory") if number % 125 == 9 else ("cpu",) if number % 25 == 7 else ()
        name = f"service-{number:04d}"
        yield Workload(
            number,
            namespace(number),
            name,
            tuple(_containers(number, chance)),
            tuple(_pods(number, name, seconds, chance)),
            scaled,
            ("kubelet", "cadvisor") if number % 50 == 11 else ("kubelet",),
        )


def _containers(number: int, chance: random.Random) -> Iterator[Container]:
    is_idle = number % 100 == 27
    cpu = 0.002 if is_idle else min(1.5, chance.lognormvariate(-2.3, 1.0))
    memory = (30 if is_idle else min(3000.0, chance.lognormvariate(5.5, 0.8))) * _MIB
    cpu_request = round(cpu * chance.uniform(1.2, 5), 2) + 0.01
    memory_request = round(memory / _MIB * chance.uniform(1.3, 3)) * _MIB
    limit = 2 * cpu_request if number % 4 == 0 else None
    yield Container("server", cpu, memory, cpu_request, memory_request, limit)
    if number % 20 == 5:
        yield Container("proxy", cpu / 10, 40 * _MIB, 0.1, 128 * _MIB)


def _pods(number: int, name: str, seconds: float, chance: random.Random) -> Iterator[Pod]:
    """Two or three generations of pods, by one or two rollouts; of a young workload one."""
    first = seconds - _YOUNG_SECONDS if number % 100 == 17 else 0.0
    rollouts = sorted(chance.uniform(0.1, 0.9) * seconds for _ in range(chance.choice((1, 2))))
    begins = [first, *(at for at in rollouts if at > first)]
    for turn, begin in enumerate(begins):
        end = begins[turn + 1] + 30 if turn + 1 < len(begins) else seconds
        replica_set = f"{name}-{chance.getrandbits(36):09x}"
        for replica in range(2 if number % 10 == 8 else 1):
            restarts = number % 10 == 3 and turn == 0
            uid = f"{chance.getrandbits(32):08x}-0000-4000-8000-{number:08d}{turn:02d}{replica:02d}"
            yield Pod(
                f"{replica_set}-{chance.getrandbits(20):05x}",
                uid,
                replica_set,
                (number * 7 + turn * 11 + replica * 3) % NODES,
                begin,
                end,
                (begin + end) / 2 if restarts else None,
            )

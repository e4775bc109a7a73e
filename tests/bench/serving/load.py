"""The open-loop load: requests at the moments of a schedule, whatever the server does.

Invariant: a latency counts from the moment a request was meant to be sent, so that waiting for a connection,
for this generator or for a stalled server is in it. Every intended request is counted once: answered, or
failed with a reason; a wrong answer is a failure.
"""

from __future__ import annotations

import gc
import select
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile

from maestro_cli.local.load.traffic import Arrival, arrivals
from tests.bench.serving.connection import Answer, Broken, Connection
from tests.bench.serving.distribution import percentile

CONNECTIONS = 64
PATIENCE_SECONDS = 3.0  # after the last intended moment; who is not answered by then has failed
_SPIN_SECONDS = 0.0015  # epoll sleeps in whole milliseconds: nearer than this it is asked without sleeping
_SHORTEST_SLEEP = 0.001
_HEAD_START_SECONDS = 0.02

Check = Callable[[int, bytes], str]  # body number and answer → what is wrong with it, "" when nothing is


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send, and the whole requests, head and body, that the schedule's numbers stand for."""

    port: int
    requests: tuple[bytes, ...]
    check: Check
    tls: ssl.SSLContext | None = None


@dataclass(slots=True)
class Outcome:
    """What became of a schedule. Seconds; `lateness` is how long after its moment a request was sent."""

    intended: int
    latencies: list[float] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0  # from the first moment to the last answer

    @property
    def failed(self) -> int:
        return self.failures.total()

    def at(self, share: float) -> float:
        """A percentile of the latencies; infinite when nothing was answered."""
        return percentile(self.latencies, share) if self.latencies else float("inf")


def schedule(seed: int, rate: float, seconds: float, bodies: int) -> list[Arrival]:
    """The Poisson arrivals of so many seconds: the same for the same seed, rate and bodies."""
    return list(takewhile(lambda one: one.offset_seconds < seconds, arrivals(seed, rate, bodies)))


def all_at_once(count: int, bodies: int) -> list[Arrival]:
    """So many requests that are due at once: the connections then are busy all the time (closed loop)."""
    return [Arrival(0.0, number % bodies) for number in range(count)]


def request_bytes(path: str, port: int, body: bytes, headers: Sequence[str] = ()) -> bytes:
    """A whole JSON request."""
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii") + body


def send(target: Target, plan: Sequence[Arrival], connections: int = CONNECTIONS) -> Outcome:
    """Follow a schedule to its end; raises OSError when the server cannot be reached at first."""
    run = _Run(target, plan, connections)
    gc.collect()
    gc.disable()
    try:
        run.follow()
    finally:
        gc.enable()
        run.close()
    return run.outcome()


class _Run:
    def __init__(self, target: Target, plan: Sequence[Arrival], connections: int) -> None:
        self._target = target
        self._plan = plan
        self._poll = select.epoll()
        self._by_fileno: dict[int, tuple[Connection, int]] = {}  # the request under way, -1 for none
        self._idle: list[Connection] = []
        self._waiting: deque[int] = deque()
        self._answers: list[tuple[int, float, Answer]] = []
        self._lateness: list[float] = []
        self._failures: Counter[str] = Counter()
        self._open = 0  # sent and not yet answered
        self._began = self._ended = 0.0
        for _ in range(connections):
            self._connect()

    def follow(self) -> None:
        due = [one.offset_seconds for one in self._plan]
        count, number = len(due), 0
        clock = time.perf_counter
        self._began = began = clock() + _HEAD_START_SECONDS
        last = began + (due[-1] if due else 0.0) + PATIENCE_SECONDS
        while number < count or self._open or self._waiting:
            now = clock()
            while number < count and due[number] <= now - began:
                self._waiting.append(number)
                number += 1
            self._send_waiting()
            ahead = (began + due[number] if number < count else last) - now
            if number == count and ahead <= 0:
                break
            wait = 0.0 if ahead < _SPIN_SECONDS else ahead - _SHORTEST_SLEEP  # below 0 it would never end
            for fileno, _ in self._poll.poll(wait):
                self._read(fileno)
        self._ended = clock()

    def _send_waiting(self) -> None:
        while self._waiting and self._idle:
            number, connection = self._waiting.popleft(), self._idle.pop()
            arrival = self._plan[number]
            self._lateness.append(time.perf_counter() - self._began - arrival.offset_seconds)
            try:
                connection.send(self._target.requests[arrival.body])
            except Broken as error:
                self._replace(connection, str(error))
                continue
            self._by_fileno[connection.fileno()] = (connection, number)
            self._open += 1

    def _read(self, fileno: int) -> None:
        connection, number = self._by_fileno[fileno]
        try:
            answer = connection.receive()
        except Broken as error:
            if number >= 0:
                self._open -= 1
                self._replace(connection, str(error))
            else:
                self._replace(connection, None)
            return
        if answer is None:
            return
        self._answers.append((number, time.perf_counter(), answer))
        self._open -= 1
        self._by_fileno[fileno] = (connection, -1)
        self._idle.append(connection)
        self._send_waiting()

    def _replace(self, connection: Connection, failure: str | None) -> None:
        """Another connection for one that broke; `failure` is that of the request it carried."""
        if failure is not None:
            self._failures[failure] += 1
        if connection in self._idle:
            self._idle.remove(connection)
        with suppress(OSError):
            self._poll.unregister(connection.fileno())
        self._by_fileno.pop(connection.fileno(), None)
        connection.close()
        try:
            self._connect()
        except OSError as error:  # one connection fewer; with none left, nothing is answered any more
            self._failures.setdefault(f"cannot connect: {error.strerror}", 0)

    def _connect(self) -> None:
        connection = Connection(self._target.port, self._target.tls)
        self._by_fileno[connection.fileno()] = (connection, -1)
        self._poll.register(connection.fileno(), select.EPOLLIN)
        self._idle.append(connection)

    def outcome(self) -> Outcome:
        """Checks every answer, now that time does not matter."""
        found = Outcome(len(self._plan), lateness=self._lateness, failures=+self._failures)
        for number, moment, answer in self._answers:
            arrival = self._plan[number]
            if answer.status != 200:
                found.failures[f"status {answer.status}"] += 1
            elif wrong := self._target.check(arrival.body, answer.body):
                found.failures[wrong] += 1
            else:
                found.latencies.append(moment - self._began - arrival.offset_seconds)
        if lost := len(self._plan) - len(found.latencies) - found.failed:
            found.failures["not answered"] += lost
        found.seconds = self._ended - self._began
        return found

    def close(self) -> None:
        for connection, _ in self._by_fileno.values():
            connection.close()
        self._poll.close()

"""One program from its start to its end: its time, its processor time, its memory, and what it asked."""

from __future__ import annotations

import re
import resource
import subprocess
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench.terminal import Failed

_LOOK_SECONDS = 0.05
_REQUESTS = re.compile(r'^prometheus_http_requests_total\{.*handler="/api/v1/.*\} (\S+)$', re.MULTILINE)
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Watched:
    """What one run wrote and took: seconds of the clock, of its processors and of the server's.

    `peak_bytes` is the memory of all its processes together, `requests` what the server was asked.
    """

    output: str
    wall: float
    own: float
    server: float
    peak_bytes: float
    requests: int

    @property
    def processor(self) -> float:
        return self.own + self.server


@dataclass(frozen=True, slots=True)
class Server:
    """The Prometheus that is asked."""

    url: str
    process: psutil.Process

    def seconds(self) -> float:
        used = self.process.cpu_times()
        return float(used.user + used.system)

    def requests(self) -> int:
        """How many requests to its API it has answered."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        return round(sum(float(found) for found in _REQUESTS.findall(text)))


def watched(
    words: Sequence[str], environment: Mapping[str, str], server: Server, where: Path, longest: float
) -> Watched:
    """Run it; raises Failed when it ends with anything but 0, or not in so many seconds."""
    asked, used, own = server.requests(), server.seconds(), _seconds_of_children()
    output, errors = where / "output", where / "errors"
    with output.open("wb") as out, errors.open("wb") as err:
        started = time.perf_counter()
        child = subprocess.Popen(
            words, env=environment, cwd=where, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
        memory = _Memory(child.pid)
        memory.start()
        try:
            code = child.wait(longest)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{words[0]} took more than {longest:.0f} s") from error
        finally:
            child.kill()
            child.wait()
            wall = time.perf_counter() - started
            memory.end()
    if code != 0:
        raise Failed(f"{' '.join(words)} ended with {code}: {errors.read_text()[-400:]}")
    return Watched(
        output.read_text(encoding="utf-8"), wall, _seconds_of_children() - own, server.seconds() - used,
        memory.peak_bytes, server.requests() - asked,
    )  # fmt: skip


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # of those that ended
    return used.ru_utime + used.ru_stime


class _Memory(threading.Thread):
    """Looks twenty times a second at how much memory a process and those that it started have together."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._is_over = threading.Event()
        self.peak_bytes = 0.0

    def run(self) -> None:
        while not self._is_over.wait(_LOOK_SECONDS):
            try:
                there = [self._process, *self._process.children(recursive=True)]
                now = float(sum(one.memory_info().rss for one in there))
            except psutil.NoSuchProcess:
                continue
            self.peak_bytes = max(self.peak_bytes, now, _most_of(self._process.pid))

    def end(self) -> None:
        self._is_over.set()
        self.join()


def _most_of(pid: int) -> float:
    """The most that one process ever had, where the system keeps that: no look misses it."""
    try:
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    except OSError:
        return 0.0
    return float(found[1]) * 1024 if found else 0.0

"""Startup, liveness and readiness probes, and life-cycle hooks.

Invariant: an answer is (ok, words); nothing a container answers can raise or block past the
probe's time-out. A result changes only after `failureThreshold` or `successThreshold` in a row.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from maestro_cli.local.objects import Object

TIMED_OUT = 124  # the exit code of a command that was ended at its time-out, as timeout(1) has it


class Exec(Protocol):
    """Runs a command in a container."""

    async def __call__(self, command: Sequence[str], seconds: float) -> tuple[int, str]:
        """(exit code, output); TIMED_OUT when it took too long."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a container can be reached."""

    address: str
    ports: dict[str, int]
    run: Exec

    def port(self, value: int | str) -> int:
        """A port number, also by name; 0 (which nobody answers) for an unknown one."""
        if isinstance(value, int) or value.isdigit():
            return int(value)
        return self.ports.get(value, 0)


@dataclass(slots=True)
class Tally:
    """Turns single answers into a result with hysteresis."""

    result: bool
    failures_needed: int = 3
    successes_needed: int = 1
    _run_of: bool | None = None
    _length: int = 0

    def count(self, ok: bool) -> bool:
        """Take in one answer; the result now."""
        self._length = self._length + 1 if self._run_of is ok else 1
        self._run_of = ok
        if self._length >= (self.successes_needed if ok else self.failures_needed):
            self.result = ok
        return self.result


async def act(action: Object, target: Target, seconds: float) -> tuple[bool, str]:
    """Do one httpGet, tcpSocket, exec or sleep action within its time-out; the words are Kubernetes' own."""
    try:
        async with asyncio.timeout(seconds):
            if "httpGet" in action:
                return await _http_get(action["httpGet"], target)
            if "tcpSocket" in action:
                return await _tcp(action["tcpSocket"], target)
            if "exec" in action:
                code, output = await target.run(action["exec"].get("command") or (), seconds)
                return code == 0, output if code != TIMED_OUT else _late(action, target, seconds)
            if "sleep" in action:
                await asyncio.sleep(float(action["sleep"].get("seconds", 0)))
                return True, ""
    except TimeoutError:
        return False, _late(action, target, seconds)
    except OSError as problem:
        return False, _failed(action, target, problem)
    except (asyncio.LimitOverrunError, ValueError) as problem:
        return False, f"malformed HTTP response: {problem}"
    except (LookupError, OverflowError) as problem:  # a field is missing, or a port is none
        return False, f"malformed probe: {type(problem).__name__}: {problem}"
    return False, "this kind of probe is not supported by the process kubelet"


def _late(action: Object, target: Target, seconds: float) -> str:
    if "exec" in action:
        command = " ".join(action["exec"].get("command") or ())
        return f'command timed out: "{command}" timed out after {seconds:g}s'
    if "httpGet" in action:
        return f'Get "{_url(action["httpGet"], target)}": context deadline exceeded'
    return f"dial tcp {_place(action.get('tcpSocket') or {}, target)}: i/o timeout"


def _failed(action: Object, target: Target, problem: OSError) -> str:
    words = os.strerror(problem.errno).lower() if problem.errno else str(problem)
    dialled = f"dial tcp {_place(action.get('httpGet') or action.get('tcpSocket') or {}, target)}: {words}"
    if isinstance(problem, ConnectionRefusedError):
        dialled = dialled.replace(words, f"connect: {words}")
    return f'Get "{_url(action["httpGet"], target)}": {dialled}' if "httpGet" in action else dialled


def _place(action: Object, target: Target) -> str:
    return f"{action.get('host') or target.address}:{target.port(action.get('port', 0))}"


def _url(action: Object, target: Target) -> str:
    scheme = str(action.get("scheme") or "HTTP").lower()
    return f"{scheme}://{_place(action, target)}/{str(action.get('path') or '').removeprefix('/')}"


async def _tcp(action: Object, target: Target) -> tuple[bool, str]:
    host = action.get("host") or target.address
    _reader, writer = await asyncio.open_connection(host, target.port(action["port"]))
    writer.close()
    return True, ""


async def _http_get(action: Object, target: Target) -> tuple[bool, str]:
    host, port = action.get("host") or target.address, target.port(action["port"])
    secure: ssl.SSLContext | None = None
    if str(action.get("scheme", "HTTP")).upper() == "HTTPS":
        secure = ssl._create_unverified_context()  # as the real kubelet: certificates are not checked
    reader, writer = await asyncio.open_connection(host, port, ssl=secure)
    try:
        headers = {"Host": f"{host}:{port}", "User-Agent": "kube-probe/1.37", "Accept": "*/*"}
        headers |= {entry["name"]: entry.get("value", "") for entry in action.get("httpHeaders") or ()}
        lines = [f"GET {action.get('path') or '/'} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1", "replace"))
        first = (await reader.readline()).decode("latin-1").split()
        if not first:
            return False, f'Get "{_url(action, target)}": EOF'
        code = int(first[1]) if len(first) > 1 else 0
        return 200 <= code < 400, f"HTTP probe failed with statuscode: {code}"
    finally:
        writer.close()


async def answers(probe: Object, target: Target, tally: Tally) -> AsyncIterator[tuple[bool, bool, str]]:
    """Probe for ever: (this answer is good, the result now, words)."""
    await asyncio.sleep(float(probe.get("initialDelaySeconds") or 0))
    period = float(probe.get("periodSeconds") or 10)
    while True:
        ok, words = await act(probe, target, float(probe.get("timeoutSeconds") or 1))
        yield ok, tally.count(ok), words
        await asyncio.sleep(period)


def tally_for(probe: Object, *, initially: bool) -> Tally:
    """The hysteresis a probe asks for."""
    return Tally(initially, int(probe.get("failureThreshold") or 3), int(probe.get("successThreshold") or 1))

"""Startup, liveness and readiness probes, and life-cycle hooks.

Invariant: an answer is (ok, words); nothing a container answers can raise or block past the
probe's time-out. A result changes only after `failureThreshold` or `successThreshold` in a row.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from maestro_cli.local.objects import Object

_LONGEST_ANSWER = 10 * 1024


class Exec(Protocol):
    """Runs a command in a container."""

    async def __call__(self, command: Sequence[str], seconds: float) -> tuple[int, str]:
        """(exit code, output); 124 when it took too long."""


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
    """Do one httpGet, tcpSocket, exec or sleep action within its time-out."""
    try:
        async with asyncio.timeout(seconds):
            if "httpGet" in action:
                return await _http_get(action["httpGet"], target)
            if "tcpSocket" in action:
                return await _tcp(action["tcpSocket"], target)
            if "exec" in action:
                code, output = await target.run(action["exec"].get("command") or (), seconds)
                return code == 0, output
            if "sleep" in action:
                await asyncio.sleep(float(action["sleep"].get("seconds", 0)))
                return True, ""
    except TimeoutError:
        return False, f"probe timed out after {seconds:g}s"
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as problem:
        return False, str(problem)
    return False, "this kind of probe is not supported by the process kubelet"


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
        headers = {"Host": f"{host}:{port}", "User-Agent": "kube-probe/maestro", "Accept": "*/*"}
        headers |= {entry["name"]: entry["value"] for entry in action.get("httpHeaders") or ()}
        lines = [f"GET {action.get('path') or '/'} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1", "replace"))
        first = (await reader.readline()).decode("latin-1")
        code = int(first.split()[1]) if len(first.split()) > 1 else 0
        if 200 <= code < 400:
            return True, ""
        body = await reader.read(_LONGEST_ANSWER)
        _, _, text = body.partition(b"\r\n\r\n")
        return (
            False,
            f"HTTP probe failed with statuscode: {code} {text[:200].decode('utf-8', 'replace')}".strip(),
        )
    finally:
        writer.close()


async def watch_probe(
    probe: Object,
    target: Target,
    tally: Tally,
    told: Callable[[bool, bool, str], Awaitable[None]],
) -> None:
    """Probe for ever; `told(ok, result, words)` hears each answer."""
    await asyncio.sleep(float(probe.get("initialDelaySeconds") or 0))
    period = float(probe.get("periodSeconds") or 10)
    while True:
        ok, words = await act(probe, target, float(probe.get("timeoutSeconds") or 1))
        await told(ok, tally.count(ok), words)
        await asyncio.sleep(period)


def tally_for(probe: Object, *, initially: bool) -> Tally:
    """The hysteresis a probe asks for."""
    return Tally(initially, int(probe.get("failureThreshold") or 3), int(probe.get("successThreshold") or 1))

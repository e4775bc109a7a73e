"""The fault injection of bundled model servers, pod by pod, for drills. Format: docs/serving.md.

Invariant: what was refused was not injected; a ready replica that does not answer is never passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from maestro_cli.chaos.drills.faults import InjectedFault, read_faults
from maestro_cli.chaos.drills.model import ReplicaFault
from maestro_cli.chaos.ports import ActiveFault
from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import GateNotMet, NotFound, Refused, Unreachable
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.sources.failures import not_like, quoted
from maestro_cli.sources.http import Ask, HttpBackend

if TYPE_CHECKING:
    import httpx

SYSTEM = "Serving"
# Of a server to take an order of an experiment. What does not answer by then is probed, and taken back: a
# stop waits no longer for it than that.
START_SECONDS = 0.6
_PATH = "/v2/faults"


class ReplicaFaults:
    """Satisfies chaos.drills.ports.Faults.

    `pods` lists a workload's pods, `url_of` says where the server of one listens, `key` has the permission
    chaos, `journals` are the files that the servers record in.
    """

    def __init__(
        self,
        pods: Callable[[WorkloadRef], Sequence[Pod]],
        url_of: Callable[[Pod], str],
        key: Callable[[], str],
        journals: Callable[[], Iterable[Path]],
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._pods = pods
        self._url_of = url_of
        self._key = key
        self._journals = journals
        self._transport = transport

    def inject(self, ref: WorkloadRef, fault: ReplicaFault, note: str) -> str:
        """Into the ready pod at its place. Raises GateNotMet, Refused, Unreachable, OutcomeUnknown."""
        ready = self.replicas(ref)
        pod = ready[int(fault.place * len(ready))]
        self.inject_in(pod, fault, note)
        return pod.name

    def inject_everywhere(self, ref: WorkloadRef, fault: ReplicaFault, note: str) -> tuple[str, ...]:
        """Into every ready pod; raises as `inject`, and then it may be on in some."""
        ready = self.replicas(ref)
        for pod in ready:
            self.inject_in(pod, fault, note)
        return tuple(pod.name for pod in ready)

    def replicas(self, ref: WorkloadRef) -> list[Pod]:
        """By name; raises GateNotMet where there is none."""
        ready = sorted((pod for pod in self._pods(ref) if _is_asked(pod)), key=lambda one: one.name)
        if not ready:
            raise GateNotMet(f"{ref} has no ready pod", fix="maestro local status")
        return ready

    def pods_of(self, ref: WorkloadRef) -> Sequence[Pod]:
        """Also those that are not ready."""
        return self._pods(ref)

    def inject_in(self, pod: Pod, fault: ReplicaFault, note: str) -> None:
        order = {
            "kind": fault.kind,
            "seconds": fault.seconds,
            "parameters": dict(fault.parameters),
            "scope": {"model": fault.model, "version": fault.version, "share": fault.share},
            "note": note,
        }
        self._ask(pod, Ask("POST", _PATH, body=msgspec.json.encode(order)))

    def end_all(self, ref: WorkloadRef) -> None:
        """End them in every pod that was started; one that is on its way out takes its faults with it."""
        for pod in (one for one in self._pods(ref) if one.ip):
            try:
                self._ask(pod, Ask("DELETE", _PATH, safe=True))
            except Unreachable:
                if _is_asked(pod):
                    raise

    def recorded(self) -> tuple[InjectedFault, ...]:
        return read_faults(self._journals())

    def _ask(self, pod: Pod, ask: Ask) -> None:
        ask_server(pod, self._url_of(pod), self._key, ask, self._transport)


class PodFaults:
    """Satisfies chaos.ports.ServerFaults; `url_of` says where a pod's server listens, `key` may do chaos."""

    def __init__(
        self,
        url_of: Callable[[Pod], str],
        key: Callable[[], str],
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url_of, self._key, self._transport = url_of, key, transport

    def active(self, pod: Pod) -> tuple[ActiveFault, ...]:
        """What the pod's server has now."""
        if not pod.ip:
            return ()
        body = self._ask(pod, Ask("GET", _PATH, safe=True))
        try:
            found = msgspec.json.decode(body, type=ready(_Active))
        except (msgspec.DecodeError, RecursionError) as error:
            raise not_like(SYSTEM, self._url_of(pod), f"{_PATH} answers something else: {error}") from error
        return tuple(ActiveFault(one.id, one.kind, one.note, one.hits) for one in found.faults)

    def start(self, pod: Pod, order: Mapping[str, Any]) -> None:
        """Raises OutcomeUnknown soon where the server takes it and does not answer."""
        asked = Ask("POST", _PATH, body=msgspec.json.encode(order))
        ask_server(pod, self._url_of(pod), self._key, asked, self._transport, timeout_seconds=START_SECONDS)

    def end(self, pod: Pod, fault: str) -> None:
        self._ask(pod, Ask("DELETE", f"{_PATH}/{fault}", safe=True))

    def _ask(self, pod: Pod, ask: Ask) -> bytes:
        return ask_server(pod, self._url_of(pod), self._key, ask, self._transport)


class _ActiveOne(msgspec.Struct):
    id: str
    kind: str
    note: str = ""
    hits: int = 0


class _Active(msgspec.Struct):
    faults: list[_ActiveOne]


def ask_server(
    pod: Pod,
    url: str,
    key: Callable[[], str],
    ask: Ask,
    transport: httpx.BaseTransport | None,
    *,
    timeout_seconds: float = 4.0,
) -> bytes:
    """The body of its answer; raises Refused, NotFound (of one fault), Unreachable, OutcomeUnknown."""
    backend = HttpBackend(
        SYSTEM,
        url,
        headers=lambda: {"x-api-key": key()},
        timeout_seconds=timeout_seconds,
        transport=transport,
    )
    try:
        answer = backend.ask(ask)
        if answer.status == 404 and ask.path != _PATH:
            raise NotFound(f"the server of pod {pod.name} has no such fault", why=quoted(answer.body))
        if answer.status in (400, 404, 409, 429):
            raise Refused(
                f"the server of pod {pod.name} takes no such fault",
                why=f"HTTP {answer.status}: {quoted(answer.body)}",
                fix="start it with --enable-faults",
            )
        backend.expect_ok(answer, safe=ask.safe)
        return answer.body
    finally:
        backend.close()


def _is_asked(pod: Pod) -> bool:
    return pod.ready and not pod.deleting

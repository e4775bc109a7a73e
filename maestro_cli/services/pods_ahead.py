"""The first list of pods of a console, read by a process of its own while this one imports what shows it.

Invariant: it tells what this process would have read: the lines of one snapshot with its version, or the
error. What it does not tell to the end is read here, from the start. It has no credentials but those that are
written down: whoever has to be asked for some is asked once, here.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import (
    ActionFailed,
    Busy,
    MaestroError,
    NotFound,
    Refused,
    TimedOut,
    Unreachable,
    UsageError,
)
from maestro_cli.core.facts.inventory import PodLine
from maestro_cli.core.facts.live import Begun, Listed, Lost, Restored, Seen
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.output.diagnostics import note, told_to
from maestro_cli.services.apart import Apart, Tell, begin_apart
from maestro_cli.services.inventory import Zones, zone_of

if TYPE_CHECKING:
    from maestro_cli.config.settings import ClusterEndpoint
    from maestro_cli.core.cancellation import Cancellation
    from maestro_cli.core.clock import Clock
    from maestro_cli.services.root import Services

REST_SECONDS = 0.5  # from the list to its watch, whose libraries would be in the way of the rows
_ERRORS: Mapping[str, type[MaestroError]] = {
    one.__name__: one for one in (ActionFailed, Busy, NotFound, Refused, TimedOut, Unreachable, UsageError)
}


class _Page(msgspec.Struct, tag="page"):
    lines: list[PodLine]
    is_first: bool


class _Last(msgspec.Struct, tag="last"):
    """The last page, with what a watch needs to go on; `zones` of nodes where they were asked for."""

    lines: list[PodLine]
    is_first: bool
    version: str
    at: datetime
    zones: Mapping[str, str] | None


class _Failed(msgspec.Struct, tag="failed"):
    kind: str
    what: str
    why: str
    fix: str
    since: datetime


class _Remark(msgspec.Struct, tag="remark"):
    text: str


_Message = _Page | _Last | _Failed | _Remark


@dataclass(frozen=True, slots=True)
class Heard:
    """Where a watch goes on: from that version, "" for the start; `is_lost` while an error holds."""

    version: str = ""
    zones: Mapping[str, str] | None = None
    is_lost: bool = False


class PodsAhead:
    """The list of one context and namespace ("" for all), for the first who takes it. Thread-safe."""

    def __init__(self, context: str, namespace: str, process: Apart) -> None:
        self.context, self._namespace = context, namespace
        self._process: Apart | None = process
        self._lock = threading.Lock()

    def take(self, namespace: str) -> Apart | None:
        """The process that reads it, once."""
        with self._lock:
            if self._process is None or namespace != self._namespace:
                return None
            taken, self._process = self._process, None
            return taken

    def close(self) -> None:
        """End it, unless somebody has taken it."""
        if (process := self.take(self._namespace)) is not None:
            process.end()


def read_pods_ahead(services: Services, context: str, namespace: str) -> PodsAhead | None:
    """Have the list be read from now on; None where that needs this process, or nothing is to be read."""
    try:
        endpoint = services.settings.context(context).cluster
    except MaestroError:
        endpoint = None  # whoever reads it tells
    process = (
        begin_apart(partial(_read, endpoint, namespace, services.clock)) if endpoint is not None else None
    )
    return PodsAhead(context, namespace, process) if process is not None else None


# In the process that reads


def _read(endpoint: ClusterEndpoint, namespace: str, clock: Clock, tell: Tell) -> None:
    gc.disable()  # it ends before that would be of use
    from maestro_cli.sources.kube.access import written_access
    from maestro_cli.sources.kube.api_server import api_server
    from maestro_cli.sources.kube.inventory import Inventory

    encode = msgspec.msgpack.Encoder(enc_hook=_plain).encode

    def say(message: _Message) -> None:
        tell(encode(message))

    at = clock.now()
    try:
        access = written_access(endpoint)
        if access is None:
            return
        with told_to(lambda text: say(_Remark(text))):
            inventory = Inventory(api_server(access))
            zones = Zones(inventory)
            for part in inventory.pod_parts(namespace or None, zones.of):
                if part.is_last:
                    say(_Last(part.lines, part.is_first, part.version, at, zones.asked))
                else:
                    say(_Page(part.lines, part.is_first))
    except MaestroError as error:
        if type(error).__name__ in _ERRORS:
            say(_Failed(type(error).__name__, error.what, error.why, error.fix, at))


def _plain(value: Any) -> str:
    if isinstance(value, Untrusted):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be told")


# Where it is heard


def watched_pods(services: Services, namespace: str, cancellation: Cancellation) -> Iterator[Seen[PodLine]]:
    """Pods of a namespace, "" for all, as they change; the first list is the one that is read ahead, once."""
    ahead = services.pods_ahead
    process = ahead.take(namespace) if ahead is not None else None
    if process is None:
        cluster = services.cluster
        return cluster.watches.pods(namespace or None, zone_of(services), cancellation)
    return _heard_first(services, namespace, cancellation, process)


def _heard_first(
    services: Services, namespace: str, cancellation: Cancellation, process: Apart
) -> Iterator[Seen[PodLine]]:
    """What it tells, then what a watch of this process does."""
    with cancellation.calling(process.hang_up):
        heard = yield from _heard(process)
    if heard.version:
        cancellation.wait(REST_SECONDS)
    if cancellation.is_set:
        return
    cluster, is_lost = services.cluster, heard.is_lost
    zones = Zones(cluster.inventory, heard.zones)
    for news in cluster.watches.pods(namespace or None, zones.of, cancellation, version=heard.version):
        if is_lost and not isinstance(news, Lost):
            is_lost = False
            yield Restored(services.clock.now())
        yield news


def _heard(process: Apart) -> Generator[Seen[PodLine], None, Heard]:
    """The list, or why there is none. Raises NotFound and UsageError, as a watch that has listed nothing."""
    decode, lines = msgspec.msgpack.Decoder(ready(_Message)).decode, list[PodLine]()
    for encoded in process.messages():
        match decode(encoded):
            case _Remark(text):
                note(text)
            case _Failed(kind, what, why, fix, since):
                error = _ERRORS[kind](what, why=why, fix=fix)
                if isinstance(error, NotFound | UsageError):
                    raise error
                yield Lost(error, since)
                return Heard(is_lost=True)
            case _Page(found, is_first):
                lines = found if is_first else lines + found
                yield Begun(tuple(found), is_first)
            case _Last(found, is_first, version, at, zones):
                yield Listed(tuple(found if is_first else lines + found), at)
                return Heard(version, zones)
    return Heard()

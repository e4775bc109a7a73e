"""Following the logs of pods that come and go.

Invariant: one thread a container that is read, one a source. A reader outlives restarts of its container and
breaks of its connection, and ends with its pod; each end is told after the last line.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import Interrupted, MaestroError, NoData, NotFound, Refused
from maestro_cli.core.facts.cluster import Container
from maestro_cli.core.facts.inventory import PodLine
from maestro_cli.core.facts.live import Begun, Listed, Lost, Restored
from maestro_cli.core.facts.logs import Joined, Left, LogSource
from maestro_cli.sources.kube.api_server import ApiServer
from maestro_cli.sources.kube.container_log import ContainerLog, LogWanted
from maestro_cli.sources.kube.log_buffer import LogBuffer
from maestro_cli.sources.kube.watches import Watches

MAX_LOGS = 100
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 5.0
LAST_WORDS_SECONDS = 5.0  # a pod that is gone may still have lines on their way
GONE, ENDED, TOO_MANY = "the pod is gone", "the pod ended", f"more than {MAX_LOGS} logs at once"
_FINISHED = ("Succeeded", "Failed")
_Key = tuple[str, str]  # the pod's uid, the container's name


def no_zone(_: str) -> str:
    """Logs do not need to know where a node is."""
    return ""


def one_pod(source: LogSource) -> str:
    """The field selector of the pod that is named; "" where there is none."""
    return f"metadata.name={source.pod}" if source.pod else ""


def wanted_containers(pod: PodLine, wanted: LogWanted) -> list[Container]:
    """All of a pod, or those that were named."""
    return [one for one in pod.containers if not wanted.containers or one.name in wanted.containers]


def readable(pod: PodLine, wanted: LogWanted) -> list[str]:
    """Those of them that have, or had, something to print."""
    return [one.name for one in wanted_containers(pod, wanted) if one.state != "waiting" or one.restarts > 0]


def check_containers(pods: Sequence[PodLine], wanted: LogWanted) -> None:
    """Raises NotFound where pods are there and none has a container that was named."""
    if pods and not any(wanted_containers(pod, wanted) for pod in pods):
        known = sorted({one.name for pod in pods for one in pod.containers})
        raise NotFound(
            f"no pod has a container {' or '.join(map(repr, wanted.containers))}",
            fix=f"-c {'|'.join(known)}",
        )


def reason(error: MaestroError) -> str:
    """An error on one line."""
    return f"{error.what}: {error.why}" if error.why else error.what


def _let_end(reading: Cancellation) -> None:
    reading.wait(LAST_WORDS_SECONDS)
    reading.cancel()


@dataclass(slots=True)
class _Source:
    asked: LogSource
    uids: set[str] = field(default_factory=set)
    is_listed: bool = False


class Following:
    """The logs of some sources while they are followed; `buffer` has what was read."""

    def __init__(
        self, api: ApiServer, watches: Watches, wanted: LogWanted, cancellation: Cancellation, clock: Clock
    ) -> None:
        self.buffer = LogBuffer(clock)
        self._api, self._watches, self._wanted, self._clock = api, watches, wanted, clock
        self._cancellation = cancellation
        self._lock = threading.RLock()
        self._sources: list[_Source] = []
        self._pods: dict[str, PodLine] = {}
        self._reading: dict[_Key, Cancellation] = {}
        self._seen: set[_Key] = set()  # read, or refused: once is enough
        self._failure: MaestroError | None = None

    def watch(self, asked: LogSource) -> None:
        """Begin to follow the pods of a source."""
        source = _Source(asked)
        self._sources.append(source)
        self._start(lambda: self._watch(source))

    def raise_if_failed(self) -> None:
        """Raises what makes following a source senseless."""
        if self._failure is not None:
            raise self._failure

    @staticmethod
    def _start(run: Callable[[], object]) -> None:
        threading.Thread(target=run, daemon=True, name="maestro-log").start()

    def _watch(self, source: _Source) -> None:
        asked = source.asked
        try:
            for seen in self._watches.pods(
                asked.namespace, no_zone, self._cancellation, selector=asked.selector, fields=one_pod(asked)
            ):
                if isinstance(seen, Begun):
                    continue  # the whole list says which pods there are
                if isinstance(seen, Lost | Restored):
                    self.buffer.tell(seen)
                elif isinstance(seen, Listed):
                    self._list(source, seen.lines)
                else:
                    for change in seen:
                        self._change(source, change.uid, change.line)
                self._finish_if_over()
        except MaestroError as error:
            self._failure = error
            self.buffer.finish()

    def _list(self, source: _Source, lines: tuple[PodLine, ...]) -> None:
        if source.asked.pod and not lines and not source.is_listed:
            raise NotFound(f"there is no pod {source.asked.pod!r} in namespace {source.asked.namespace!r}")
        if not source.is_listed:
            check_containers(lines, self._wanted)
        source.is_listed = True
        for uid in source.uids - {line.uid for line in lines}:
            self._change(source, uid, None)
        for line in lines:
            self._change(source, line.uid, line)

    def _change(self, source: _Source, uid: str, line: PodLine | None) -> None:
        with self._lock:
            if line is None:
                source.uids.discard(uid)
                self._pods.pop(uid, None)
                self._seen = {key for key in self._seen if key[0] != uid or key in self._reading}
                for key, reading in self._reading.items():
                    if key[0] == uid:
                        self._start(partial(_let_end, reading))
                return
            source.uids.add(uid)
            self._pods[uid] = line
            for name in readable(line, self._wanted):
                self._read_once(source.asked.namespace, line, name)

    def _read_once(self, namespace: str, pod: PodLine, container: str) -> None:
        key = pod.uid, container
        if key in self._seen:
            return
        self._seen.add(key)
        if len(self._reading) >= MAX_LOGS:
            self.buffer.tell(Left(pod.name, container, TOO_MANY))
            return
        log = ContainerLog(self._api, namespace, pod.name, container, self._wanted, self._clock.now)
        self._reading[key] = Cancellation()
        self._start(lambda: self._read(key, log))

    def _read(self, key: _Key, log: ContainerLog) -> None:
        with self._cancellation.child() as over:
            with self._lock:
                self._reading[key] = over
            self.buffer.tell(Joined(log.pod, log.container))
            why = self._read_to_its_end(key, log, over)
        with self._lock:
            del self._reading[key]
        if why:
            self.buffer.tell(Left(log.pod, log.container, why))
        self._finish_if_over()

    def _read_to_its_end(self, key: _Key, log: ContainerLog, over: Cancellation) -> str:
        """Why nothing more is read; "" when nobody wants it any more."""
        pause, failed = FIRST_PAUSE_SECONDS, ""
        while True:
            restarts = self._restarts(key)
            try:
                for line in log.lines(over, follow=True):
                    if failed:
                        self.buffer.tell(Joined(log.pod, log.container))
                    failed, pause = "", FIRST_PAUSE_SECONDS
                    self.buffer.put(line)
            except Interrupted:
                return "" if self._cancellation.is_set else GONE
            except Refused as error:
                return reason(error)
            except (NotFound, NoData):
                pass  # whether the pod is gone, or its container not begun, the watch tells
            except MaestroError as error:
                if reason(error) != failed:
                    failed = reason(error)
                    self.buffer.tell(Left(log.pod, log.container, failed))
            end = self._end_of(key)
            if end == ENDED and self._restarts(key) != restarts:
                continue  # it ran once more than was read
            if end:
                return end
            for _ in self._until_it_may_print(key, over, restarts):
                over.wait(pause * (0.5 + random.random() / 2))
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _end_of(self, key: _Key) -> str:
        pod = self._pods.get(key[0])
        if pod is None:
            return GONE
        return ENDED if pod.phase in _FINISHED else ""

    def _until_it_may_print(self, key: _Key, over: Cancellation, restarts: int) -> Iterator[None]:
        """A turn for each pause: one, and more while its container has not run again nor the pod ended."""
        yield
        while not over.is_set and not self._end_of(key):
            if self._restarts(key) != restarts or self._runs(key):
                return
            yield

    def _restarts(self, key: _Key) -> int:
        return next((one.restarts for one in self._containers(key)), 0)

    def _runs(self, key: _Key) -> bool:
        return any(one.state == "running" for one in self._containers(key))

    def _containers(self, key: _Key) -> list[Container]:
        pod = self._pods.get(key[0])
        return [one for one in pod.containers if one.name == key[1]] if pod is not None else []

    def _finish_if_over(self) -> None:
        """Pods that were named, and ended, print nothing more; a selector may pick new ones."""
        with self._lock:
            is_over = not self._reading and all(
                one.asked.pod and one.is_listed and all(self._end_of((uid, "")) for uid in one.uids)
                for one in self._sources
            )
        if is_over:
            self.buffer.finish()

"""Logs of many pods at once, as one.

Invariant: one connection a container, MAX_LOGS at most; a container that is not read is told with the
reason. Pods that come are read from their first line on, one that restarts goes on by itself.
"""

from __future__ import annotations

import heapq
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import wait
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import partial
from itertools import chain, islice

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import Clock, SystemClock
from maestro_cli.core.daemon_pool import DaemonPool
from maestro_cli.core.errors import Interrupted, MaestroError, NoData, UsageError
from maestro_cli.core.facts.logs import Left, LogLine, LogSeen, LogSource
from maestro_cli.sources.kube.api_server import ApiServer
from maestro_cli.sources.kube.container_log import ContainerLog, LogWanted
from maestro_cli.sources.kube.inventory import Inventory
from maestro_cli.sources.kube.log_following import (
    MAX_LOGS,
    Following,
    check_containers,
    no_zone,
    one_pod,
    readable,
    reason,
    wanted_containers,
)
from maestro_cli.sources.kube.watches import Watches

BATCH_LINES = 500
OPENING = 16  # logs at the same time


class Logs:
    """The logs of one cluster's pods."""

    def __init__(self, api: ApiServer, inventory: Inventory, watches: Watches, clock: Clock | None = None):
        self._api, self._inventory, self._watches = api, inventory, watches
        self._clock = clock or SystemClock()

    def read(
        self, sources: Sequence[LogSource], wanted: LogWanted, cancellation: Cancellation
    ) -> Iterator[tuple[LogSeen, ...]]:
        """What there is now, of all containers by the instants of the lines, in batches.

        Raises UsageError for more than MAX_LOGS containers, NotFound for a container that no pod has, NoData
        where there is no pod, and what listing the pods raises. Ends when cancelled.
        """
        gaps: list[LogSeen] = []
        chosen = self._chosen(sources, wanted, gaps)
        if len(chosen) > MAX_LOGS:
            raise UsageError(
                f"{len(chosen)} containers are too many to read at once", why=f"at most {MAX_LOGS}",
                fix="name fewer pods, or a container with -c",
            )  # fmt: skip
        with ExitStack() as stack, suppress(Interrupted):
            logs = [
                _ending(ContainerLog(self._api, *where, wanted, self._clock.now), cancellation, gaps)
                for where in sorted(chosen)
            ]
            for lines in logs:
                stack.callback(lines.close)
            read = _begun(logs)
            batch: list[LogSeen] = []
            for line in heapq.merge(*read, key=_instant):
                batch.append(line)
                if len(batch) >= BATCH_LINES:
                    yield (*_emptied(gaps), *_emptied(batch))
            yield (*_emptied(gaps), *batch)

    def _chosen(
        self, sources: Sequence[LogSource], wanted: LogWanted, gaps: list[LogSeen]
    ) -> set[tuple[str, str, str]]:
        """Namespace, pod and container of each log; what has not started is a gap."""
        pods = [
            pod
            for one in sources
            for pod in self._inventory.pods(
                one.namespace, no_zone, selector=one.selector, fields=one_pod(one)
            )
        ]
        if not pods:
            raise NoData("there is no pod to read the log of")
        check_containers(pods, wanted)
        chosen = {(pod.namespace, pod.name, name) for pod in pods for name in readable(pod, wanted)}
        gaps += [
            Left(pod.name, one.name, f"it has not started: {one.reason or pod.status}")
            for pod in pods
            for one in wanted_containers(pod, wanted)
            if (pod.namespace, pod.name, one.name) not in chosen
        ]
        return chosen

    def follow(
        self, sources: Sequence[LogSource], wanted: LogWanted, cancellation: Cancellation
    ) -> Iterator[tuple[LogSeen, ...]]:
        """What there is and what comes, in batches, until cancelled or until none of the pods can print more.

        `Lost` and `Restored` tell of the list of pods; what is read goes on as far as it can. Raises
        UsageError for a selector that the cluster does not understand.
        """
        with cancellation.child() as over:
            following = Following(self._api, self._watches, wanted, over, self._clock)
            try:
                for one in sources:
                    following.watch(one)
                yield from following.buffer.batches(over)
                following.raise_if_failed()
            finally:
                over.cancel()


def _ending(
    log: ContainerLog, cancellation: Cancellation, gaps: list[LogSeen]
) -> Generator[LogLine, None, None]:
    """Its lines; an error ends it, and is kept as a gap. Raises Interrupted."""
    try:
        yield from log.lines(cancellation, follow=False)
    except Interrupted:
        raise
    except MaestroError as error:
        gaps.append(Left(log.pod, log.container, reason(error)))


def _begun(logs: Sequence[Iterator[LogLine]]) -> list[Iterator[LogLine]]:
    """The same, each with its first line read: opened at once, not in turn."""
    with DaemonPool(OPENING, "open-log") as pool:
        firsts = [pool.submit(partial(list[LogLine], islice(lines, 1))) for lines in logs]
        wait(firsts)  # all of them: one that is still at work cannot be closed
        return [chain(first.result(), rest) for first, rest in zip(firsts, logs, strict=True)]


def _emptied(held: list[LogSeen]) -> list[LogSeen]:
    taken = list(held)
    held.clear()
    return taken


def _instant(line: LogLine) -> datetime:
    return line.at

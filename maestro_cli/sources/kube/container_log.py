"""The log of one container, and where it was read up to.

Invariant: a line is given once, also when the reading breaks off and goes on; a line longer than
MAX_LINE_BYTES is cut and says so, and no more of it than that is ever kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.logs import LogLine
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.kube.api_server import ApiServer, waiting_container
from maestro_cli.sources.kube.paths import scoped, segment
from maestro_cli.sources.opened import Opened

MAX_LINE_BYTES = 16 * 1024
SILENCE_SECONDS = 24 * 3600.0  # a container may say nothing for long; the kernel notices a node that is gone
READ_SECONDS = 30.0  # without following, between two pieces


@dataclass(frozen=True, slots=True)
class LogWanted:
    """Which lines. `keep` is asked with the text of a line before anything holds it."""

    since_seconds: int | None = None
    tail_lines: int | None = None
    previous: bool = False
    containers: tuple[str, ...] = ()  # all of a pod when empty
    keep: Callable[[str], bool] | None = None


class ContainerLog:
    """One container's log."""

    def __init__(
        self, api: ApiServer, namespace: str, pod: str, container: str, wanted: LogWanted,
        now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self.pod, self.container = pod, container
        self._api, self._wanted, self._now = api, wanted, now
        self._path = f"{scoped('/api/v1', namespace, 'pods')}/{segment(pod)}/log"
        self._stamp, self._of_stamp = "", 0  # the last stamp, and how many lines had it

    def lines(self, cancellation: Cancellation, *, follow: bool) -> Iterator[LogLine]:
        """The lines that are kept, from where the last call ended.

        Raises NoData when there is no log yet, NotFound for a pod that is gone, Refused, Unreachable, and
        Interrupted at once when cancelled.
        """
        silence = SILENCE_SECONDS if follow else READ_SECONDS
        again, at_stamp = (self._stamp, self._of_stamp), 0
        keep, opened = self._wanted.keep, self._open(cancellation, silence, follow=follow)
        with opened:
            for raw, is_cut in split_lines(opened.chunks()):
                stamp, _, rest = raw.partition(b" ")
                at, text = self._instant(stamp), Untrusted(rest.decode("utf-8", "replace"))
                if at is None:  # said by the kubelet, not by the container
                    at, text = self._now(), Untrusted(raw.decode("utf-8", "replace"))
                else:
                    known = stamp.decode("ascii")
                    at_stamp = at_stamp + 1 if known == again[0] else 0
                    if (known, at_stamp or 1) <= again:
                        continue  # `sinceTime` is of whole seconds
                    self._of_stamp = self._of_stamp + 1 if known == self._stamp else 1
                    self._stamp = known
                if keep is None or keep(text):
                    yield LogLine(self.pod, self.container, at, text, is_cut)

    def _open(self, cancellation: Cancellation, silence: float, *, follow: bool) -> Opened:
        wanted = self._wanted
        given: dict[str, str | int | None] = {
            "container": self.container,
            "timestamps": "true",
            "follow": "true" if follow else None,
            "previous": "true" if wanted.previous else None,
        }
        if self._stamp:
            given["sinceTime"] = self._stamp
        else:
            given |= {"sinceSeconds": wanted.since_seconds, "tailLines": wanted.tail_lines}
        params = {key: value for key, value in given.items() if value is not None}
        try:
            return self._api.open(
                self._path, params, cancellation, silence_seconds=silence, begin_seconds=silence, accept="*/*"
            )
        except UsageError as error:
            raise waiting_container(error) from error

    @staticmethod
    def _instant(stamp: bytes) -> datetime | None:
        try:
            return from_rfc3339(stamp.decode("ascii"))
        except ValueError:
            return None


def split_lines(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Lines without their ends, each with whether it was cut; the last one need not be finished."""
    rest, is_skipping = b"", False
    for chunk in chunks:
        first, newline, after = chunk.partition(b"\n")
        if not is_skipping:
            rest += first
        if not newline:
            if len(rest) > MAX_LINE_BYTES:
                rest, is_skipping = rest[: MAX_LINE_BYTES + 1], True
            continue
        yield _cut(rest)
        *whole, rest = after.split(b"\n")
        yield from map(_cut, whole)
        is_skipping = len(rest) > MAX_LINE_BYTES
        rest = rest[: MAX_LINE_BYTES + 1]
    if rest:
        yield _cut(rest)


def _cut(line: bytes) -> tuple[bytes, bool]:
    return line[:MAX_LINE_BYTES].removesuffix(b"\r"), len(line) > MAX_LINE_BYTES

"""Lines of a log: how they are parted and cut, given once, and kept for who takes them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import NoData
from maestro_cli.core.facts.logs import Dropped, Joined, Left, LogLine, LogSeen, LogSource
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.sources.kube.container_log import MAX_LINE_BYTES, ContainerLog, LogWanted, split_lines
from maestro_cli.sources.kube.log_buffer import LogBuffer
from tests.patience import PATIENCE_SECONDS
from tests.unit.sources.kube_answers import cluster, status

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("size", [1, 7, 10_000, 100_000])
def test_lines_are_the_same_however_they_come_and_a_giant_is_cut_and_says_so(size: int) -> None:
    whole = b"a\n\n" + b"x" * 40_000 + b"\nb\r\n" + b"y" * MAX_LINE_BYTES + b"\nend"
    chunks = [whole[start : start + size] for start in range(0, len(whole), size)]
    assert list(split_lines(chunks)) == [
        (b"a", False), (b"", False), (b"x" * MAX_LINE_BYTES, True), (b"b", False),
        (b"y" * MAX_LINE_BYTES, False), (b"end", False),
    ]  # fmt: skip


def test_a_line_without_end_is_not_kept() -> None:
    """A gigabyte without a newline takes no more room than one line."""

    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * 65_536
        yield b"\nnext\n"

    lines = split_lines(endless())
    assert [(len(line), cut) for line, cut in lines] == [(MAX_LINE_BYTES, True), (4, False)]


def reading(*answers: bytes, wanted: LogWanted | None = None) -> tuple[ContainerLog, list[httpx.Request]]:
    queue, seen = list(answers), list[httpx.Request]()

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=iter([queue.pop(0)]))

    return ContainerLog(cluster(handle)._api, "ml", "p", "c", wanted or LogWanted(), lambda: AT), seen


def texts(log: ContainerLog) -> list[str]:
    return [line.text for line in log.lines(Cancellation(), follow=True)]


def test_what_was_read_before_a_break_is_not_read_again() -> None:
    """`sinceTime` is of whole seconds, and several lines may have one instant."""
    stamp, later = b"2026-01-01T00:00:01.500000000Z", b"2026-01-01T00:00:01.600000000Z"
    first = b"2026-01-01T00:00:01.100000000Z a\n" + stamp + b" b\n" + stamp + b" c\n"
    log, seen = reading(
        first, first + stamp + b" d\n" + later + b" e\n", later + b" e\n", wanted=LogWanted(tail_lines=9)
    )
    assert texts(log) == ["a", "b", "c"]
    assert texts(log) == ["d", "e"]
    assert texts(log) == []
    assert [one.url.params.get("sinceTime") for one in seen] == [None, stamp.decode(), later.decode()]
    assert [one.url.params.get("tailLines") for one in seen] == ["9", None, None]


def test_lines_have_aware_instants_and_untrusted_text_and_what_has_no_stamp_is_of_now() -> None:
    log, _ = reading(b"2026-01-01T00:00:01.123456789+01:00 \x1b[31mred \xff\nrpc error: no such container\n")
    red, said = log.lines(Cancellation(), follow=False)
    assert red.at == datetime(2025, 12, 31, 23, 0, 1, 123456, tzinfo=UTC)
    assert (red.text, type(red.text)) == ("\x1b[31mred \ufffd", Untrusted)
    assert (said.at, said.text) == (AT, "rpc error: no such container")


def test_a_filter_is_asked_before_a_line_is_given() -> None:
    log, _ = reading(
        b"2026-01-01T00:00:01Z yes\n2026-01-01T00:00:01Z no\n", wanted=LogWanted(keep="yes".__eq__)
    )
    assert texts(log) == ["yes"]


def test_a_container_that_waits_to_start_has_no_log_yet() -> None:
    refused = status(400, "BadRequest", "container c in pod p is waiting to start: ContainerCreating")
    kube = cluster(lambda _: httpx.Response(400, content=iter([refused.content])))
    with pytest.raises(NoData):
        list(
            ContainerLog(kube._api, "ml", "p", "c", LogWanted(), lambda: AT).lines(
                Cancellation(), follow=False
            )
        )


def line(number: int, pod: str = "p") -> LogLine:
    return LogLine(pod, "c", AT + timedelta(seconds=number), Untrusted(str(number)))


def taken(buffer: LogBuffer) -> list[LogSeen]:
    """All that is in it, once nothing more comes."""
    buffer.finish()
    return [one for batch in buffer.batches(Cancellation()) for one in batch]


def test_lines_come_in_the_order_of_their_instants_between_notices() -> None:
    buffer = LogBuffer(SystemClock())
    for number in (3, 1, 2):
        buffer.put(line(number))
    buffer.tell(Left("p", "c", "gone"))
    buffer.put(line(0))
    assert taken(buffer) == [line(1), line(2), line(3), Left("p", "c", "gone"), line(0)]


def test_what_nobody_takes_is_dropped_oldest_first_counted_and_told() -> None:
    buffer = LogBuffer(SystemClock(), max_lines=4, room_seconds=0.0)
    before = SystemClock().now()
    buffer.tell(Joined("p", "c"))
    for number in range(100):
        buffer.put(line(number))
    dropped, joined, *lines = taken(buffer)
    assert isinstance(dropped, Dropped)
    assert joined == Joined("p", "c"), "what is no line is not dropped"
    assert dropped.count + len(lines) == 100
    assert 1 <= len(lines) <= 4
    assert lines == [line(number) for number in range(100 - len(lines), 100)]
    assert before <= dropped.since <= SystemClock().now()


def test_a_reader_waits_for_room_while_somebody_takes() -> None:
    buffer, count = LogBuffer(SystemClock(), max_lines=10, room_seconds=PATIENCE_SECONDS), 200

    def put() -> None:
        for number in range(count):
            buffer.put(line(number))
        buffer.finish()

    thread = threading.Thread(target=put, daemon=True)
    thread.start()
    seen = [one for batch in buffer.batches(Cancellation()) for one in batch]
    thread.join(PATIENCE_SECONDS)
    assert seen == [line(number) for number in range(count)]


def test_who_waits_for_lines_ends_when_it_is_cancelled() -> None:
    buffer, cancellation = LogBuffer(SystemClock()), Cancellation()
    thread = threading.Thread(target=lambda: list(buffer.batches(cancellation)), daemon=True)
    thread.start()
    cancellation.cancel()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def test_reading_ends_when_it_is_cancelled_while_logs_are_opened() -> None:
    over, opened = Cancellation(), list[str]()

    def handle(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/log"):
            container = {"name": "c", "image": "i"}
            state = {"name": "c", "state": {"running": {}}}
            items = [
                {
                    "metadata": {"name": f"p{number}", "namespace": "ml", "uid": f"u{number}"},
                    "spec": {"containers": [container]},
                    "status": {"phase": "Running", "containerStatuses": [state]},
                }
                for number in range(20)
            ]
            return httpx.Response(200, json={"metadata": {}, "items": items})
        opened.append(request.url.path)
        if len(opened) == 3:
            over.cancel()
        return httpx.Response(200, content=iter([b"2026-01-01T00:00:01Z a\n2026-01-01T00:00:02Z b\n"]))

    assert list(cluster(handle).logs.read([LogSource("ml", selector="a=b")], LogWanted(), over)) == []
    assert len(opened) >= 3
    whole = [
        line
        for batch in cluster(handle).logs.read([LogSource("ml")], LogWanted(), Cancellation())
        for line in batch
        if isinstance(line, LogLine)
    ]
    assert [line.text for line in whole] == ["a"] * 20 + ["b"] * 20

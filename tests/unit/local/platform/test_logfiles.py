"""Reading and following logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.local.logfiles import follow_lines, last_lines


@pytest.mark.parametrize(
    ("content", "count", "expected"),
    [
        (b"", 5, []),
        (b"one", 5, ["one"]),
        (b"one\ntwo\n", 1, ["two"]),
        (b"one\ntwo\nthree", 2, ["two", "three"]),
        (b"one\n\n\n", 2, ["", ""]),
        (b"one\r\ntwo\n", 2, ["one", "two"]),
        (b"\xff\n", 1, ["\ufffd"]),
        (b"one\ntwo\n", 0, []),
    ],
)
def test_the_last_lines(tmp_path: Path, content: bytes, count: int, expected: list[str]) -> None:
    log = tmp_path / "part.log"
    log.write_bytes(content)
    assert last_lines(log, count) == expected


def test_more_than_one_block_is_read_when_lines_are_long(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    lines = [str(number) * 30_000 for number in range(10)]
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert last_lines(log, 9) == lines[1:]


def test_no_file_has_no_lines(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "none.log", 3) == []


class _Wait(Cancellation):
    """Writes something each time it is waited on, then cancels."""

    def __init__(self, log: Path, writes: list[tuple[str, str]]) -> None:
        super().__init__()
        self._log = log
        self._writes = writes

    def wait(self, seconds: float) -> bool:
        if not self._writes:
            return True
        mode, text = self._writes.pop(0)
        with self._log.open(mode, encoding="utf-8") as stream:
            stream.write(text)
        return False


def test_lines_written_in_pieces_come_whole(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_text("a first line that is long\n", encoding="utf-8")
    wait = _Wait(log, [("a", "ha"), ("a", "lf\nnext\nun"), ("w", "cut\n")])
    assert list(follow_lines(log, 0, wait)) == ["half", "next", "cut"]


def test_a_log_that_is_renamed_is_followed_into_the_new_file(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text("old\n", encoding="utf-8")

    class Rotation(Cancellation):
        steps = iter(("more\n", "", "new\n", "newer\n"))

        def wait(self, seconds: float) -> bool:
            text = next(self.steps, None)
            if text == "":
                with log.open("a", encoding="utf-8") as stream:
                    stream.write("last\n")
                log.rename(tmp_path / "audit-1.log")
            elif text is not None:
                with log.open("a", encoding="utf-8") as stream:
                    stream.write(text)
            return text is None

    assert list(follow_lines(log, 1, Rotation())) == ["old", "more", "last", "new", "newer"]

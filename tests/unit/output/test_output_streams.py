"""Errors are three lines, progress never changes the work, and a terminal gets what it can show."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import pytest

from maestro_cli.core.errors import ExitCode, Interrupted, InvalidFile, NotFound
from maestro_cli.output import tables
from maestro_cli.output.diagnostics import note, report, warn
from maestro_cli.output.formats import Format
from maestro_cli.output.progress import TerminalProgress
from maestro_cli.output.terminal import PIPED_WIDTH, terminal_of
from maestro_cli.output.views import Column, Fields, Heading, Lines, Listing, Report
from maestro_cli.output.writer import OutputOptions, emit


class StandingClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Screen(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


class Gone(io.StringIO):
    """A fake of a stream that nobody reads any more."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    def flush(self) -> None:
        raise BrokenPipeError(32, "Broken pipe")


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


# Errors


def test_an_error_is_what_why_and_fix(capsys: pytest.CaptureFixture[str]) -> None:
    code = report(InvalidFile("is wrong", file="a.yaml", line=3, key="b", why="because", fix="do this"))
    assert code is ExitCode.INVALID_FILE
    assert capsys.readouterr() == (
        "", "maestro: error: a.yaml:3: b: is wrong\n  why: because\n  fix: do this\n"
    )  # fmt: skip


def test_what_is_not_known_is_no_empty_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(NotFound("gone: ")) is ExitCode.NOT_FOUND
    assert report(Interrupted(terminated=True)) is ExitCode.SIGTERM
    assert capsys.readouterr().err == "maestro: error: gone: \nmaestro: error: interrupted\n"


def test_any_other_error_is_called_a_defect_without_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert report(KeyError("x")) is ExitCode.INTERNAL
    shown = capsys.readouterr().err
    assert shown.startswith("maestro: internal error: KeyError: 'x'\n")
    assert shown.count("\n") == 3
    assert "Traceback" not in shown


def test_debugging_adds_the_traceback_made_visible(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAESTRO_DEBUG", "1")
    try:
        raise ValueError("\x1b[31m")
    except ValueError as error:
        report(error)
    shown = capsys.readouterr().err
    assert "Traceback (most recent call last)" in shown
    assert "\x1b" not in shown


def test_a_file_that_the_system_refuses_is_no_defect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="Not a directory") as caught:
        (tmp_path / "file" / "below").read_text()
    assert report(caught.value) is ExitCode.ACTION_FAILED
    what, why, fix = capsys.readouterr().err.splitlines()
    assert what == f"maestro: error: {tmp_path}/file/below cannot be used"
    assert why == f"  why: {tmp_path}/file is not a folder"
    assert fix.startswith("  fix: check that it is there")


def test_an_error_is_one_line_each_and_not_endless(capsys: pytest.CaptureFixture[str]) -> None:
    report(NotFound("a\nb\x1b[2J", why="x" * 100_000))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "maestro: error: a␊b␛[2J"
    assert len(lines) == 2
    assert len(lines[1]) < 5000


def test_remarks_and_warnings_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    warn("careful\x07")
    note("by the way")
    assert capsys.readouterr() == ("", "maestro: warning: careful␇\nby the way\n")


def test_a_closed_stderr_is_borne(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Gone())
    monkeypatch.setattr(sys, "stdout", Gone())
    assert report(NotFound("x")) is ExitCode.NOT_FOUND
    note("x")


# Terminals


@pytest.mark.parametrize(
    ("environment", "is_plain", "interactive", "colour"),
    [
        ({}, False, True, True),
        ({"TERM": "xterm"}, False, True, True),
        ({}, True, False, False),
        ({"TERM": "dumb"}, False, False, False),
        ({"NO_COLOR": "1"}, False, True, False),
        ({"NO_COLOR": ""}, False, True, True),
        ({"CI": "true"}, False, False, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, True, False),
        ({"FORCE_COLOR": "1"}, True, False, False),
    ],
)
def test_a_terminal_gets_what_was_asked_for(
    environment: dict[str, str], is_plain: bool, interactive: bool, colour: bool
) -> None:
    found = terminal_of(Screen(), environment, is_plain=is_plain)
    assert (found.interactive, found.colour) == (interactive, colour)


def test_a_pipe_gets_neither_colour_nor_a_width() -> None:
    found = terminal_of(io.StringIO(), {}, is_plain=False)
    assert (found.interactive, found.colour, found.width) == (False, False, PIPED_WIDTH)
    assert terminal_of(io.StringIO(), {"FORCE_COLOR": "1"}, is_plain=False).colour


HOSTILE = "\x1b[31mred\x1b[0m [bold]b[/bold] :smile: \u202eevil"


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    for name, value in (("COLUMNS", "60"), ("TERM", "xterm-256color")):
        monkeypatch.setenv(name, value)
    for name in ("CI", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Screen()


def test_a_table_fits_the_terminal(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    columns = (Column[str]("name", str), Column[str]("again", str))
    emit(Listing("x/v1", columns, ["word " * 40, "b" * 200]), OutputOptions(), screen)
    shown = re.sub("\x1b\\[[0-9;]*m", "", screen.getvalue())
    assert max(map(len, shown.splitlines())) <= 60


def test_nothing_hostile_is_markup_or_control_on_a_terminal(screen: Screen) -> None:
    columns = (Column[str]("name", str, tone=lambda _: "bad"),)
    blocks = (Heading(HOSTILE), Fields([("a", HOSTILE)]), Lines(HOSTILE), Listing("x/v1", columns, [HOSTILE]))
    emit(Report("x/v1", {}, (*blocks, Listing("y/v1", columns, [], empty=HOSTILE))), OutputOptions(), screen)
    shown = screen.getvalue()
    assert "\x1b[31mred" not in shown
    assert "\u202e" not in shown
    assert shown.count("[bold]") == shown.count(":smile:") == 5


def test_a_terminal_without_colour_has_no_colour(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = (Column[str]("name", str, tone=lambda _: "bad"),)
    emit(Listing("x/v1", columns, ["a"]), OutputOptions(), screen)
    assert "\x1b[1;31m" in screen.getvalue()  # so that the next line can fail
    monkeypatch.setenv("NO_COLOR", "1")
    without = Screen()
    emit(Listing("x/v1", columns, ["a"]), OutputOptions(), without)
    assert "31m" not in without.getvalue()
    plain = Screen()
    emit(Listing("x/v1", columns, ["a"]), OutputOptions(is_plain=True), plain)
    assert plain.getvalue() == "NAME\na\n"


LONG: list[str] = [HOSTILE + "広" * 20, "short"] * 200
LONG_COLUMNS = (
    Column[str]("name", lambda text: text[-5:]),
    Column[str]("again", str, tone=lambda _: "bad"),
    Column[str]("last", lambda text: "x" * 30, right=True),
)


def test_a_long_table_has_a_line_a_row_and_fits(screen: Screen) -> None:
    emit(Listing("x/v1", LONG_COLUMNS, LONG), OutputOptions(), screen)
    lines = re.sub("\x1b\\[[0-9;]*m", "", screen.getvalue()).splitlines()
    assert len(lines) == len(LONG) + 1
    assert max(map(tables.text_width, lines)) <= 60
    assert {line.split()[0] for line in lines} == {"NAME", "広" * 5, "short"}  # what names a row is not cut
    assert "…" in lines[1]


def test_a_long_wide_table_is_not_cut(screen: Screen) -> None:
    emit(Listing("x/v1", LONG_COLUMNS, LONG), OutputOptions(Format("wide")), screen)
    assert "…" not in screen.getvalue()
    assert ":smile:" in screen.getvalue()


def test_a_wide_table_that_does_not_fit_keeps_its_cells_whole(screen: Screen) -> None:
    """Cut to the width, every cell of `-o wide` would be three letters and a dot."""
    columns = tuple(Column[str](f"c{n}", lambda text, n=n: f"{text}-{n}" * 3) for n in range(9))  # type: ignore[misc]
    emit(Listing("x/v1", columns, ["pod"]), OutputOptions(Format("wide")), screen)
    shown = re.sub("\x1b\\[[0-9;]*m", "", screen.getvalue())
    assert all(f"pod-{n}" * 3 in shown for n in range(9))
    assert len(shown.splitlines()) == 2
    narrow = Screen()
    emit(Listing("x/v1", columns[:1], ["pod"]), OutputOptions(Format("wide")), narrow)
    assert "pod-0pod-0pod-0" in narrow.getvalue()


def test_nothing_hostile_is_control_in_a_long_table(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    emit(Listing("x/v1", LONG_COLUMNS, LONG), OutputOptions(Format("wide")), screen)
    assert "\x1b[31mred" not in screen.getvalue()
    assert "\u202e" not in screen.getvalue()
    assert "\x1b[1;31m" in screen.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    without = Screen()
    emit(Listing("x/v1", LONG_COLUMNS, LONG), OutputOptions(), without)
    assert "\x1b" not in without.getvalue()


# Progress


def test_elsewhere_a_phase_is_a_line_when_it_ends(
    clock: StandingClock, capsys: pytest.CaptureFixture[str]
) -> None:
    with TerminalProgress(clock) as progress:
        progress.phase("start", "starting")
        progress.update("half way")
        clock.sleep(2)
        progress.note("something \x1b[31m happened")
        progress.update("all the way")
        assert capsys.readouterr().err == "    something ␛[31m happened\n"
        progress.phase("end", "ending")
        assert capsys.readouterr().err == "✓ start        all the way  (2.0s)\n"
        clock.sleep(65)
    assert capsys.readouterr() == ("", "✓ end          ending  (1m05s)\n")


def test_a_phase_that_failed_is_marked(clock: StandingClock, capsys: pytest.CaptureFixture[str]) -> None:
    with suppress(NotFound), TerminalProgress(clock) as progress:
        progress.phase("start", "starting")
        raise NotFound("x")
    assert capsys.readouterr().err == "✗ start        starting  (0.0s)\n"


def test_a_long_phase_tells_where_it_is_each_half_minute_where_nothing_redraws(
    clock: StandingClock, capsys: pytest.CaptureFixture[str]
) -> None:
    with TerminalProgress(clock) as progress:
        clock.sleep(100)
        progress.phase("compile", "packages")
        for count in range(70):
            progress.update(f"{count} \x1b of 70")
            clock.sleep(1)
        assert capsys.readouterr().err.splitlines() == [
            "… compile      30 ␛ of 70  (30s)",
            "… compile      60 ␛ of 70  (1m00s)",
        ]


def test_progress_that_nobody_reads_changes_nothing(
    clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Gone())
    with TerminalProgress(clock) as progress:
        progress.phase("a", "b")
        progress.note("c")
        progress.phase("d", "e")
    lines = [line for line, _ in progress.lines]
    assert lines == ["    c", "✓ a            b  (0.0s)", "✓ d            e  (0.0s)"]


@pytest.fixture
def terminal(screen: Screen) -> Iterator[tuple[int, TextIO]]:
    """A real terminal: the side that controls it, and the one to write to."""
    control, user = pty.openpty()
    with open(user, "w", encoding="utf-8") as stream:
        yield control, stream
    os.close(control)


def read_until(control: int, wanted: str) -> str:
    shown = b""
    while wanted not in shown.decode("utf-8", "replace"):
        assert select.select([control], [], [], 10)[0], f"{wanted!r} never came, only {shown!r}"
        shown += os.read(control, 65536)
    return shown.decode("utf-8", "replace")


def test_a_terminal_is_redrawn(
    clock: StandingClock, terminal: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    control, stream = terminal
    monkeypatch.setattr(sys, "stderr", stream)
    with TerminalProgress(clock) as progress:
        progress.phase("start", "starting \x1b[2J")
        shown = read_until(control, "starting ␛[2J")
        progress.update("half way \x1b[2J")
        shown += read_until(control, "half way")
    shown += read_until(control, "\x1b[?25h")  # the cursor is given back
    assert "✓" in shown
    assert "\x1b[2J" not in shown


def test_a_plain_terminal_is_not_redrawn(
    clock: StandingClock, terminal: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    control, stream = terminal
    monkeypatch.setattr(sys, "stderr", stream)
    with TerminalProgress(clock, is_plain=True) as progress:
        progress.phase("start", "starting")
    assert read_until(control, "\n") == "✓ start        starting  (0.0s)\r\n"

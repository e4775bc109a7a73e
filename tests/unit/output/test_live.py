"""What is followed: redrawn on a terminal, a line a change elsewhere, never the same twice."""

from __future__ import annotations

import io
import json
import re

import pytest

from maestro_cli.core.errors import UsageError
from maestro_cli.output.formats import parse_format
from maestro_cli.output.live import Frame, follow
from maestro_cli.output.views import Column, Fields, Listing, Report
from maestro_cli.output.writer import OutputOptions


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def frame(ready: int, name: str = "web") -> Frame:
    columns: tuple[Column[str], ...] = (Column("pod", lambda item: item),)
    tree = Listing("tree/v1", columns, [name])
    view = Report("rollout/v1", {"ready": ready, "name": name}, (Fields([("ready", ready)]), tree))
    return Frame(view, f"{name} {ready} of 3")


FRAMES = [frame(1), frame(1), frame(2), frame(1)]


def shown(form: str, out: io.StringIO, frames: list[Frame], *, is_plain: bool = False) -> str:
    follow(frames, OutputOptions(parse_format(form), is_plain=is_plain), out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("CI", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def test_a_pipe_gets_a_line_a_change() -> None:
    assert shown("table", io.StringIO(), FRAMES) == "web 1 of 3\nweb 2 of 3\nweb 1 of 3\n"


def test_json_is_one_document_a_line() -> None:
    lines = shown("json", io.StringIO(), FRAMES).splitlines()
    assert [json.loads(line)["ready"] for line in lines] == [1, 2, 1]
    assert json.loads(lines[0])["schema"] == "maestro.dev/rollout/v1"


def test_jsonpath_is_written_at_each_change() -> None:
    assert shown("jsonpath={.ready}", io.StringIO(), FRAMES) == "1\n2\n1\n"


def last_screen(text: str) -> list[str]:
    """What stands there after the last time that it went up to draw over what was there."""
    last = re.split(r"(?:\x1b\[1A\x1b\[2K)+", text)[-1]
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", last).split("\n")


def test_a_terminal_is_redrawn_in_place() -> None:
    text = shown("table", Screen(), [frame(1), frame(2)])
    assert text.count("\x1b[1A") >= 2  # it goes back up over both lines of what is there
    assert [line.split() for line in last_screen(text) if line.strip()] == [["ready", "2"], ["POD"], ["web"]]


def test_what_is_higher_than_the_screen_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINES", "5")
    monkeypatch.setenv("COLUMNS", "60")
    columns: tuple[Column[str], ...] = (Column("pod", lambda item: item),)
    tree = Listing("tree/v1", columns, [f"web-{number}" for number in range(9)])
    text = shown("table", Screen(), [Frame(tree, "")])
    assert [line.strip() for line in last_screen(text) if line.strip()] == [
        "POD", "web-0", "web-1", "… 7 more lines",
    ]  # fmt: skip


@pytest.mark.parametrize("variable", ["CI", "TERM"])
def test_a_terminal_that_cannot_redraw_gets_lines(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, {"CI": "1", "TERM": "dumb"}[variable])
    assert shown("table", Screen(), FRAMES) == "web 1 of 3\nweb 2 of 3\nweb 1 of 3\n"


def test_plain_gets_lines_on_a_terminal_too() -> None:
    assert "\x1b" not in shown("table", Screen(), FRAMES, is_plain=True)


@pytest.mark.parametrize("form", ["table", "json", "wide"])
@pytest.mark.parametrize("kind", [Screen, io.StringIO])
def test_hostile_text_becomes_visible(form: str, kind: type[io.StringIO]) -> None:
    text = shown(form, kind(), [frame(1, "\x1b]0;owned\x07web\u202e")])
    assert "\x1b]0" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("form", ["csv", "md", "yaml"])
def test_a_format_without_an_order_of_changes_is_refused(form: str) -> None:
    with pytest.raises(UsageError, match=f"no {form} form"):
        shown(form, io.StringIO(), FRAMES)

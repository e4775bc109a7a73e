"""A table on a terminal: a line a row, names whole, the least important cut, then left out and told."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pytest

from maestro_cli.output.fitting import Fit, Measured, fit
from maestro_cli.output.formats import parse_format
from maestro_cli.output.live import Frame, follow
from maestro_cli.output.tables import folded, screen_table, text_width
from maestro_cli.output.views import Column, Heading, Listing, Report
from maestro_cli.output.writer import OutputOptions, emit

TITLE = "the checkout is slow for everybody who pays by card since the release of this morning"
NAME = "payments-gateway-7c9d8f6b5d-x2x4z"
AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
COLUMNS: tuple[Column[str], ...] = (
    Column("name", lambda _: NAME),
    Column("title", lambda title: title, priority=1),
    Column("replicas", lambda _: "1234567", right=True, priority=3),
    Column("owner", lambda _: None),
    Column("where", lambda _: "ml/deploy/payments-gateway"),
)


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("CI", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def shown(
    columns: tuple[Column[str], ...], rows: list[str], form: str = "table", *, is_plain: bool = False
) -> list[str]:
    screen = Screen()
    emit(Listing("x/v1", columns, rows), OutputOptions(parse_format(form), is_plain=is_plain), screen)
    return re.sub("\x1b\\[[0-9;]*m", "", screen.getvalue()).splitlines()


def test_a_long_title_is_cut_and_not_a_ladder_of_words() -> None:
    lines = shown(COLUMNS, [TITLE, "short"])
    assert len(lines) == 3
    assert max(map(text_width, lines)) <= 80
    assert lines[1].startswith(f"{NAME}  the checkout is slow")
    assert "…" in lines[1]


def test_what_is_least_important_is_left_out_first_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = shown(COLUMNS, [TITLE])
    assert lines[0].split() == ["NAME", "TITLE"]
    assert capsys.readouterr().err == "not shown in 60 columns: replicas, owner, where; -o wide shows all\n"


def test_an_empty_column_gives_way_before_anything_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    columns = (COLUMNS[0], Column[str]("owner", lambda _: None), Column[str]("title", lambda title: title))
    assert shown(columns, ["x" * 40])[1] == f"{NAME}  {'x' * 40}"
    assert capsys.readouterr().err == "not shown in 80 columns: owner; -o wide shows all\n"
    assert shown(columns, ["x" * 38])[0].split() == ["NAME", "OWNER", "TITLE"]


@pytest.mark.parametrize(("form", "is_plain"), [("wide", False), ("table", True), ("wide", True)])
def test_wide_and_plain_are_not_cut(form: str, is_plain: bool, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = shown(COLUMNS, [TITLE], form, is_plain=is_plain)[1:]
    assert TITLE in line
    assert line.endswith("ml/deploy/payments-gateway")
    assert capsys.readouterr().err == ""


def test_a_pipe_is_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    pipe = io.StringIO()
    emit(Listing("x/v1", COLUMNS, [TITLE]), OutputOptions(), pipe)
    assert TITLE in pipe.getvalue()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("cell", [AT, "12345678901234567890"], ids=["instant", "figure"])
def test_half_a_figure_or_an_instant_is_never_shown(cell: object, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = (COLUMNS[0], Column[str]("value", lambda _: cell, right=isinstance(cell, str)))
    for width in range(36, 60):
        monkeypatch.setenv("COLUMNS", str(width))
        assert "…" not in "".join(shown(columns, ["a"]))


def test_prose_goes_on_in_the_lines_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    columns = (Column[str]("no", lambda _: "1"), Column[str]("what", lambda text: text, folds=True))
    lines = shown(columns, [TITLE])
    assert " ".join(line[4:] for line in lines[1:]) == TITLE
    assert [line[:4] for line in lines[1:]] == ["1   ", "    "]
    assert max(map(len, lines)) <= 50


def test_a_name_is_cut_only_where_it_alone_is_wider_than_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", str(len(NAME)))
    assert shown(COLUMNS, [TITLE]) == ["NAME", NAME]
    monkeypatch.setenv("COLUMNS", "20")
    assert shown(COLUMNS, [TITLE])[1] == f"{NAME[:19]}…"


def test_a_report_names_what_its_tables_left_out_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    table = Listing("x/v1", COLUMNS, [TITLE])
    screen = Screen()
    emit(Report("x/v1", {}, (Heading("Two"), table, table)), OutputOptions(), screen)
    assert capsys.readouterr().err == "not shown in 60 columns: replicas, owner, where; -o wide shows all\n"
    assert max(map(text_width, re.sub("\x1b\\[[0-9;]*m", "", screen.getvalue()).splitlines())) <= 60


def test_what_is_followed_says_what_it_left_out_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    screen = Screen()
    follow([Frame(Listing("x/v1", COLUMNS, [TITLE]), "")], OutputOptions(), screen)
    text = re.sub("\x1b\\[[0-9;?]*[a-zA-Z]|\r", "", screen.getvalue())
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    assert lines[-1] == "not shown in 60 columns: replicas, owner, where"
    assert lines[-2].split()[0] == NAME


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 5, [""]),
        ("one two", 7, ["one two"]),
        ("one two", 6, ["one", "two"]),
        ("one twothree", 5, ["one", "twoth", "ree"]),
        ("tenletters", 5, ["tenle", "tters"]),
        ("広広広", 4, ["広広", "広"]),
        ("広", 1, ["広"]),
    ],
    ids=["empty", "fits", "two-words", "long-word", "twice-as-wide", "two-columns-a-letter", "no-room"],
)
def test_prose_is_folded_between_words_where_it_can_be(text: str, width: int, lines: list[str]) -> None:
    assert folded(text, width) == lines


def measured(width: int, priority: int, *, folds: bool = False) -> Measured:
    return Measured(width, 4, priority, is_whole=False, folds=folds, is_empty=False)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ((measured(10, 0), measured(20, 2), measured(30, 2)), Fit((0, 1, 2), (10, 20, 26), ())),
        ((measured(10, 0), measured(30, 3), measured(30, 2)), Fit((0, 2), (10, 30), (1,))),
        ((measured(10, 0), measured(20, 3), measured(30, 2)), Fit((0, 1, 2), (10, 20, 26), ())),
        ((measured(10, 0), measured(90, 1), measured(30, 2)), Fit((0, 1, 2), (10, 34, 12), ())),
        ((measured(30, 0), measured(90, 1), measured(30, 2)), Fit((0, 1), (30, 28), (2,))),
        ((measured(20, 0), measured(90, 1), measured(90, 2, folds=True)), Fit((0, 1), (20, 38), (2,))),
        ((measured(10, 0), measured(20, 1), measured(90, 2, folds=True)), Fit((0, 1, 2), (10, 20, 26), ())),
    ],
    ids=["right-first", "extra-first", "extra-kept", "cut-last", "left-out", "no-prose-of-a-word", "folded"],
)
def test_columns_give_way_by_priority(columns: tuple[Measured, ...], expected: Fit) -> None:
    assert fit(columns, 60) == expected


def test_of_a_line_over_time_the_newest_end_stays_where_it_is_cut() -> None:
    columns = (
        Column[str]("name", lambda one: one),
        Column[str]("line", lambda _: "▁" * 30 + "█", keeps_end=True),
    )
    (_, row) = screen_table(Listing("lines/v1", columns, ["a" * 20]), wide=False, room=40, colour=False).lines
    assert row.endswith("  …" + "▁" * 16 + "█")

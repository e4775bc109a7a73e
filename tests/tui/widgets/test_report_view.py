"""A report reads as the command prints it, and a manifest as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from maestro_cli.output.views import Column, Fields, Heading, Lines, Listing, Report
from maestro_cli.tui.text import Spans, plain_text, shown_line
from maestro_cli.tui.widgets.report_view import MOST_ROWS, ReportView, report_lines
from maestro_cli.tui.widgets.source_colours import source_lines
from maestro_cli.tui.widgets.yaml_view import KINDS, YamlView
from tests.tui.widgets.stage import painted, play

COLUMNS = (
    Column[str]("name", lambda text: text, tone=lambda text: "bad"),
    Column[str]("size", len, right=True),
    Column[str]("more", lambda text: "x", wide=True),
)
REPORT = Report(
    "x/v1",
    {},
    (
        Heading("What happened"),
        Fields([("verdict", "PASS"), ("so long a label", None)]),
        Lines("first\n\n\tthird\x1b[2J"),
        Listing("y/v1", COLUMNS, ["a", "bbbb"]),
        Listing("z/v1", COLUMNS, [], empty="no more"),
    ),
)


def texts(lines: list[Spans]) -> list[str]:
    return [plain_text(line).rstrip() for line in lines]


def tones(line: str, kind: str) -> list[tuple[str, str]]:
    return list(source_lines(line, kind)[0])


def test_every_kind_of_block_has_its_lines() -> None:
    assert texts(report_lines(REPORT)) == [
        "What happened", "",
        "verdict          PASS", "so long a label  -", "",
        "first", "", "    third␛[2J", "",
        "NAME  SIZE", "a        1", "bbbb     4", "",
        "no more",
    ]  # fmt: skip
    assert report_lines(REPORT)[10][0] == ("a   ", "bad")
    assert texts(report_lines(REPORT.blocks[3], wide=True))[0] == "NAME  SIZE  MORE"  # type: ignore[arg-type]


@pytest.mark.parametrize("room", [100, 140, 160, 200])
def test_prose_is_whole_however_wide_a_screen_is(room: int) -> None:
    words = [f"word{number}" for number in range(60)]
    columns = (Column[str]("time", lambda text: "12:00:00"), Column[str]("what", str, priority=1))
    lines = texts(report_lines(Listing("y/v1", columns, [" ".join(words)]), room=room))
    assert " ".join(lines).split()[-1] == words[-1]
    assert max(map(len, lines)) <= room


def test_a_table_too_long_for_a_text_says_how_many_rows_are_missing() -> None:
    listing = Listing("y/v1", COLUMNS, ["a"] * (MOST_ROWS + 1234))
    assert texts(report_lines(listing))[-1] == "… 1,234 rows not shown"


def test_a_report_shown_again_stays_where_one_reads_and_is_copied_as_seen() -> None:
    view = ReportView()
    long = Report("x/v1", {}, (Lines("\n".join(f"line {n}" for n in range(50))),))
    longer = Report("x/v1", {}, (*long.blocks, Heading("end")))

    async def scene(pilot: Pilot[None]) -> None:
        view.show(long)
        await pilot.pause()
        view.scroll_to(y=20, animate=False)
        view.show(long)
        view.show(longer)
        await pilot.pause()
        assert painted(view)[0] == "line 20"
        assert view.search("end") == 1
        assert painted(view)[0] == "1 match"
        await pilot.press("c")
        assert pilot.app.clipboard.endswith("line 49\n\nend")

    play(scene, view, size=(40, 8))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  name: web  # x", [("  ", ""), ("name", "key"), (":", "dim"), (" web ", ""), (" # x", "comment")]),
        ("- a: 'q # no'", [("- ", ""), ("a", "key"), (":", "dim"), (" 'q # no'", "string")]),
        ("on: true", [("on", "key"), (":", "dim"), (" true", "literal")]),
        ("cpu: 250m", [("cpu", "key"), (":", "dim"), (" 250m", "number")]),
        ('"a b":', [('"a b"', "key"), (":", "dim")]),
        ("- 5", [("- ", ""), ("5", "number")]),
        ("# only", [("# only", "comment")]),
        ("---", [("---", "dim")]),
        ("just text", [("just text", "")]),
        ("http://x", [("http://x", "")]),
    ],
)
def test_yaml_has_keys_values_and_comments(line: str, expected: list[tuple[str, str]]) -> None:
    assert tones(line, "yaml") == expected


def test_a_diff_keeps_its_signs_and_has_tones() -> None:
    lines = source_lines("--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same\n", "diff")
    assert [line[0][1] for line in lines] == ["dim", "dim", "key", "bad", "good", ""]
    assert texts(lines)[3:5] == ["-old", "+new"]


def test_markdown_is_shown_and_not_obeyed() -> None:
    lines = source_lines(
        "# Title\n- item [x](http://evil)\n```sh\n# not a title\n```\n> quote\ntext", "markdown"
    )
    assert [line[0][1] for line in lines] == ["title", "key", "dim", "string", "dim", "comment", ""]
    assert texts(lines)[1] == "- item [x](http://evil)"


@pytest.mark.parametrize("kind", [*KINDS, "no such kind"])
@given(text=st.text(st.sampled_from("ab:#-+ '\"\n@`>[]{}\x1b\u202e日\t.0")))
def test_colours_add_nothing_and_lose_nothing(kind: str, text: str) -> None:
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    assert [plain_text(line) for line in source_lines(text, kind)] == [shown_line(line) for line in lines]


def test_a_manifest_is_searched_and_wrapped() -> None:
    view = YamlView()

    async def scene(pilot: Pilot[None]) -> None:
        view.show("kind: Pod\nnote: " + "word " * 20)
        await pilot.pause()
        assert painted(view)[:2] == ["kind: Pod", "note: word word word word word word wo…"]
        await pilot.press("w")
        assert painted(view)[1:3] == [
            "note: word word word word word word",
            "word word word word word word word",
        ]
        view.search("pod")
        await pilot.press("n")
        assert painted(view)[0] == "match 1 of 1"

    play(scene, view, size=(40, 8))

"""Every view comes out in every format, with the same content, and data is exact."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.config.strict import parse_yaml
from maestro_cli.core.errors import ActionFailed, UsageError
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.output import writer
from maestro_cli.output.formats import KINDS, Format, parse_format
from maestro_cli.output.jsonpath import evaluate
from maestro_cli.output.tables import cell_text, data_text, text_width
from maestro_cli.output.views import Column, Fields, Heading, Lines, Listing, Picture, Report, View
from maestro_cli.output.writer import JSON_BATCH, OutputOptions, emit, emit_text, json_text


class Code(IntEnum):
    SEVEN = 7


@dataclass(frozen=True)
class Thing:
    name: str
    count: int
    ratio: float | None = None
    seen: datetime | None = None


AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
COLUMNS: tuple[Column[Thing], ...] = (
    Column("name", lambda thing: thing.name),
    Column("count", lambda thing: thing.count, right=True),
    Column("ratio", lambda thing: thing.ratio, tone=lambda _: "bad"),
    Column("seen", lambda thing: thing.seen, wide=True),
)
THINGS = (Thing("a", 1, 0.5, AT), Thing("bb", 20))


def listing(*things: Thing) -> Listing[Thing]:
    return Listing("things/v1", COLUMNS, things, empty="no things")


def report(*things: Thing) -> Report:
    blocks = (Heading("Things"), Fields([("total", 2), ("seen", None)]), Lines("one\ntwo"), listing(*things))
    return Report("report/v1", {"total": 2, "at": AT}, blocks)


def written(view: View, form: str, *, is_plain: bool = True) -> str:
    out = io.StringIO()
    emit(view, OutputOptions(parse_format(form), is_plain=is_plain), out)
    return out.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_each_word_is_a_format(kind: str) -> None:
    assert parse_format(kind) == Format(kind)


def test_a_template_follows_jsonpath() -> None:
    assert parse_format("jsonpath={.a=b}") == Format("jsonpath", "{.a=b}")


@pytest.mark.parametrize("text", ["", "xml", "JSON", "jsonpath", "table "])
def test_another_word_brings_the_choices(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_format(text)
    assert all(kind in caught.value.fix for kind in (*KINDS, "jsonpath="))


def test_a_table_is_aligned_and_wide_shows_more() -> None:
    assert written(listing(*THINGS), "table") == "NAME  COUNT  RATIO\na         1  0.5\nbb       20  -\n"
    assert written(listing(*THINGS), "wide").splitlines()[0] == "NAME  COUNT  RATIO  SEEN"


def test_a_cell_of_any_length_makes_its_own_row_long_and_no_other() -> None:
    head, first, second = written(listing(Thing("a" * 20_000, 1), Thing("b", 2)), "table").splitlines()
    assert first == f"{'a' * 20_000}      1  -"
    assert max(len(head), len(second)) < 250


def test_columns_count_what_a_terminal_shows() -> None:
    lines = written(listing(Thing("日本", 1), Thing("e\u0301", 2), Thing("abcd", 3)), "table").splitlines()
    assert {text_width(line.partition("  -")[0]) for line in lines[1:]} == {text_width("abcd      3")}


def test_json_names_its_schema_and_has_every_item() -> None:
    body = json.loads(written(listing(*THINGS), "json"))
    assert body["schema"] == "maestro.dev/things/v1"
    assert body["items"][0] == {
        "name": "a", "count": 1, "ratio": 0.5, "seen": "2026-01-02T03:04:05.000000Z"
    }  # fmt: skip
    assert json.loads(written(report(), "json")) == {
        "schema": "maestro.dev/report/v1",
        "total": 2,
        "at": "2026-01-02T03:04:05.000000Z",
    }


@pytest.mark.parametrize("view", [listing(*THINGS), listing(), report(*THINGS)])
def test_yaml_and_jsonpath_say_what_json_says(view: View) -> None:
    body = json.loads(written(view, "json"))
    assert parse_yaml(written(view, "yaml"), "out").data == body
    assert json.loads(written(view, "jsonpath={}")) == body


def test_csv_keeps_data_exact() -> None:
    rows = list(
        csv.reader(io.StringIO(written(listing(Thing("", -5, 1234567.25, AT), Thing("-5", 1)), "csv")))
    )
    assert rows == [
        ["name", "count", "ratio", "seen"],
        ["", "-5", "1234567.25", "2026-01-02T03:04:05.000000Z"],
        ["-5", "1", "", ""],
    ]


def test_csv_of_a_report_is_its_one_table() -> None:
    assert written(report(*THINGS), "csv") == written(listing(*THINGS), "csv")
    with pytest.raises(UsageError, match="no CSV form"):
        written(Report("r/v1", {}, (listing(), listing())), "csv")


def test_markdown_of_a_report_has_all_blocks() -> None:
    assert written(report(Thing("a|b", 1)), "md") == (
        "## Things\n\n- **total**: 2\n- **seen**: -\n\none\ntwo\n\n"
        "| name | count | ratio | seen |\n| --- | --- | --- | --- |\n| a\\|b | 1 | - | - |\n"
    )
    assert written(report(), "md").endswith("\n\nno things\n")


def test_a_plain_report_has_all_blocks() -> None:
    assert written(report(*THINGS), "table") == (
        "THINGS\n\ntotal  2\nseen   -\n\none\ntwo\n\nNAME  COUNT  RATIO\na         1  0.5\nbb       20  -\n"
    )
    assert written(report(), "table").endswith("\n\nno things\n")


def test_an_empty_list_is_empty_on_stdout_and_a_remark_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    emit(listing(), OutputOptions(is_plain=True))
    assert capsys.readouterr() == ("", "no things\n")


def test_a_number_that_json_cannot_say_is_null() -> None:
    view = listing(Thing("a", 1, math.nan), Thing("b", 1, math.inf))
    for form in ("json", "jsonpath={}"):
        items = json.loads(written(view, form), parse_constant=pytest.fail)["items"]
        assert [item["ratio"] for item in items] == [None, None]
    assert parse_yaml(written(view, "yaml"), "out").data["items"][0]["ratio"] is None
    assert written(view, "csv").splitlines()[1] == "a,1,,"


def test_documents_may_hold_what_maestro_uses() -> None:
    view = Report("r/v1", {"a": Untrusted("x"), "b": (Code.SEVEN, AT), "c": THINGS[0]})
    body = {"schema": "maestro.dev/r/v1", "a": "x", "b": [7, "2026-01-02T03:04:05.000000Z"]}
    for data in (json.loads(written(view, "json")), parse_yaml(written(view, "yaml"), "out").data):
        assert {key: data[key] for key in body} == body
        assert data["c"]["name"] == "a"


def test_items_of_a_list_may_too() -> None:
    view = Listing("l/v1", COLUMNS, THINGS, document=lambda thing: {"thing": thing, "u": Untrusted("x")})
    assert json.loads(written(view, "json"))["items"][0]["thing"]["count"] == 1
    assert parse_yaml(written(view, "yaml"), "out").data["items"][0]["u"] == "x"


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(JSON_VALUES)
def test_json_reads_back(value: Any) -> None:
    assert json.loads(json_text(value)) == value


@given(JSON_VALUES)
def test_long_json_is_spelled_as_short_json(value: Any) -> None:
    """Another writer parts it into lines."""
    short = json_text(value)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(writer, "_LONG", 0)
        assert json_text(value) == short


@pytest.mark.parametrize(
    ("value", "shown", "data"),
    [
        (None, "-", ""),
        ("", "-", ""),
        (True, "yes", "yes"),
        (False, "no", "no"),
        (0, "0", "0"),
        (Code.SEVEN, "7", "7"),
        (0.1 + 0.2, "0.3", "0.30000000000000004"),
        (1234567.0, "1234567", "1234567.0"),
        (1e20, "1e+20", "1e+20"),
        (math.nan, "nan", ""),
        ("a\nb", "a␊b", "a␊b"),
    ],
)
def test_a_cell_for_people_and_one_for_programs(value: object, shown: str, data: str) -> None:
    assert (cell_text(value), data_text(value)) == (shown, data)


def test_an_instant_is_local_with_its_zone_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cell_text(AT) == AT.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    assert data_text(AT) == "2026-01-02T03:04:05.000000Z"


DOCUMENT = {"items": [{"name": "a", "n": 1}, {"name": "b"}], "a.b": {"c d": "x"}, "k-8/s": True, "none": None}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.items[0].name}", "a"),
        (".items[0].name", "a"),
        ("items[-1].name", "b"),
        ("{$.items[1].name}", "b"),
        ("{.items[*].name}", "a b"),
        ("{.items[*].n}", "1"),
        ("{.items[5].name}", ""),
        ("{.nope.name}", ""),
        ("{['a.b']['c d']}", "x"),
        ('{["a.b"].*}', "x"),
        ("{.a\\.b['c d']}", "x"),
        ("{.k-8/s}", "true"),
        ("{.none}", "null"),
        ('{.items[0].name}{"\\n"}{.items[1].name}', "a\nb"),
        ("é\\n{.items[0].n}", "é\n1"),
        ('{"{}"}', "{}"),
        ("{'a}b'}", "a}b"),
        ("x}{.items[0].n}", "x}1"),
        ("{.items[0]}", '{"name": "a", "n": 1}'),
        ("\\q\\\\{'\\''}", "\\q\\'"),
        ("{.}", json.dumps(DOCUMENT)),
        ("{@}", json.dumps(DOCUMENT)),
    ],
)
def test_a_template_picks(template: str, text: str) -> None:
    assert evaluate(template, DOCUMENT) == text


@pytest.mark.parametrize(
    "template",
    [
        "{",
        "{.a",
        "{.a}{",
        "..name",
        "{..name}",
        "{range .items[*]}{.name}{end}",
        "{.items[?(@.n==1)]}",
        "{.items[0:1]}",
        "{.items[x]}",
        '{"a}',
        "{.items[}",
        "{a b}",
        "[" + "9" * 5000 + "]",
        "{.items[٣]}",
    ],
)
def test_a_template_that_cannot_be_read_is_a_usage_error(template: str) -> None:
    with pytest.raises(UsageError) as caught:
        evaluate(template, DOCUMENT)
    assert caught.value.fix
    assert len(caught.value.what) < 500


@given(st.text(st.sampled_from("{}[]().*$@'\"\\:?nx0-9 ,é") | st.characters(exclude_categories=())))
def test_reading_a_template_raises_nothing_but_usage_error(template: str) -> None:
    with contextlib.suppress(UsageError):
        assert isinstance(evaluate(template, DOCUMENT), str)


def test_text_is_written_with_one_line_break_at_its_end() -> None:
    out = io.StringIO()
    emit_text("a\n\n", out)
    emit_text("b", out)
    assert out.getvalue() == "a\nb\n"


class Full(io.StringIO):
    """A fake of a full disk."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_page_stands_alone_and_keeps_lines_and_places_of_pictures() -> None:
    lines = Lines("one [x](http://evil.example)\n  <b>two</b>")
    picture = Picture("drawn", "What it [is](http://evil.example)", lambda: "<svg>drawn</svg>")
    page = written(Report("things/v1", {}, (Heading("Things"), lines, picture, listing(*THINGS))), "html")
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")
    assert "<title>things</title>" in page
    assert "one [x](http://evil.example)\n  &lt;b&gt;two" in page
    assert "<svg>drawn</svg>" in page
    assert "<a " not in page
    assert "<title>Of things</title>" in written(Report("things/v1", {}, (lines,), title="Of things"), "html")
    assert 'class="wide"' not in page
    many = Listing("things/v1", COLUMNS * 3, THINGS)
    assert 'class="wide"' in written(many, "html")


def test_a_picture_is_for_people_and_pages_alone() -> None:
    picture = Picture("drawn", "Drawn", lambda: "<svg/>", lambda width, colour: [f"{width} {colour}"])
    report = Report("things/v1", {"a": 1}, (listing(*THINGS), picture))
    without = replace(report, blocks=(listing(*THINGS),))
    for form in ("md", "json", "csv", "yaml"):
        assert written(report, form) == written(without, form)
    assert written(report, "table") == written(without, "table") + "\nDRAWN\n\n100 False\n"
    hidden = replace(report, blocks=(replace(picture, lines=None), listing(*THINGS)))
    assert written(hidden, "table") == written(without, "table")


@pytest.mark.parametrize("form", KINDS)
def test_a_full_disk_is_no_defect_of_maestro(form: str) -> None:
    with pytest.raises(ActionFailed, match="cannot be written") as caught:
        emit(listing(*THINGS), OutputOptions(parse_format(form), is_plain=True), Full())
    assert caught.value.why == "No space left on device"


# Long lists as JSON

STRANGE = ("plain", "\x1b[31m\u202e\x7f\x85", 'quote " \\ / \b\t\n\x00', "\ud800 alone", "日本\U0001f600", "")


def in_bulk(*documents: dict[str, Any]) -> tuple[str, str]:
    """The same list written item by item, and in bulk."""
    columns = (Column[dict[str, Any]]("name", str),)
    slow = Listing("things/v1", columns, documents, document=lambda item: item)
    return written(slow, "json"), written(replace(slow, is_json=True), "json")


@pytest.mark.parametrize("count", [0, 1, JSON_BATCH, JSON_BATCH + 1, 3 * JSON_BATCH])
def test_a_list_written_in_bulk_is_the_same_text(count: int) -> None:
    slow, fast = in_bulk(*({"n": n, "empty": [], "none": {}, "deep": {"a": [n, None]}} for n in range(count)))
    assert fast == slow


@pytest.mark.parametrize("text", STRANGE)
def test_strange_text_is_the_same_in_bulk(text: str) -> None:
    slow, fast = in_bulk({"text": Untrusted(text), "all": (text, 1.5, True), text: {}}, {"other": "fine"})
    assert fast == slow
    assert json.loads(fast)["items"][0]["text"] == text


def test_what_json_cannot_say_is_null_in_bulk() -> None:
    slow, fast = in_bulk({"x": math.nan, "y": -math.inf, "z": 0.1})
    assert fast == slow

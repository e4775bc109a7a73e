"""Whatever an attacker writes into a label or message: no format carries it out as more than text."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from maestro_cli.config.strict import parse_yaml
from maestro_cli.core.untrusted import Untrusted, visible
from maestro_cli.output.formats import parse_format
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report
from maestro_cli.output.writer import OutputOptions, emit, emit_text

ATTACKS = {
    "escape": "\x1b[2J\x1b]0;owned\x07\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\",
    "c1": "\x9b31m\x9d0;owned\x9c\x85\x90",
    "control": "a\rmaestro: all is well\b\b\x00\x7f\x0b\x0c",
    "lines": "a\nmaestro: error: not mine\n\u2028\u2029",
    "bidi": "\u202egpj.exe\u202c \u2066x\u2069 \u200f\u061c",
    "zero width": "ad\u200bmin\u200d\ufeff\u2060\u00ad\u180e",
    "tags": "".join(chr(0xE0000 + ord(c)) for c in "hidden"),
    "variation": "x" + "\ufe00\U000e0100" * 50,
    "fillers": "\u3164\u115f\uffa0\u2800",
    "half": "\ud800 \udfff",
    "private": "\ue000\U000f0000",
    "rich markup": "[bold red]x[/] [link=http://evil]y[/link] :boom: [@click=app.quit]z[/]",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>&lt;",
    "markdown": "[a](javascript:alert(1)) ![b](http://evil/x.png) `c` | d | **e** <http://evil> http://evil.example",
    "formula": "=cmd|' /C calc'!A0",
    "formula plus": "+1+1",
    "formula minus": "-2+3+cmd|' /C calc'!A0",
    "formula at": "@SUM(1+9)*cmd",
    "formula tab": "\t=1+1",
    "formula blank": "  =1+1",
    "formula wide": "\uff1d1+1",
    "csv": 'a","b\r\n"c',
    "template": "{.items} ${HOME} $(id) `id` %s {0} {{ .x }}",
    "yaml": "!!python/object/apply:os.system ['id']",
    "yaml more": "a: &x [*x]\n---\n- : '",
    "huge": "A" * 200_000,
    "zalgo": "e" + "\u0301" * 5000,
}
PRIVATE = {"U+E000", "U+F0000"}
FORMATS = (
    "table",
    "wide",
    "json",
    "yaml",
    "csv",
    "md",
    "html",
    "jsonpath={.items[0]}",
    "jsonpath={.items[0].name}",
)
csv.field_size_limit(1_000_000)  # the reader of this test, not the writer
HOSTILE = st.text(
    st.characters(exclude_categories=()) | st.sampled_from("\x1b\x9b\u202e\u200b\n\r=+-@\t|<>[]`\"',")
)


def listing(*texts: str) -> Listing[str]:
    columns = (Column[str]("name", lambda text: text), Column[str]("other", lambda text: Untrusted(text)))
    return Listing("x/v1", columns, texts, document=lambda text: {"name": text, text: Untrusted(text)})


def written(view: Any, form: str) -> str:
    out = io.StringIO()
    emit(view, OutputOptions(parse_format(form), is_plain=True), out)
    return out.getvalue()


def dangerous(text: str) -> list[str]:
    """What a terminal would obey or hide, by Python's tables; a line break is layout."""
    wanted = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return [f"U+{ord(c):04X}" for c in set(text) - {"\n"} if unicodedata.category(c) in wanted]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_no_format_lets_an_attack_reach_the_terminal(form: str, attack: str) -> None:
    for view in (listing(attack), Report("x/v1", {"items": [{"name": attack}]}, (listing(attack),))):
        harmless = PRIVATE if form in ("json", "yaml") else set()  # a terminal shows a box, programs need it
        assert set(dangerous(written(view, form))) <= harmless


@given(HOSTILE)
def test_no_text_at_all_reaches_the_terminal_as_more_than_text(text: str) -> None:
    for form in ("table", "csv", "md", "jsonpath={.items[0].name}"):
        assert dangerous(written(listing(text), form)) == []


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_programs_get_the_very_text(attack: str) -> None:
    assert json.loads(written(listing(attack), "json"))["items"][0]["name"] == attack
    if not re.search("[\ud800-\udfff]", attack):  # YAML cannot say half a character
        assert parse_yaml(written(listing(attack), "yaml"), "out").data["items"][0]["name"] == attack


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_a_row_stays_a_row(attack: str) -> None:
    view = listing(attack, "next")
    assert len(written(view, "table").splitlines()) == 3
    assert len(written(view, "md").splitlines()) == 4
    rows = list(csv.reader(io.StringIO(written(view, "csv")), strict=True))
    assert [len(row) for row in rows] == [2, 2, 2]


@pytest.mark.parametrize("attack", [text for name, text in ATTACKS.items() if "formula" in name])
def test_a_formula_gets_an_apostrophe(attack: str) -> None:
    rows = list(csv.reader(io.StringIO(written(listing(attack), "csv"))))
    assert rows[1] == [f"'{visible(attack)}"] * 2 if attack[0] != "\t" else [visible(attack)] * 2


@given(st.sampled_from(" =+-@＝") | HOSTILE, HOSTILE)
def test_no_cell_of_csv_is_a_formula(start: str, rest: str) -> None:
    text = start + rest
    rows = list(csv.reader(io.StringIO(written(listing(text), "csv"))))
    for cell in rows[1]:
        is_number = re.fullmatch(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?%?", cell, re.IGNORECASE)
        assert is_number or not re.match(r"\s*[=+\-@\t\r＝＋－＠]", cell)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_markdown_makes_nothing_of_it(attack: str) -> None:
    view = Report("x/v1", {}, (Heading(attack), Fields([("field", attack)]), listing(attack)))
    html = MarkdownIt("gfm-like", {"html": True}).render(written(view, "md"))
    assert set(re.findall("<([a-z0-9]+)", html)) == {
        "h2", "ul", "li", "strong", "table", "thead", "tbody", "tr", "th", "td"
    }  # fmt: skip
    assert html.count("<td>") == 2
    assert html.count("<li>") == 1


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_text_that_is_the_product_is_made_visible(attack: str) -> None:
    out = io.StringIO()
    emit_text(attack, out)
    assert dangerous(out.getvalue()) == []


def test_combining_marks_do_not_bury_the_rest() -> None:
    """Marks stay (they are how people write), and take no width that is not theirs."""
    lines = written(listing("e" + "\u0301" * 50, "ab"), "table").splitlines()
    assert lines[2].startswith("ab    ")
    assert visible("e\u0301") == "e\u0301"

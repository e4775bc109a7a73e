"""One strict reader: data comes out as people mean it, or an InvalidFile says where it is wrong."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maestro_cli.config.strict import MAX_BYTES, MAX_DEPTH, dump_yaml, parse_yaml, parse_yaml_all, read_yaml
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.untrusted import UNSAFE, Untrusted

TEXTS = st.text(st.characters(codec="utf-8"))
NUMBERS = st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)
YAML_LIKE = st.lists(
    st.sampled_from(
        ["a", "b", ": ", "\n", "  ", "- ", "[", "]", "{", "}", ",", "&x ", "*x", "!!int ", "! ", "''",
         '"', "|\n", "? ", "---\n", "...\n", "%TAG ! tag:x,1:\n", "# c\n", "0x_", "0b", "1:30", ".inf", "<<",
         "=", "\t", "\x00", "\ud800", "\ufeff", "\x85", "~", "2026-01-01", "1" * 30, "@", "`"]
    )
).map("".join)  # fmt: skip


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    url: str
    port: int = 80


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    inner: Inner | None = None
    many: dict[str, Inner] = {}
    words: list[str] = []
    rate: float | None = None
    label: str | None = None
    either: int | str | None = None
    mode: Literal["fast", "slow"] = "fast"
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    flag: bool = False
    renamed: int = msgspec.field(default=0, name="re-named")


def refusal(text: str, kind: Any = Outer) -> InvalidFile:
    with pytest.raises(InvalidFile) as caught:
        parse_yaml(text, "f.yaml").decode(kind)
    return caught.value


@given(TEXTS | YAML_LIKE | st.text(st.characters(exclude_categories=())))
@example("a: !!int ''")
@example("a: !!float ''")
@example("a: \ud800")
@example("[" * 5000)
@example("? " * 5000)
def test_reading_raises_nothing_but_invalid_file(text: str) -> None:
    try:
        for document in parse_yaml_all(text, "f.yaml"):
            document.decode(Outer)
    except InvalidFile:
        pass


@given(NUMBERS)
def test_a_number_of_json_reads_back(number: float) -> None:
    assert parse_yaml(json.dumps({"data": number}), "f.json").data == {"data": number}


@given(DOCUMENTS)
@example("1e-05")
def test_what_is_written_reads_back(data: Any) -> None:
    assert parse_yaml(dump_yaml({"data": data}), "f.yaml").data == {"data": data}


@given(
    st.text(
        st.characters(exclude_categories=["Cs"]) | st.sampled_from("\u202e\u200b\x1b\x85\ufeff\U000e0041")
    )
)
def test_what_is_written_shows_nothing_invisible_and_reads_back(text: str) -> None:
    written = dump_yaml({"a": text, text or "b": [Untrusted(text)]})
    assert not UNSAFE.search(written)
    assert parse_yaml(written, "f.yaml").data == {"a": text, text or "b": [text]} | (
        {"a": [text]} if text == "a" else {}
    )


def test_what_is_written_twice_has_no_alias() -> None:
    shared = ["x"]
    assert parse_yaml(dump_yaml({"a": shared, "b": shared}), "f").data == {"a": ["x"], "b": ["x"]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("On", "On"), ("off", "off"), ("n", "n"), ("true", True), ("False", False),
        ("~", None), ("null", None), ("", None), ("1:30", "1:30"), ("22:22", "22:22"), ("1_000", "1_000"),
        ("0b11", "0b11"), ("0x1F", 31), ("0644", 420), ("08", "08"), ("-5", -5), ("+5", 5), ("1.5", 1.5),
        (".5", 0.5), ("1.0e+3", 1000.0), ("1e3", "1e3"), ("1e-05", 1e-05), ("-1E+3", -1000.0),
        ("'1e-05'", "1e-05"), ("=", "="), ("<<", "<<"), ("5m", "5m"),
        ("2026-01-01", "2026-01-01"), ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("'5'", "5"), ('"true"', "true"),
    ],
)  # fmt: skip
def test_plain_text_is_what_people_mean(text: str, value: object) -> None:
    data = parse_yaml(f"a: {text}", "f.yaml").data
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1.0e+999", "1e+999", "1" * 21, "9" * 5000])
def test_a_number_that_is_none_is_refused(text: str) -> None:
    error = refusal(f"name: x\nrate: {text}")
    assert (error.line, error.key) == (2, "rate")


def test_keys_are_text_whatever_they_look_like() -> None:
    assert parse_yaml("on: 1\nyes: 2\n1: 3\n~: 4\n1.5: 5", "f").data == {
        "on": 1,
        "yes": 2,
        "1": 3,
        "~": 4,
        "1.5": 5,
    }


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: &x 2", 2, "anchors"),
        ("a: 1\n\nb: *x", 3, "anchors"),
        ("a:\n  - !!python/object:os.system x", 2, "tag"),
        ("a: 1\nb: !!str 2", 2, "tag"),
        ("a: 1\nb: ! 2", 2, "tag"),
        ("a: 1\nb: !!int ''", 2, "tag"),
        ("a: 1\nb: 2\na: 3", 3, "twice"),
        ("1: a\n'1': b", 2, "twice"),
        ("a: 1\n<<: {b: 2}", 2, "keys must be plain text"),
        ("a: 1\n? [b]\n: 2", 2, "keys must be plain text"),
        ("a: 1\nb: [", 2, "not valid YAML"),
        ("a: 1\n\tb: 2", 2, "not valid YAML"),
        ("a: 1\n---\nb: 2", 3, "more than one document"),
        ("a: 1\nb: x\ud800", 2, "half a character"),
        ("a: \x00", 1, "not valid YAML"),
    ],
)
def test_a_refusal_names_the_line(text: str, line: int, says: str) -> None:
    with pytest.raises(InvalidFile, match=says) as caught:
        parse_yaml(text, "f.yaml")
    assert caught.value.where == f"f.yaml:{line}"


def test_lines_count_from_where_the_text_was_found() -> None:
    with pytest.raises(InvalidFile, match=r"f\.md:12: "):
        parse_yaml("a: 1\na: 2", "f.md", first_line=11)
    assert parse_yaml("a:\n  - b: 1\n", "f.md", first_line=11).line_of(("a", 0, "b")) == 12


def test_depth_has_a_limit() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    parse_yaml(deep, "f")
    with pytest.raises(InvalidFile, match="deep"):
        parse_yaml(f"[{deep}]", "f")


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        ("nam: x", 1, "nam", "is not known here"),
        ("name: x\ninner:\n  url: a\n  prot: 1", 4, "inner.prot", "is not known here"),
        ("name: x\nmany:\n  a: {url: a}\n  b: {url: a, prt: 1}", 4, "many.b.prt", "is not known here"),
        ("name: x\ninner:\n  port: 1", 2, "inner", "'url' is missing"),
        ("name: x\ninner: 5", 2, "inner", "expected a mapping, found a whole number"),
        ("name: x\nlabel: 5", 2, "label", "expected text, found a whole number"),
        ("name: x\neither: 1.5", 2, "either", "expected a whole number or text, found a number"),
        ("name: x\nrate: fast", 2, "rate", "expected a number, found text"),
        ("name: x\nrate: true", 2, "rate", "expected a number, found true or false"),
        ("name: x\nflag: 1", 2, "flag", "expected true or false, found a whole number"),
        ("name: x\nwords:\n  - a\n  - 5", 4, "words[1]", "expected text, found a whole number"),
        ("name: x\nwords: a", 2, "words", "expected a list, found text"),
        ("name: x\nmany: [a]", 2, "many", "expected a mapping, found a list"),
        ("name: x\nmany:\n  a:", 3, "many.a", "expected a mapping, found nothing"),
        ("name: x\nmode: quick", 2, "mode", "'quick' is not one of the choices"),
        ("name: x\nshare: 2.0", 2, "share", "expected `float` <= 1"),
        ("name: x\nre-named: a", 2, "re-named", "expected a whole number, found text"),
        ("name:", 1, "name", "expected text, found nothing"),
        ("- a", 1, "", "expected a mapping, found a list"),
        ("", 1, "", "'name' is missing"),
    ],
)
def test_a_wrong_value_is_named_where_it_is(text: str, line: int, key: str, says: str) -> None:
    error = refusal(text)
    assert (error.line, error.key) == (line, key)
    assert says in error.what


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("naem: x", "did you mean 'name'?"),
        ("name: x\nmode: slwo", "did you mean 'slow'?"),
        ("name: x\ninner: {ulr: a}", "did you mean 'url'?"),
        ("name: x\ninner: {zzz: a}", "known here: port, url"),
    ],
)
def test_a_misspelt_word_brings_a_suggestion(text: str, fix: str) -> None:
    assert refusal(text).fix == fix


@given(DOCUMENTS)
def test_no_data_but_invalid_file_comes_out_of_decoding(data: Any) -> None:
    try:
        decoded = parse_yaml(dump_yaml(data), "f").decode(Outer)
    except InvalidFile:
        return
    assert isinstance(decoded, Outer)


def test_good_data_is_decoded() -> None:
    text = (
        "name: x\ninner: {url: a}\nmany: {b: {url: c, port: 1}}\nwords: [d]\nrate: 1\neither: e\nshare: 0.5"
    )
    assert parse_yaml(text, "f").decode(Outer) == Outer(
        "x", Inner("a"), {"b": Inner("c", 1)}, ["d"], 1.0, None, "e", "fast", 0.5
    )


def test_an_error_never_shows_a_value_that_may_be_a_secret() -> None:
    for text in ("name: [hunter2]", "name: x\nlabel: {hunter2: hunter2}", "name: x\ninner: hunter2"):
        error = refusal(text)
        assert "hunter2" not in f"{error.what}{error.why}{error.fix}"


def test_a_hostile_key_is_made_visible() -> None:
    error = refusal('name: x\n"\\e[31m\\u202e": 1')
    assert "\x1b" not in error.what
    assert "\u202e" not in error.what


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: \xff", r":1: is not UTF-8"),
        (b"a: 1\nb: \xff", r":2: is not UTF-8"),
        (b"#" * (MAX_BYTES + 1), "larger than"),
    ],
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(content)
    with pytest.raises(InvalidFile, match=says):
        read_yaml(file)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    os.symlink(loop, loop)
    for path in (tmp_path / "none", tmp_path, loop):
        with pytest.raises(InvalidFile, match="cannot be read"):
            read_yaml(path)


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert read_yaml(file).data == {"a": 1, "b": 2}


def test_numbers_stay_finite() -> None:
    assert math.isfinite(parse_yaml("a: 1.5", "f").data["a"])


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.yaml")
    with pytest.raises(InvalidFile, match="cannot be read") as raised:
        read_yaml(tmp_path / "config.yaml")
    assert raised.value.why == "Not a regular file"

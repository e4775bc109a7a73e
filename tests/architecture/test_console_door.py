"""Text reaches the console's screen by one door, and is never read as markup."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOM = ROOT / "maestro_cli" / "tui"
MODULES = sorted(ROOM.rglob("*.py"))
DOOR = ROOM / "text.py"
# What reads a text as markup unless it is told not to, and the argument that is that text.
_READS_MARKUP = {"update": 0, "notify": 0, "Static": 0, "Label": 0, "Button": 0}
_MAKES_STRIPS = {"Segment", "Strip", "Content", "from_ansi", "from_markup", "assemble"}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOM))


def called(node: ast.Call) -> str:
    """The last name of what is called."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def calls(source: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


def markup_of(source: str) -> list[str]:
    """Where a text would be read as markup."""
    found = []
    for call in calls(source):
        keywords = {one.arg: one.value for one in call.keywords}
        markup = keywords.get("markup")
        is_off = isinstance(markup, ast.Constant) and markup.value is False
        if called(call) in {"from_markup", "render_markup"} or (markup is not None and not is_off):
            found.append(f"line {call.lineno}: {called(call)}")
        place = _READS_MARKUP.get(called(call))
        if place is None or is_off or len(call.args) <= place:
            continue
        if isinstance(call.args[place], (ast.JoinedStr, ast.BinOp)):
            found.append(f"line {call.lineno}: {called(call)} of a text that is put together")
    return found


def strips_of(source: str) -> list[str]:
    """Where a strip, or what becomes one, is made."""
    return [f"line {call.lineno}: {called(call)}" for call in calls(source) if called(call) in _MAKES_STRIPS]


def imports_of(source: str) -> set[str]:
    return {node.module or "" for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)} | {
        one.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for one in node.names
    }


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_nothing_is_read_as_markup(path: Path) -> None:
    assert markup_of(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", [path for path in MODULES if path != DOOR], ids=relative)
def test_strips_are_made_at_the_door_alone(path: Path) -> None:
    assert strips_of(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted((ROOM / "widgets").glob("*.py")), ids=lambda path: path.name)
def test_a_widget_asks_no_source_and_no_service(path: Path) -> None:
    rooms = ("maestro_cli.services", "maestro_cli.sources", "maestro_cli.journal", "maestro_cli.local")
    assert [name for name in imports_of(path.read_text(encoding="utf-8")) if name.startswith(rooms)] == []


@pytest.mark.parametrize(
    "source",
    [
        "Text.from_markup(name)",
        "Static('x', markup=True)",
        "self.query_one(Static).update(f'{name} is down')",
        "Label('pod ' + name)",
        "self.notify(f'{name}')",
    ],
)
def test_each_way_to_have_markup_read_is_noticed(source: str) -> None:
    assert markup_of(source)


def test_a_strip_beside_the_door_is_noticed() -> None:
    assert strips_of("def render(self): return Strip([Segment(name)])") == [
        "line 1: Strip",
        "line 1: Segment",
    ]

"""The parts in which `make` runs the tests leave none out."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
MARKS = {"contract", "crash", "e2e", "kubernetes"}


def is_marked(path: Path) -> bool:
    """Whether a test of the file has one of the marks that keep it out of the first part."""
    source = path.read_text(encoding="utf-8")
    if not any(f".{mark}" in source for mark in MARKS):
        return False
    return any(
        isinstance(node, ast.Attribute) and node.attr in MARKS and ast.unparse(node.value) == "pytest.mark"
        for node in ast.walk(ast.parse(source))
    )


def test_what_is_marked_is_in_a_folder_where_make_looks_for_it() -> None:
    (line,) = [one for one in (ROOT / "Makefile").read_text().splitlines() if one.startswith("REAL := ")]
    folders = [ROOT / word for word in line.removeprefix("REAL := ").split()]
    marked = [path for path in TESTS.rglob("*.py") if is_marked(path)]
    assert {folder for folder in folders if not any(path.is_relative_to(folder) for path in marked)} == set()
    assert [path for path in marked if not any(path.is_relative_to(folder) for folder in folders)] == []

"""The light cluster stays small: what it lacks, the real control plane has (docs/adr/0003)."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("cluster", "controllers")
# to raise it, say in docs/adr/0003 what the light cluster does now that the real one could not have done
MOST_LINES = 6_050
_NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
}  # fmt: skip


def code_lines(source: str) -> int:
    """Lines that hold code: no blanks, comments, docstrings or imports."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and (is_text or isinstance(node, (ast.Import, ast.ImportFrom))):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def test_it_does_not_grow_further() -> None:
    folder = ROOT / "maestro_cli" / "local"
    sizes = {
        room: sum(code_lines(path.read_text()) for path in (folder / room).rglob("*.py")) for room in ROOMS
    }
    assert all(sizes.values())
    assert sum(sizes.values()) <= MOST_LINES, sizes


def test_only_code_is_counted() -> None:
    source = (
        '"""What\nit is."""\n\nimport os\nfrom x import (\n    y,\n)\n\n# why\nZ = [  # what\n    1,\n]\n'
    )
    assert code_lines(source) == 3
    assert code_lines(source + 'def f() -> str:\n    """Doc."""\n    return """a\nb"""\n') == 6

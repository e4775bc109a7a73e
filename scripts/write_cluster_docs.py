"""Write docs/embedded-cluster.md from the results of the contract suite.

`python scripts/write_cluster_docs.py [RESULTS]` takes new results (the file that CONTRACT_RESULTS named in a
run of tests/contract/cluster) into docs/embedded-cluster.json, drops what no test declares any more, adds
what has not run yet, and writes the page from that. A test compares the page with what this writes, and the
behaviours with those that the tests declare.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SUITE = ROOT / "tests" / "contract" / "cluster"
KEPT = ROOT / "docs" / "embedded-cluster.json"
PAGE = ROOT / "docs" / "embedded-cluster.md"
MARK = "<!-- from here on written by scripts/write_cluster_docs.py -->"
CLUSTERS = ("lite", "kubernetes")
SHOWN = {
    "pass": "yes",
    "refuses": "refuses, and names the other",
    "fails": "**fails**",
    None: "—",
}


def declared() -> set[tuple[str, str]]:
    """(area, rule) of every `@behaviour` in the suite, read without running it."""
    return {found for path in sorted(SUITE.glob("test_*.py")) for found in _declared_in(path)}


def _declared_in(path: Path) -> Iterator[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: statement.value.value
        for statement in tree.body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "behaviour":
            words = [
                str(argument.value) if isinstance(argument, ast.Constant) else str(constants[_name(argument)])
                for argument in node.args
            ]
            yield words[0], words[1]


def _name(argument: ast.expr) -> str:
    assert isinstance(argument, ast.Name), ast.dump(argument)
    return argument.id


def undeclared_tests() -> list[str]:
    """Tests of the suite that declare no behaviour."""
    return [
        f"{path.name}::{node.name}"
        for path in sorted(SUITE.glob("test_*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and not any(_is_behaviour(decorator) for decorator in node.decorator_list)
    ]


def _is_behaviour(decorator: ast.expr) -> bool:
    return (
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Name)
        and decorator.func.id == "behaviour"
    )


def page(results: dict[str, Any], prose: str) -> str:
    """The whole page: the prose written by hand, then one table an area and one of commands."""
    parts = [prose.partition(MARK)[0].rstrip(), MARK, "## What the contract suite proves"]
    parts.append(
        "Each line is a test of `tests/contract/cluster`, run on both clusters with process kubelets. "
        "Where they differed, the real one was right. A dash is for what is no question there, or has not "
        "run yet."
    )
    rows = results["behaviours"]
    for area in sorted({row["area"] for row in rows}):
        lines = [_row(row["rule"], row) for row in rows if row["area"] == area]
        parts += [f"### {area[:1].upper()}{area[1:]}", _table(lines)]
    parts.append("## Every kubectl command that the suite runs")
    lines = [_row(f"`kubectl {row['command']}`", row) for row in results["commands"]]
    parts.append(_table(lines))
    return "\n\n".join(parts) + "\n"


def _table(rows: list[str]) -> str:
    return "\n".join(["| | lite | kubernetes |", "| --- | --- | --- |", *rows])


def _row(what: str, outcomes: dict[str, str]) -> str:
    cells = [SHOWN.get(outcomes.get(cluster), outcomes.get(cluster)) for cluster in CLUSTERS]
    return f"| {what.replace('|', chr(92) + '|')} | {' | '.join(cells)} |"


def main(arguments: list[str]) -> int:
    results = json.loads(Path(arguments[0] if arguments else KEPT).read_text(encoding="utf-8"))
    known = {(one["area"], one["rule"]): one for one in results["behaviours"]}
    results["behaviours"] = [
        known.get((area, rule), {"area": area, "rule": rule}) for area, rule in sorted(declared())
    ]
    KEPT.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(results, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

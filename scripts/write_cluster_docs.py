"""Write docs/embedded-cluster.md from the results of the contract suite.

`python scripts/write_cluster_docs.py [[--merge] RESULTS]` takes new results (the file that CONTRACT_RESULTS
named in a run of tests/contract/cluster) into docs/embedded-cluster.json, drops what no test declares any
more, adds what has not run yet, and writes the page from that. Without `--merge` they are those of the whole
suite, and take the place of all that was kept; with it those of some of its tests (all tests of a behaviour,
for they are one result), and what did not run keeps its own. Each result is kept with a digest of its test:
what a test said before it was changed is a result no longer. A test compares the page with what this writes,
and the behaviours with those that the tests declare.
"""

from __future__ import annotations

import ast
import hashlib
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
_ORDER = ("area", "rule", *CLUSTERS, "test")
SHOWN = {
    "pass": "yes",
    "refuses": "refuses, and names the other",
    "fails": "**fails**",
    None: "—",
}


def declared() -> dict[tuple[str, str], str]:
    """(area, rule) of every `@behaviour` in the suite, read without running it; the digest of its tests."""
    texts: dict[tuple[str, str], str] = {}
    for path in sorted(SUITE.glob("test_*.py")):
        for behaviour, text in _declared_in(path.read_text(encoding="utf-8")):
            texts[behaviour] = texts.get(behaviour, "") + text
    return {key: hashlib.sha256(text.encode()).hexdigest()[:12] for key, text in texts.items()}


def _declared_in(source: str) -> Iterator[tuple[tuple[str, str], str]]:
    body, lines = ast.parse(source).body, source.splitlines()
    constants = {
        target.id: statement.value.value
        for statement in body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    for statement in body:
        first = min([statement.lineno, *(one.lineno for one in getattr(statement, "decorator_list", []))])
        text = "\n".join(lines[first - 1 : statement.end_lineno])
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and _is_behaviour(node):
                area, rule, *_ = (_word(argument, constants) for argument in node.args)
                yield (area, rule), text


def _word(argument: ast.expr, constants: dict[str, object]) -> str:
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    assert isinstance(argument, ast.Name), ast.dump(argument)
    return str(constants[argument.id])


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
    path = arguments[-1] if arguments else KEPT
    results = json.loads(Path(path).read_text(encoding="utf-8"))
    tests = declared()
    if arguments:
        results["behaviours"] = _digested(results["behaviours"], tests)
    if "--merge" in arguments:
        results = merged(json.loads(KEPT.read_text(encoding="utf-8")), results)
    known = {(one["area"], one["rule"]): one for one in results["behaviours"]}
    results["behaviours"] = [_kept(key, test, known.get(key, {})) for key, test in sorted(tests.items())]
    KEPT.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(results, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
    return 0


def _digested(rows: list[dict[str, str]], tests: dict[tuple[str, str], str]) -> list[dict[str, str]]:
    """The results with the digests of their tests; those of what no test declares are left out."""
    return [
        {**row, "test": tests[row["area"], row["rule"]]}
        for row in rows
        if (row["area"], row["rule"]) in tests
    ]


def merged(kept: dict[str, Any], partial: dict[str, Any]) -> dict[str, Any]:
    """The kept results with those of a run of some tests in their place.

    What a changed test said before is a result no longer, on neither cluster. Of a command there are as many
    outcomes as tests that run it, and only some ran: it still passes unless it failed.
    """
    behaviours = {(one["area"], one["rule"]): one for one in kept["behaviours"]}
    for row in partial["behaviours"]:
        key = (row["area"], row["rule"])
        whole = {**_kept(key, row["test"], behaviours.get(key, {})), **row}
        behaviours[key] = {name: whole[name] for name in _ORDER if name in whole}
    commands = {one["command"]: one for one in kept["commands"]}
    for row in partial["commands"]:
        before = commands.get(row["command"], {})
        passed = {
            cluster: "pass"
            for cluster in CLUSTERS
            if before.get(cluster) == "pass" and row.get(cluster) not in (None, "fails")
        }
        commands[row["command"]] = {**before, **row, **passed}
    return {
        "behaviours": [behaviours[key] for key in sorted(behaviours)],
        "commands": [commands[key] for key in sorted(commands)],
    }


def _kept(behaviour: tuple[str, str], test: str, row: dict[str, str]) -> dict[str, str]:
    area, rule = behaviour
    return row if row.get("test") == test else {"area": area, "rule": rule, "test": test}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

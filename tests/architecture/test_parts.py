"""The parts in which `make` runs the tests leave none out; what starts real things runs in the last ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
MARKS = {"contract", "crash", "e2e", "kubernetes"}
MARKED = re.compile(rf"\bmark\s*\.\s*({'|'.join(sorted(MARKS))})\b")  # a sieve: only what passes is parsed
ON_DEMAND = tuple(TESTS / name for name in ("bench", "mutations", "peers"))  # by targets of their own
SERVERS = {"alertmanager", "bao", "etcd", "kube-apiserver", "prometheus", "prometheus-alertmanager", "tmux"}
# It runs `echo` instead of kubectl, to look at what is recorded.
IN_ITS_STEAD = {
    ("architecture/test_contract_record.py", f"tests.contract.cluster.{name}")
    for name in ("kubectl", "kubectl.Kubectl")
}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def folders() -> list[Path]:
    """Where whatever starts more than maestro is."""
    (line,) = [one for one in (ROOT / "Makefile").read_text().splitlines() if one.startswith("REAL := ")]
    return [ROOT / word for word in line.removeprefix("REAL := ").split()]


def is_real(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in folders())


def is_marked(path: Path) -> bool:
    """Whether a test of the file has one of the marks that keep it out of the first part."""
    if not MARKED.search(path.read_text(encoding="utf-8")):
        return False
    return any(
        isinstance(node, ast.Attribute) and node.attr in MARKS and ast.unparse(node.value) == "pytest.mark"
        for node in ast.walk(parsed(path))
    )


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What each import of tests is called here, and whole."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((one.asname or one.name, one.name) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests"):
            yield from ((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)


def used(tree: ast.AST) -> set[str]:
    """The names that stand in it, with what follows their points: `asyncio.create_subprocess_exec`."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
    return found


@cache
def starters() -> frozenset[str]:
    """Whole names of what starts processes in the folders of real things, by itself or by another of them."""
    uses: dict[str, set[str]] = {}
    for path in (one for folder in folders() for one in folder.rglob("*.py")):
        module, tree = module_of(path), parsed(path)
        called = dict(imported(tree))
        tops = [one for one in tree.body if isinstance(one, ast.FunctionDef | ast.ClassDef)]
        called.update({one.name: f"{module}.{one.name}" for one in tops})
        for one in tops:
            uses[f"{module}.{one.name}"] = {called.get(name, name) for name in used(one)}
    found = {
        name
        for name, all_of_them in uses.items()
        if any(one.startswith(("subprocess.", "asyncio.create_subprocess")) for one in all_of_them)
    }
    while more := {name for name, all_of_them in uses.items() if name not in found and all_of_them & found}:
        found |= more
    return frozenset(found)


def starts(file: str, tree: ast.Module) -> list[str]:
    """What a file outside those folders has of them, and the servers that it starts itself."""
    wholes = {whole for _, whole in imported(tree)} - {whole for name, whole in IN_ITS_STEAD if name == file}
    taken = {one for one in wholes if one in starters() or any(s.startswith(f"{one}.") for s in starters())}
    words = (
        node.elts[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("subprocess.") and call.args
        for node in ast.walk(call.args[0])
        if isinstance(node, ast.List | ast.Tuple) and node.elts and isinstance(node.elts[0], ast.Constant)
    )
    return [*sorted(taken), *sorted(one for one in words if one in SERVERS)]


def others() -> Iterator[Path]:
    """Files of the first parts that import anything of those folders, or start what they like."""
    for path in TESTS.rglob("*.py"):
        if is_real(path) or any(path.is_relative_to(folder) for folder in ON_DEMAND):
            continue
        source = path.read_text(encoding="utf-8")
        if any(word in source for word in ("subprocess", *(f"tests.{one.name}" for one in folders()))):
            yield path


def test_what_is_marked_is_in_a_folder_where_make_looks_for_it() -> None:
    marked = [path for path in TESTS.rglob("*.py") if is_marked(path)]
    assert {one for one in folders() if not any(path.is_relative_to(one) for path in marked)} == set()
    assert [path for path in marked if not is_real(path)] == []


def test_what_starts_real_things_is_in_those_folders_marked_or_not() -> None:
    found = {file: starts(file, parsed(path)) for path in others() for file in [str(path.relative_to(TESTS))]}
    assert {file: what for file, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "name",
    [
        "tests.contract.recorded_prometheus.recorded_prometheus",
        "tests.contract.recorded_prometheus.running_prometheus",
        "tests.e2e.terminal.Terminal",
        "tests.e2e.session.Session",
    ],
)
def test_what_starts_them_is_known(name: str) -> None:
    assert name in starters()


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [
        ("from tests.e2e.terminal import terminal", True),
        ("from tests.e2e import terminal", True),
        ("import tests.e2e.terminal as real", True),
        ("from tests.contract.recorded_prometheus import recorded_prometheus as started", True),
        ("import subprocess\nsubprocess.Popen(['prometheus', '--config.file=x'])", True),
        ("import subprocess\nsubprocess.run(['promtool', 'check', 'rules', 'x'])", False),
        ("from tests.contract.cluster.running import until", False),
    ],
)
def test_a_test_elsewhere_that_starts_one_is_refused(text: str, is_refused: bool) -> None:
    assert bool(starts("unit/test_it.py", ast.parse(text))) is is_refused

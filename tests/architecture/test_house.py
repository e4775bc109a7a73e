"""The house is what the design says: sizes, names, and who may import what at run time."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "maestro_cli"
MODULES = sorted(PACKAGE.rglob("*.py"))
# path → why it is longer than 400 lines
LONG_FILES: dict[str, str] = {}
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "manager.py", "common.py"}
HEAVY = {"kubernetes", "textual", "prometheus_api_client", "chaoslib", "httpx", "rich", "yaml"}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def said_and_imported(path: Path) -> tuple[str | None, frozenset[str]]:
    """What a module says of itself, and the names of what it imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return ast.get_docstring(tree), frozenset(names)


def test_no_module_is_longer_than_400_lines_without_its_reason() -> None:
    long = {relative(p) for p in MODULES if len(p.read_text(encoding="utf-8").splitlines()) > 400}
    assert long == set(LONG_FILES)


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [relative(p) for p in MODULES if p.name in FORBIDDEN_NAMES] == []


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_every_module_states_its_purpose(path: Path) -> None:
    assert said_and_imported(path)[0]


def test_no_process_is_started_with_python_between_fork_and_exec() -> None:
    """A process with threads may deadlock there; `local.process.leashed` does it after the exec."""
    assert [relative(p) for p in MODULES if "preexec_fn" in p.read_text(encoding="utf-8")] == []


def test_no_command_waits_at_its_end_for_a_system_that_never_answers() -> None:
    """The standard library's executor does; `core.daemon_pool` does not. Servers may."""
    servers = {PACKAGE / "serving", PACKAGE / "local"}
    commands = [path for path in MODULES if not servers & set(path.parents)]
    assert [relative(p) for p in commands if "ThreadPoolExecutor" in p.read_text(encoding="utf-8")] == []


@cache
def _imported() -> dict[str, set[str]]:
    """Each imported top-level package → the rooms that import it."""
    rooms: dict[str, set[str]] = {}
    for path in MODULES:
        room = "/".join(path.relative_to(PACKAGE).parts[:-1]) or path.name
        for name in said_and_imported(path)[1]:
            rooms.setdefault(name.split(".")[0], set()).add(room)
    return rooms


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("kubernetes", ("sources/kube",)),
        ("prometheus_api_client", ("sources",)),
        ("typer", ("cli",)),
        ("rich", ("output", "tui")),
        ("textual", ("tui",)),
        ("textual_serve", ("tui",)),
        ("aiohttp", ("tui",)),
        ("chaoslib", ("chaos/worker",)),
        ("yaml", ("config",)),
        ("onnxruntime", ("serving",)),
        ("cryptography", ("local", "sources")),
        ("httpx", ("sources", "local")),
        ("google_crc32c", ("sources",)),
        ("re2", ("runbooks", "slo")),
    ],
)
def test_a_library_lives_in_its_room(library: str, allowed: tuple[str, ...]) -> None:
    strangers = {room for room in _imported().get(library, set()) if not room.startswith(allowed)}
    assert strangers == set()


def _loaded_by(arguments: list[str], extra: dict[str, str] | None = None) -> set[str]:
    """Top-level libraries in a fresh interpreter after `maestro ARGUMENTS`."""
    code = (
        "import sys\nfrom maestro_cli.__main__ import main\n"
        f"sys.argv = ['maestro', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write('\\nLOADED ' + ' '.join(sorted({m.split('.')[0] for m in sys.modules})))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, **(extra or {})},
    )
    return set(result.stderr.rpartition("LOADED ")[2].split())


def test_version_loads_no_library() -> None:
    assert _loaded_by(["--version"]) & (HEAVY | {"typer", "msgspec"}) == set()


def test_help_loads_at_most_rich() -> None:
    assert _loaded_by(["--help"]) & HEAVY <= {"rich"}


def test_the_cost_of_predictions_loads_the_metrics_library_alone() -> None:
    assert _loaded_by(["cost", "unit", "--help"]) & HEAVY == set()
    with tempfile.TemporaryDirectory() as home:
        settings = Path(home) / "maestro" / "config.yaml"
        settings.parent.mkdir()
        settings.write_text(
            'contexts: {nowhere: {prometheus: {url: "http://127.0.0.1:1"}}}', encoding="utf-8"
        )
        loaded = _loaded_by(["cost", "unit", "--context", "nowhere"], {"XDG_CONFIG_HOME": home})
    assert loaded & HEAVY == {"prometheus_api_client", "yaml"}
    assert loaded & {"sqlite3", "numpy", "pandas", "onnxruntime"} == set()


def test_experiments_are_listed_without_what_performs_them() -> None:
    loaded = _loaded_by(["chaos", "list"])
    assert loaded & {"chaoslib", "kubernetes", "prometheus_api_client", "httpx", "textual"} == set()


@pytest.mark.parametrize(
    "extra",
    [
        {"_MAESTRO_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "maestro lo"},
        {"_MAESTRO_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "maestro incident "},
        {"_MAESTRO_COMPLETE": "complete_bash", "COMP_WORDS": "maestro drill ", "COMP_CWORD": "2"},
        {
            "_MAESTRO_COMPLETE": "complete_fish",
            "_TYPER_COMPLETE_ARGS": "maestro r",
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        },
        {"_MAESTRO_COMPLETE": "complete_bash", "COMP_WORDS": "maestro drill list -o ", "COMP_CWORD": "4"},
    ],
)
def test_completion_loads_no_heavy_library(extra: dict[str, str]) -> None:
    assert _loaded_by([], extra) & HEAVY == set()


def test_every_registered_command_loads_in_a_fresh_interpreter() -> None:
    code = (
        "from maestro_cli.cli.lazy import load\nfrom maestro_cli.cli.registry import COMMANDS\n"
        "for stub in COMMANDS:\n    load(stub)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=ROOT)

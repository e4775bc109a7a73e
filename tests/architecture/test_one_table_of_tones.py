"""What a word of the field means, and its tone, is written in `output/tones.py` and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.output import tones

PACKAGE = Path(tones.__file__).parents[1]
GROUPS = [frozenset(one) for one in (tones.GRAVE, tones.LEFT_RUNS, tones.RESUMABLE_RUNS, tones.OPEN_RUNS)]
WORDS = [frozenset(one) for one in (("PASS", "FAIL"), ("critical", "recovering"), ("good", "warn", "done"))]
TONES = frozenset(("good", "warn", "bad", "dim", ""))


def repeated(source: str) -> Iterator[int]:
    """The lines of literals that say again what `tones` says."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            if frozenset(_texts(node.elts)) in GROUPS and len(_texts(node.elts)) == len(node.elts):
                yield node.lineno
        elif isinstance(node, ast.Dict):
            keys, values = _texts([one for one in node.keys if one is not None]), _texts(node.values)
            if values and frozenset(values) <= TONES and any(one <= frozenset(keys) for one in WORDS):
                yield node.lineno


def _texts(nodes: list[ast.expr]) -> list[str]:
    return [one.value for one in nodes if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def test_no_other_module_writes_it_again() -> None:
    front = [*(PACKAGE / "tui").rglob("*.py"), *(PACKAGE / "output").rglob("*.py")]
    files = [file for file in front if file != Path(tones.__file__)]
    assert files
    found = [f"{file}:{line}" for file in files for line in repeated(file.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    "source",
    ['X = ("sev1", "sev2")', 'Y = {"PASS": "good", "FAIL": "bad"}', 'Z = {"critical": "", "recovering": ""}'],
)
def test_what_is_written_again_is_found(source: str) -> None:
    assert list(repeated(source)) == [1]


def test_every_state_of_burn_and_every_severity_that_wakes_has_a_tone() -> None:
    from maestro_cli.core.verdict import Verdict
    from maestro_cli.incidents.model import Severity
    from maestro_cli.runbooks.model import RunStatus
    from maestro_cli.slo.burn import BurnState

    assert list(tones.BURN_TONES) == [one.value for one in BurnState]
    assert {one.value for one in Severity} > set(tones.GRAVE)
    assert {one.value for one in RunStatus} > set(tones.OPEN_RUNS)
    assert [tones.verdict_tone(one.value) for one in (Verdict.PASS, Verdict.INDETERMINATE)] == [
        "good",
        "warn",
    ]

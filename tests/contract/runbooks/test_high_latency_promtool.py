"""Which slow revision high-latency goes back from: Prometheus's own engine judges series written here."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.locations import shipped
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.model import Step
from maestro_cli.runbooks.substitution import into_promql

pytestmark = pytest.mark.contract
BOOK = RunbookCatalog([shipped("runbooks")]).get("high-latency")
VALUES = {parameter.name: parameter.default or "" for parameter in BOOK.parameters} | {
    "NAMESPACE": "ml", "DEPLOY": "fraud",
}  # fmt: skip
ASKED = ("one-release", "quick-before", "always-slow", "never-quick")
MINUTE = 4  # samples, one every 15 s
REQUESTS = 150  # a sample
OLD_MINUTES = 30  # of another revision, which was quick


def step(name: str) -> Step:
    (found,) = [one for one in BOOK.steps if one.path == name]
    return found


def of_revision(number: int, values: str, quick: str) -> list[dict[str, str]]:
    labels = f'namespace="ml",deployment="fraud",pod="p{number}",revision="{number}"'
    name = "maestro_inference_duration_seconds"
    return [
        {"series": f"{name}_count{{{labels}}}", "values": values},
        {"series": f'{name}_bucket{{{labels},le="0.2"}}', "values": quick},
    ]


def history(quick: float, slow: float) -> list[dict[str, str]]:
    """A revision that is quick for some minutes and then slow for others, in eight of ten requests."""
    before, well, ill = (round(minutes * MINUTE) for minutes in (OLD_MINUTES, quick, slow))
    old = f"0+{REQUESTS}x{before - 1} stale"
    took = f"_x{before} 0+{REQUESTS}x{well + ill - 1}"
    at_first = f"0+{REQUESTS}x{well - 1}" if well else ""
    since = f"{well * REQUESTS}+{REQUESTS // 5}x{ill - 1}"
    return of_revision(1, old, old) + of_revision(2, took, f"_x{before} {at_first} {since}")


def held(folder: Path, quick: float, slow: float) -> list[str]:
    """Those steps of which Prometheus says that what they expect is so."""
    program = shutil.which("promtool")
    assert program is not None, "promtool is missing; it comes with prometheus"
    series, found = history(quick, slow), []
    at = f"{round((OLD_MINUTES + quick + slow) * 60) - 15}s"
    for name in ASKED:
        one = step(name)
        assert one.expect is not None
        query = f"count(({into_promql(one.body, VALUES)}) {one.expect.text})"
        case: dict[str, Any] = {"expr": query, "eval_time": at, "exp_samples": [{"labels": "{}", "value": 1}]}
        tests = [{"interval": "15s", "input_series": series, "promql_expr_test": [case]}]
        (folder / "case.json").write_text(json.dumps({"evaluation_interval": "15s", "tests": tests}))
        answer = subprocess.run(
            [program, "test", "rules", "case.json"], cwd=folder, capture_output=True, text=True, timeout=60
        )
        assert answer.returncode == 0 or "got:" in answer.stdout + answer.stderr, answer.stderr
        found += [name] if answer.returncode == 0 else []
    return found


@pytest.mark.parametrize(
    ("quick", "slow", "first_that_fails"),
    [
        (0, 10, ""),
        (25, 30, "always-slow"),
        (2, 10, "never-quick"),
    ],
    ids=["slow-from-the-beginning", "quick-as-long-as-slow", "quick-for-a-short-while"],
)
def test_only_a_revision_that_was_slow_from_the_beginning_is_gone_back_from(
    tmp_path: Path, quick: float, slow: float, first_that_fails: str
) -> None:
    passed = held(tmp_path, quick, slow)
    assert next((name for name in ASKED if name not in passed), "") == first_that_fails

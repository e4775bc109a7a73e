"""`maestro chaos report|compare|import|discover`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.locations import state_dir
from maestro_cli.core.clock import SystemClock
from maestro_cli.journal.store import Journal
from maestro_cli.services.projections import every_projection
from tests.cli.program import check_golden, maestro
from tests.unit.chaos.ci.outcomes import performed

FORMATS = ["table", "wide", "json", "yaml", "csv", "md"]
HOSTILE = "<script>alert(1)</script> [x](javascript:x) @org"
Ended = Callable[[str, dict[str, Any]], None]


@pytest.fixture
def ended(configured: Path, tmp_path: Path) -> Ended:
    """Write a run that ended to the journal of `prod`, with its own journal."""

    def write(run: str, journal: dict[str, Any]) -> None:
        folder = tmp_path / run
        folder.mkdir()
        ours = {**journal["maestro"], "run": run}
        (folder / "journal.json").write_text(json.dumps({**journal, "maestro": ours}), encoding="utf-8")
        kept = Journal(
            state_dir() / "journal" / "prod.sqlite", clock=SystemClock(), projections=every_projection()
        )
        named = {"name": "slow", "title": "A slow replica", "file": "slow.yaml", "digest": "d"}
        started = {
            **named, "seed": 7, "targets": {}, "control": [], "burns": [], "duration_seconds": 60,
            "folder": str(folder),
        }  # fmt: skip
        kept.append("experiment.started", f"experiment/{run}", "ana", started)
        finished = {
            "verdict": ours["verdict"], "exit_code": ours["code"], "coverage": ours["coverage"],
            "reasons": [], "residue": [], "stop": None, "recoveries": [], "injections": [],
        }  # fmt: skip
        kept.append("experiment.finished", f"experiment/{run}", "ana", finished)
        kept.close()

    return write


def timeless(text: str) -> str:
    """Without the times at which runs began."""
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)


@pytest.mark.parametrize("output", FORMATS)
def test_what_got_worse_is_told_in_every_format(ended: Ended, output: str) -> None:
    ended("exp-1", performed())
    ended("exp-2", performed({"during": ("met", "missed", "met", "met")}))
    result = maestro("chaos", "compare", "-o", output)
    assert (result.code, result.err) == (10, "")
    check_golden(f"chaos-compare.{output}", timeless(result.out))


def test_a_run_is_compared_with_the_last_before_it_that_passed_or_with_any(ended: Ended) -> None:
    ended("exp-1", performed())
    ended("exp-2", performed({"after": "missed"}))
    ended("exp-3", performed())
    document = json.loads(maestro("chaos", "compare", "-o", "json").out)
    assert (document["was"], document["now"], document["verdict"]) == ("exp-1", "exp-3", "PASS")
    assert maestro("chaos", "compare", "exp-3", "exp-2").code == 0
    assert maestro("chaos", "compare", "exp-1").code == 6
    assert maestro("chaos", "compare", "exp-3", "exp-1", "--tolerance", "much").code == 2


def test_a_report_is_one_page_in_which_nothing_acts(ended: Ended, tmp_path: Path) -> None:
    ended("exp-1", performed({"after": "missed"}, title=HOSTILE))
    page, text = tmp_path / "report.html", tmp_path / "report.md"
    assert maestro("chaos", "report", "--to", str(page)).code == 0
    assert maestro("chaos", "report", "--to", str(text)).code == 0
    html = page.read_text(encoding="utf-8")
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert 'javascript:x"' not in html
    assert "FAIL" in text.read_text(encoding="utf-8")
    assert maestro("chaos", "report", "--to", "report.txt").code == 2


def test_a_plain_file_is_imported_to_a_new_file_alone(configured: Path, tmp_path: Path) -> None:
    provider = {
        "type": "python", "module": "chaosk8s.pod.actions", "func": "terminate_pods",
        "arguments": {"label_selector": "app=x", "ns": "ml"},
    }  # fmt: skip
    plain = {
        "title": "t", "description": "d",
        "method": [{"type": "action", "name": "hurt", "provider": provider}],
    }  # fmt: skip
    (tmp_path / "plain.json").write_text(json.dumps(plain))
    shown = maestro("chaos", "import", "./plain.json", cwd=tmp_path)
    assert shown.code == 0
    check_golden("chaos-import.yaml", shown.out)
    assert "a stop condition is yours to write" in shown.err
    assert maestro("chaos", "import", "./plain.json", "--to", "new.yaml", cwd=tmp_path).code == 0
    assert (tmp_path / "new.yaml").read_text(encoding="utf-8") == shown.out
    assert maestro("chaos", "import", "./plain.json", "--to", "new.yaml", cwd=tmp_path).code == 2
    assert maestro("chaos", "show", "./new.yaml", cwd=tmp_path).code == 0


def test_what_could_be_broken_needs_a_cluster(configured: Path) -> None:
    assert maestro("chaos", "discover").code == 6

"""`maestro drill score`: what a response came to, against what was really injected."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.services import GlobalOptions, Services
from tests.cli.program import maestro


class NoSignals:
    def cooperative(self) -> Cancellation:
        return Cancellation()


@pytest.fixture
def incident(configured: Path) -> str:
    """Opened a moment ago for ml/deploy/fraud; nothing was done about it yet."""
    with Services(GlobalOptions(context="prod"), NoSignals()) as services:
        return services.desk.open("it is slow", workload=WorkloadRef("Deployment", "ml", "fraud")).id


def fault(began: datetime, **values: Any) -> dict[str, Any]:
    return {
        "schema": "maestro.fault/1", "event": "began", "id": "flt-1", "kind": "latency",
        "began": to_rfc3339(began), "ends": to_rfc3339(began + timedelta(minutes=15)), "parameters": {},
        "scope": {"model": "fraud"}, "by": "drill", "seed": 1, "note": "\x1b[2Jevil", **values,
    }  # fmt: skip


def journal(folder: Path, *lines: dict[str, Any]) -> str:
    path = folder / "faults.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)


def test_a_response_that_did_nothing_fails_with_its_truth_beside_it(incident: str, tmp_path: Path) -> None:
    path = journal(tmp_path, fault(datetime.now(UTC) - timedelta(seconds=30)))
    result = maestro("drill", "score", "latest", "--faults", path, "-o", "json")
    assert result.code == 10, result.err
    score = json.loads(result.out)
    assert score["schema"] == "maestro.dev/drill-fault-score/v1"
    assert (score["incident"], score["verdict"]) == (incident, "FAIL")
    assert score["phases"][0]["name"] == "detected"
    assert 0 < score["phases"][0]["seconds"] <= 30
    assert "the fault is still on" in score["misses"]
    assert (score["fault"]["kind"], score["cause_is_right"]) == ("latency", False)
    table = maestro("drill", "score", "--faults", path)
    assert table.code == 10
    assert "latency of fraud" in table.out
    assert "\x1b" not in table.out


def test_a_fault_that_was_not_on_decides_nothing(incident: str, tmp_path: Path) -> None:
    path = journal(tmp_path, fault(datetime.now(UTC) + timedelta(seconds=30)))
    result = maestro("drill", "score", "--faults", path, "-o", "json")
    assert result.code == 15
    assert json.loads(result.out)["verdict"] == "INDETERMINATE"


def test_without_a_journal_there_is_no_score(incident: str, tmp_path: Path) -> None:
    result = maestro("drill", "score", "--faults", str(tmp_path / "none"))
    assert (result.code, result.out) == (15, "")
    assert "--fault-journal" in result.error_lines[2]


def test_a_wrong_line_is_named(incident: str, tmp_path: Path) -> None:
    path = journal(tmp_path, fault(datetime.now(UTC)), fault(datetime.now(UTC)))
    result = maestro("drill", "score", "--faults", path)
    assert (result.code, result.out) == (3, "")
    assert f"{path}:2" in result.err


def test_the_journal_has_to_be_named(configured: Path) -> None:
    assert maestro("drill", "score").code == 2

"""What a model server recorded is read whole or refused; only what a crash cut short is passed over."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.chaos.drills.faults import read_faults
from maestro_cli.core.errors import InvalidFile, NoData
from maestro_cli.serving.faults.journal import FaultJournal, FaultRecord
from maestro_cli.serving.faults.model import KINDS, read_order

START = datetime(2027, 1, 1, tzinfo=UTC)
BEGAN: dict[str, Any] = {
    "schema": "maestro.fault/1", "event": "began", "id": "flt-1", "kind": "latency",
    "began": "2027-01-01T00:00:00Z", "ends": "2027-01-01T00:05:00Z",
    "parameters": {"milliseconds": 150.0, "at": "infer"}, "scope": {"model": "fraud", "version": 2},
    "by": "drill from 127.0.0.1", "seed": 1, "note": "",
}  # fmt: skip
ENDED: dict[str, Any] = {
    "schema": "maestro.fault/1", "event": "ended", "id": "flt-1", "ended": "2027-01-01T00:01:00Z",
    "ended_because": "kill-all", "hits": 7,
}  # fmt: skip


def journal(folder: Path, *lines: dict[str, Any] | str, end: str = "\n") -> Path:
    path = folder / "faults.jsonl"
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines) + end)
    return path


def test_what_the_server_writes_is_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    writer = FaultJournal(path, START)
    needed: dict[str, dict[str, float]] = {
        "latency": {"milliseconds": 5},
        "memory": {"ceiling_mebibytes": 64},
        "slow-drain": {"drain_seconds": 5},
    }
    for number, kind in enumerate(KINDS):
        wanted = {"kind": kind, "seconds": 60, "parameters": needed.get(kind, {})}
        order = read_order(json.dumps(wanted).encode())
        began = START + timedelta(seconds=number)
        writer.began(
            FaultRecord(f"flt-{number}", kind, order.parameters, {"model": ""}, began,
                        began + timedelta(seconds=60), "me", order.seed, "note")
        )  # fmt: skip
        if number % 2:
            writer.ended(f"flt-{number}", began + timedelta(seconds=9), "removed", 3)
    writer.close()
    found = read_faults([path])
    assert [fault.kind for fault in found] == list(KINDS)
    assert [fault.ended is not None for fault in found] == [bool(n % 2) for n in range(len(KINDS))]
    assert found[1].over_at == found[1].began + timedelta(seconds=9)
    assert found[0].over_at == found[0].ends
    assert {fault.note for fault in found} == {"note"}


def test_scope_and_end_are_kept(tmp_path: Path) -> None:
    (fault,) = read_faults([journal(tmp_path, BEGAN, ENDED)])
    assert (fault.model, fault.version, fault.hits, fault.ended_because) == ("fraud", 2, 7, "kill-all")
    assert not fault.met_nobody


def test_a_fault_that_met_nobody_is_known_and_one_that_nobody_counts_is_not(tmp_path: Path) -> None:
    (none,) = read_faults([journal(tmp_path, BEGAN, ENDED | {"hits": 0})])
    assert none.met_nobody
    (cpu,) = read_faults([journal(tmp_path, BEGAN | {"kind": "cpu"}, ENDED | {"hits": 0})])
    assert not cpu.met_nobody
    failed = ENDED | {"hits": 0, "ended_because": "failed"}
    (never,) = read_faults([journal(tmp_path, BEGAN | {"kind": "cpu"}, failed)])
    assert never.met_nobody
    (lost,) = read_faults([journal(tmp_path, BEGAN, ENDED | {"hits": 0, "ended_because": "process-ended"})])
    assert not lost.met_nobody


@pytest.mark.parametrize("size", [1, 20, 60, 200])
def test_a_line_that_a_crash_cut_short_is_passed_over(tmp_path: Path, size: int) -> None:
    cut = json.dumps(BEGAN | {"id": "flt-2"})[:size]
    assert [fault.id for fault in read_faults([journal(tmp_path, BEGAN, cut, end="")])] == ["flt-1"]
    # the next server ends the line and writes on
    (fault,) = read_faults([journal(tmp_path, BEGAN, cut, ENDED)])
    assert fault.ended_because == "kill-all"


@pytest.mark.parametrize(
    "line",
    [
        "rubbish", "[]", "{}", '{"schema": "maestro.fault/1"}',
        BEGAN, BEGAN | {"id": "flt-2", "schema": "maestro.fault/2"}, BEGAN | {"id": "flt-2", "extra": 1},
        BEGAN | {"id": "flt-2", "began": "yesterday"}, BEGAN | {"id": "flt-2", "ends": BEGAN["began"]},
        BEGAN | {"id": "flt-2", "scope": {"tenant": "x"}}, ENDED | {"id": "flt-9"},
        ENDED | {"ended": "2026-12-31T00:00:00Z"}, ENDED | {"hits": -1}, ENDED | {"hits": "many"},
        "[" * 5000,
    ],
    ids=str,
)  # fmt: skip
def test_a_line_that_is_wrong_is_told_and_nothing_is_read(tmp_path: Path, line: Any) -> None:
    with pytest.raises(InvalidFile) as caught:
        read_faults([journal(tmp_path, BEGAN, line, ENDED)])
    assert caught.value.where.endswith("faults.jsonl:2")


def test_an_end_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile) as caught:
        read_faults([journal(tmp_path, BEGAN, ENDED, ENDED)])
    assert caught.value.where.endswith(":3")


def test_without_a_journal_nothing_is_known(tmp_path: Path) -> None:
    with pytest.raises(NoData, match="no fault journal"):
        read_faults([tmp_path / "none"])


def test_several_journals_are_one_story_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    late = journal(tmp_path, BEGAN | {"began": "2027-01-01T00:00:10Z"})
    early = journal(tmp_path / "b", BEGAN | {"id": "flt-0"})
    assert [fault.id for fault in read_faults([late, early])] == ["flt-0", "flt-1"]

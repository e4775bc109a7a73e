"""What restores measured is read from the journal, whoever wrote it there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from maestro_cli.core.clock import SystemClock
from maestro_cli.core.verdict import Verdict
from maestro_cli.journal.store import Journal
from maestro_cli.services.recoveries import drill_lines, recovered
from maestro_cli.slo.measuring.recoveries import RECOVERY_MEASURED, Recovered, RecoveryMeasured
from maestro_cli.slo.objectives import Recovery
from tests.unit.slo.report.month import ASKED_AT, BACK, SPAN, inputs, reported

AT = datetime(2026, 10, 14, 8, tzinfo=UTC)
RESTORED = RecoveryMeasured("restore of the model store", AT, 240.0, 41.5, method="a sentinel a minute")
LOST = replace(BACK, name="lost", indicator=Recovery("rpo", 3600.0))


def services_with(folder: Path, *events: dict[str, Any]) -> Any:
    journal = Journal(folder / "j.sqlite", clock=SystemClock())
    for data in events:
        journal.append(RECOVERY_MEASURED, "recovery/model-store", "ana", data)
    return SimpleNamespace(journal=journal, desk=SimpleNamespace(list=lambda limit: ()))


def as_data(one: RecoveryMeasured) -> dict[str, Any]:
    return cast(dict[str, Any], msgspec.to_builtins(one))


def test_what_a_restore_measured_is_a_recovery_of_both_kinds_and_a_drill_of_the_report(
    tmp_path: Path,
) -> None:
    services = services_with(tmp_path, as_data(RESTORED))
    assert recovered(services, ASKED_AT) == (
        Recovered(AT, "rto", 240.0, RESTORED.of),
        Recovered(AT, "rpo", 41.5, RESTORED.of),
    )
    (line,) = drill_lines(services, SPAN)
    assert (line.name, line.verdict, line.rto_seconds, line.rpo_seconds) == (
        RESTORED.of, Verdict.PASS, 240.0, 41.5,
    )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"rpo_seconds": -1},
        {"rpo_seconds": "none"},
        {"at": "yesterday"},
        {"of": None},
        {"at": "2026-10-14T08:00:00"},
    ],
)
def test_an_event_of_another_shape_measured_nothing(tmp_path: Path, change: dict[str, Any]) -> None:
    services = services_with(tmp_path, as_data(RESTORED) | change)
    assert recovered(services, ASKED_AT) == ()
    assert drill_lines(services, SPAN) == ()


def test_what_was_to_be_measured_and_nobody_can_tell_leaves_the_verdict_open(tmp_path: Path) -> None:
    lost = RecoveryMeasured("failover of east", AT, 3.0, passed=False, unknown=["rpo"])
    found = recovered(services_with(tmp_path, as_data(RESTORED), as_data(lost)), ASKED_AT)
    judged = reported(replace(inputs(objectives=(LOST,)), recovered=found))[0].lines[0].measured.judgement
    assert judged.verdict is Verdict.INDETERMINATE
    assert judged.reason.startswith("1 of 2 within")
    assert judged.reason.endswith("not known: failover of east")


def test_a_recovery_counts_for_its_service_and_for_none_where_nobody_says_of_which(tmp_path: Path) -> None:
    def counted(service: str | None) -> bool:
        folder = tmp_path / f"of {service}"
        folder.mkdir()
        one = msgspec.structs.replace(RESTORED, service=service)
        found = recovered(services_with(folder, as_data(one)), ASKED_AT)
        judged = reported(replace(inputs(objectives=(LOST,)), recovered=found))[0].lines[0].measured.judgement
        return judged.verdict is Verdict.PASS

    assert [counted(one) for one in ("", LOST.service, "another", None)] == [True, True, False, False]


def test_loss_of_data_is_judged_by_restores_and_open_without_one(tmp_path: Path) -> None:
    found = recovered(services_with(tmp_path, as_data(RESTORED)), ASKED_AT)
    told, blind = (
        reported(replace(inputs(objectives=(LOST,)), recovered=some))[0].lines[0].measured.judgement
        for some in (found, tuple(one for one in found if one.kind == "rto"))
    )
    assert (told.verdict, RESTORED.of in told.reason) == (Verdict.PASS, True)
    assert blind.verdict is Verdict.INDETERMINATE
    assert blind.reason.startswith("no recovery drill measured it")

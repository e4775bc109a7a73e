"""The SLA report and its proof as a script meets them: shapes, formats, exit codes. No network is needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from maestro_cli.core.archives import pack, read_archive
from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.window import calendar_span
from maestro_cli.slo.report.bundle import INPUTS, REPORT, pack_bundle
from maestro_cli.slo.report.model import DrillLine, Exclusion, IncidentLine, Inputs
from tests.cli.program import Result, check_golden, maestro
from tests.unit.slo.report.month import ANSWERS, BACK, FAST, inputs, reported

FORMATS = ("table", "wide", "json", "yaml", "csv", "md", "jsonpath={.verdict}")
HOSTILE = "=1+1 | \x1b[31m<b>fraud</b>"
WEEK = calendar_span(datetime(2026, 10, 7, tzinfo=UTC), "week", "Europe/Berlin")


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=UTC)


def week(**others: object) -> Inputs:
    """A week: promises, maintenance that counts and that does not, an incident and a drill; hostile names."""
    named = replace(ANSWERS, name=f"{HOSTILE} answers", title=HOSTILE)
    wanted = replace(
        inputs(objectives=(named, FAST, BACK)),
        span=WEEK,
        unit="week",
        previous=1,
        waiting=(Exclusion("m2", at(8, 2), at(8, 4), HOSTILE, "ops"),),
        incidents=(IncidentLine("7", HOSTILE, "SEV2", at(6, 2), at(6, 5), 10800.0),),
        drills=(DrillLine(at(9, 0), HOSTILE, Verdict.PASS, 300.0, None),),
    )
    return replace(wanted, **others)  # type: ignore[arg-type]


def bundled(folder: Path, wanted: Inputs) -> Path:
    path = folder / "week.tar.gz"
    path.write_bytes(pack_bundle(*reported(wanted), ".tar.gz"))
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundled(tmp_path_factory.mktemp("sla"), week())


def changed(bundle: Path, folder: Path) -> Path:
    """The same with a better verdict in its report."""
    files = read_archive(bundle)
    files[REPORT] = files[REPORT].replace(b'"verdict":"FAIL"', b'"verdict":"PASS"')
    path = folder / "changed.tar.gz"
    path.write_bytes(pack(files, ".tar.gz"))
    return path


def shown(done: Result, bundle: Path) -> str:
    assert "\x1b" not in done.out
    return done.out.replace(str(bundle), "BUNDLE")


@pytest.mark.parametrize("form", FORMATS)
def test_a_report_is_the_same_in_every_format(bundle: Path, form: str) -> None:
    done = maestro("sla", "report", "--from", str(bundle), "-o", form)
    assert (done.code, done.err) == (10, ""), "a promise is broken"
    check_golden(f"sla-report.{form.partition('=')[0]}", shown(done, bundle))


@pytest.mark.parametrize("form", FORMATS)
def test_a_proof_is_the_same_in_every_format(bundle: Path, tmp_path: Path, form: str) -> None:
    false = changed(bundle, tmp_path)
    good, bad = (maestro("sla", "verify", str(one), "-o", form) for one in (bundle, false))
    assert (good.code, good.err) == (0, "")
    assert bad.code == 10
    assert "ask who made it for it again" in bad.err
    name = form.partition("=")[0]
    check_golden(f"sla-verify.{name}", shown(good, bundle))
    check_golden(f"sla-verify-changed.{name}", shown(bad, false))


def test_a_spreadsheet_runs_nothing_of_what_people_wrote(bundle: Path) -> None:
    lines = maestro("sla", "report", "--from", str(bundle), "-o", "csv").out.splitlines()
    assert len(lines) == 4
    assert not [line for line in lines if line.startswith(("=", '"=', "+", "-", "@"))]


@pytest.mark.parametrize(
    ("others", "code", "verdict"),
    [
        ({"objectives": (FAST, BACK)}, 0, "PASS"),
        ({}, 10, "FAIL"),
        ({"objectives": (FAST, BACK), "recovered": ()}, 15, "INDETERMINATE"),
        ({"objectives": ()}, 15, "INDETERMINATE"),
    ],
    ids=["kept", "broken", "not known", "nothing is no pass"],
)
def test_the_exit_code_is_by_the_verdict(
    tmp_path: Path, others: dict[str, object], code: int, verdict: str
) -> None:
    done = maestro("sla", "report", "--from", str(bundled(tmp_path, week(**others))), "-o", "json")
    assert (done.code, json.loads(done.out)["verdict"]) == (code, verdict)


def _of_nothing(files: dict[str, bytes]) -> None:
    files.clear()
    files["a"] = b"b"


def _nan(files: dict[str, bytes]) -> None:
    files[INPUTS] = files[INPUTS].replace(b'"target":0.999', b'"target":NaN')


def _deep(files: dict[str, bytes]) -> None:
    files[INPUTS] = b"[" * 1_000_000


@pytest.mark.parametrize("change", [_of_nothing, _nan, _deep])
def test_what_is_no_bundle_is_refused_in_three_lines(
    bundle: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None]
) -> None:
    files = read_archive(bundle)
    change(files)
    path = tmp_path / "none.zip"
    path.write_bytes(pack(files, ".zip"))
    for command in (("verify",), ("report", "--from")):
        done = maestro("sla", *command, str(path))
        assert (done.code, done.out) == (3, "")
        assert done.error_lines
    assert maestro("sla", "verify", str(tmp_path / "nowhere.zip")).code == 6

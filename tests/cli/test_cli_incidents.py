"""`maestro incident`: what is shown, in every format, and what is refused."""

from __future__ import annotations

import io
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maestro_cli.config.locations import state_dir
from maestro_cli.incidents.details import Details, read_details
from maestro_cli.incidents.gate import GateScope, read_gate
from maestro_cli.incidents.intake.blindness import read_sight
from maestro_cli.incidents.model import IncidentSilence, SilenceEnd
from maestro_cli.incidents.report.stats import sample_of, stats_of
from maestro_cli.output.formats import parse_format
from maestro_cli.output.renderers.incident_findings import findings_view, triage_view
from maestro_cli.output.renderers.incident_gate import gate_view
from maestro_cli.output.renderers.incident_stats import stats_table, stats_view
from maestro_cli.output.renderers.incidents import (
    incident_line,
    incident_silences_view,
    incident_view,
    incidents_view,
    timeline_view,
)
from maestro_cli.output.views import View
from maestro_cli.output.writer import OutputOptions, emit
from tests.cli.incident_scene import Scene, settled
from tests.cli.program import COMMAND, check_golden, environment, maestro
from tests.unit.incidents.world import T0, SetClock

FORMATS = ("table", "wide", "json", "yaml", "csv", "md", "jsonpath={.schema}")
REPORT_FORMATS = tuple(form for form in FORMATS if form != "csv")  # several tables have no CSV form


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is shown is local time: here it is UTC."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = Scene(tmp_path_factory.mktemp("scene") / "journal.db")
    yield made
    made.journal.close()


def details(scene: Scene, ref: str) -> Details:
    return read_details(scene.ana, ref, read_sight(scene.journal), scene.clock.now())


def shown(view: View, form: str) -> str:
    out = io.StringIO()
    emit(view, OutputOptions(parse_format(form), is_plain=True), out)
    return settled(out.getvalue())


def check(name: str, view: View, form: str) -> None:
    check_golden(f"{name}.{form.partition('=')[0]}", shown(view, form))


@pytest.mark.parametrize("form", FORMATS)
def test_the_list_in_every_format(scene: Scene, form: str) -> None:
    check("incident-list", incidents_view(scene.ana.list(), scene.clock.now()), form)


@pytest.mark.parametrize("form", REPORT_FORMATS)
def test_one_incident_in_every_format(scene: Scene, form: str) -> None:
    check("incident-show", incident_view(details(scene, "1")), form)


def test_one_that_was_merged_names_the_survivor(scene: Scene) -> None:
    check("incident-merged", incident_view(details(scene, "2")), "table")


@pytest.mark.parametrize("form", FORMATS)
def test_the_timeline_in_every_format(scene: Scene, form: str) -> None:
    check("incident-timeline", timeline_view(scene.ana.timeline("1")), form)


@pytest.mark.parametrize("form", FORMATS)
def test_the_evidence_in_every_format(scene: Scene, form: str) -> None:
    found = details(scene, "1")
    check("incident-evidence", findings_view(found.evidence, found.now), form)


@pytest.mark.parametrize("form", FORMATS)
def test_the_suspects_in_every_format(scene: Scene, form: str) -> None:
    check("incident-suspects", triage_view(details(scene, "1")), form)


def test_what_was_recorded_a_while_ago_is_stale_and_says_its_age(scene: Scene) -> None:
    found = details(scene, "1")
    early = scene.ana.evidence("1")[0].data["at"]
    assert "10m00s ago, stale" in shown(findings_view(found.evidence, found.now), "table")
    soon = found.now - timedelta(seconds=580)
    fresh = shown(findings_view(found.evidence, soon), "table")
    assert "20s ago" in fresh
    assert "stale" not in fresh
    body = json.loads(shown(findings_view(found.evidence, found.now), "json"))
    assert [(item["at"], item["age_seconds"]) for item in body["items"]] == [(early, 600.0)] * 2
    assert "stale: nobody watches, recorded 10m20s ago" in shown(incident_view(found), "table")


def test_what_people_reported_neither_fires_nor_needs_a_watch(scene: Scene) -> None:
    found = details(scene, "3")
    lines = shown(incident_view(found), "table").splitlines()
    assert "signals   1 reported" in lines
    assert [line.split()[:2] for line in lines if line.startswith("UserReport")] == [
        ["UserReport", "reported"]
    ]
    alerts = scene.ana.get("1")
    mixed = replace(alerts, signals=alerts.signals + 1, reported=1)
    both = replace(found, signals=(*found.signals, *details(scene, "1").signals), incident=mixed)
    assert "2 of 2 firing, 1 reported; stale: nobody watches" in shown(incident_view(both), "table")


def test_the_list_tells_reports_and_alerts_apart(scene: Scene) -> None:
    alerts, report = scene.ana.get("1"), scene.ana.get("3")
    assert (alerts.alerts, alerts.reported) == (2, 0)
    assert (report.alerts, report.reported) == (0, 1)
    listed = incidents_view([alerts, report, replace(alerts, signals=3, reported=1)], scene.clock.now())
    cells = [
        [column.cell(one) for column in listed.columns if column.title in ("firing", "reported")]
        for one in listed.items
    ]
    assert cells == [["2 of 2", None], [None, 1], ["2 of 2", 1]]
    assert "  1 reported  " in incident_line(report, scene.clock.now())
    assert "  2 of 2 firing  " in incident_line(alerts, scene.clock.now())


@pytest.mark.parametrize("form", FORMATS)
def test_silences_are_listed_in_every_format_with_how_they_stand(form: str) -> None:
    until = T0 + timedelta(hours=2)
    made = [
        IncidentSilence("chg-1", "alertname=Slow,namespace=ml", until, T0, "ana"),
        IncidentSilence("chg-2", "alertname=Errors", until, T0, "ana", T0, SilenceEnd.ENDED),
        IncidentSilence("chg-3", "alertname=\x1b[31mred", until, T0, "bo", T0, SilenceEnd.NOT_MADE),
        IncidentSilence("chg-4", "alertname=Old", T0, T0 - timedelta(hours=1), "bo"),
    ]
    check("incident-silences", incident_silences_view(made, T0 + timedelta(hours=1)), form)


@pytest.mark.parametrize("form", FORMATS)
def test_the_figures_in_every_format(scene: Scene, form: str) -> None:
    samples = [sample_of(one, details(scene, one.id).triage) for one in scene.ana.list()]
    found = stats_of(samples, T0 - timedelta(days=7), T0 + timedelta(hours=1))
    check("incident-stats", stats_table(found) if form == "csv" else stats_view(found), form)


# The program


@pytest.fixture
def home(configured: Path) -> Path:
    """The scene in the journal of context `prod`."""
    file = state_dir() / "journal" / "prod.sqlite"
    file.parent.mkdir(parents=True)
    scene = Scene(file, SetClock(datetime.now(UTC) - timedelta(days=1)))
    scene.journal.close()
    return file


def test_an_incident_by_hand_from_its_report_to_its_close(configured: Path) -> None:
    opened = maestro("incident", "open", "slow", "-n", "ml", "--from", "-", "-o", "json", stdin="long ago\n")
    assert (opened.code, opened.err) == (0, "")
    body = json.loads(opened.out)["items"][0]
    assert (body["state"], body["severity"], body["namespace"]) == ("detected", "sev3", "ml")
    steps = (
        (("ack", "latest"), "detected"),
        (("assign", "latest", "--to", "bo"), "detected"),
        (("severity", "latest", "sev4", "--reason", "few users"), "detected"),
        (("mitigate", "latest", "cache emptied"), "monitoring"),
        (("resolve", "latest"), "resolved"),
        (("reopen", "latest", "--reason", "again"), "triaging"),
        (("resolve", "latest"), "resolved"),
        (("close", "latest"), "closed"),
    )
    for words, state in steps:
        result = maestro("incident", *words, "-o", "jsonpath={.items[0].state} {.items[0].owner}")
        assert (result.code, result.err) == (0, ""), words
        assert result.out.split()[0] == state, words
    assert result.out.split()[1] == "bo"
    signal = json.loads(maestro("incident", "show", "latest", "-o", "json").out)["signals"][0]
    assert signal["annotations"]["description"] == "long ago\n"


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (("severity", "3", "sev9"), 2, "sev9"),
        (("severity", "1", "sev3"), 2, "needs a reason"),
        (("assign", "1"), 2, "not clear"),
        (("note", "1"), 2, "needs a text"),
        (("note", "1", "x", "--from", "-"), 2, "given twice"),
        (("note", "1", "--from", "/nonexistent"), 3, "cannot be read"),
        (("link", "1", "javascript://x"), 2, "not the address"),
        (("merge", "1", "2"), 11, "that would be a cycle"),
        (("merge", "1", "1"), 2, "into itself"),
        (("merge", "3", "4"), 11, "has to be open"),
        (("assign", "2", "--to", "me"), 11, "was merged into #1"),
        (("ack", "2"), 11, "was merged into #1"),
        (("note", "2", "x"), 11, "was merged into #1"),
        (("role", "2", "commander", "ana"), 11, "was merged into #1"),
        (("link", "2", "1"), 11, "was merged into #1"),
        (("task", "add", "2", "x"), 11, "was merged into #1"),
        (("ack", "1", "--expected-seq", "99999"), 2, "was ever written"),
        (("suspects", "3"), 15, "not triaged yet"),
        (("ack", "1", "--expected-seq", "3"), 11, "merged into #1"),
    ],
)
def test_what_is_refused_says_so(home: Path, words: tuple[str, ...], code: int, what: str) -> None:
    result = maestro("incident", *words)
    assert (result.code, result.out) == (code, "")
    assert what in result.err


@pytest.mark.parametrize("form", REPORT_FORMATS)
def test_the_gate_in_every_format(scene: Scene, form: str) -> None:
    reading = read_gate(scene.ana.list(), GateScope(), read_sight(scene.journal))
    check("incident-gate", gate_view(reading, "prod", scene.clock.now()), form)


def test_the_gate_tells_scripts_by_its_exit_code(home: Path) -> None:
    for words, code in (
        ((), 10),
        (("-n", "shop"), 0),
        (("-n", "shop", "--require-watch"), 15),
        (("--workload", "deploy/fraud", "-n", "ml"), 10),
        (("--fail-on", "sev9"), 2),
    ):
        result = maestro("incident", "gate", *words)
        assert result.code == code, (words, result.err)
    home.write_bytes(b"this is no journal")
    assert maestro("incident", "gate", "-n", "shop").code == 3
    home.unlink()
    missing = maestro("incident", "gate", "-n", "shop")
    assert (missing.code, missing.out) == (15, "")
    assert not home.exists()


def test_an_incident_is_watched_until_it_is_resolved(home: Path) -> None:
    begun = [*COMMAND, "incident", "watch", "3", "--until", "resolved", "--timeout", "3m", "-o", "jsonl"]
    with subprocess.Popen(
        begun, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as watch:
        assert watch.stdout is not None
        assert watch.stderr is not None
        states = [json.loads(watch.stdout.readline())["items"][0]["state"]]
        assert maestro("incident", "resolve", "3").code == 0
        states += [json.loads(line)["items"][0]["state"] for line in watch.stdout]
        assert (watch.wait(120), watch.stderr.read()) == (0, "")
    assert states == ["detected", "resolved"]


def test_numbers_of_incidents_are_completed_the_open_ones_first(home: Path) -> None:
    asked = {"_MAESTRO_COMPLETE": "complete_bash", "COMP_WORDS": "maestro incident show ", "COMP_CWORD": "3"}
    assert maestro(env=asked).out.split() == ["latest", "3", "1", "4", "2"]


def test_incidents_can_be_listed_by_their_owner(home: Path) -> None:
    for owner, numbers in (("ana", "1"), ("nobody", "3"), ("me", "")):
        result = maestro("incident", "list", "--owner", owner, "-o", "jsonpath={.items[*].number}")
        assert (result.code, result.out.strip()) == (0, numbers)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--owner", "me"), "no incidents by --owner me: 2 others are left out"),
        (
            ("--no-drills", "--owner", "x\x1b[2J"),
            "no incidents by --no-drills --owner x␛[2J: 2 others are left",
        ),
        (("--all", "--owner", "nobody-here"), "no incidents by --owner nobody-here: 4 others are left out"),
    ],
)
def test_where_options_leave_all_of_them_out_that_is_said(
    home: Path, options: tuple[str, ...], said: str
) -> None:
    told = maestro("incident", "list", *options)
    assert (told.code, said in told.err, "nobody watches" in told.err) == (0, True, False)


def test_where_there_is_none_whatever_was_asked_for_the_watch_is_told_of(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    told = maestro("incident", "list", "--owner", "me", "--no-drills")
    assert "no incidents, but nobody watches (maestro watch)" in told.err

"""`maestro incident postmortem`: written, reviewed, published, and as a page."""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from maestro_cli.config.locations import state_dir
from maestro_cli.core.clock import SystemClock
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.projection import IncidentProjection
from maestro_cli.incidents.register import find_incident
from maestro_cli.journal.store import Journal
from tests.cli.program import maestro

WRITTEN = {
    r"TODO\(owner\): say in two sentences what users saw and why\.": "Payments failed for a minute.",
    r"TODO\(owner\): confirm or correct the cause\.": "A typo.",
    r"(?m)^\| TODO\(owner\) .*\n": "",
    r"TODO\(owner\)(: why\?)?": "said",
    r"(\| Action \| Kind \| Owner \| Due \|\n\|---\|---\|---\|---\|\n)": (
        r"\1| Test the release | prevent | ana | 2026-12-01 |\n"
    ),
}


@pytest.fixture
def resolved(configured: Path, tmp_path: Path) -> Path:
    """A grave incident that was reported and resolved; returns where its post-mortem goes."""
    journal = opened()
    desk = IncidentDesk(journal, SystemClock(), "ana")
    desk.open("payments fail", severity=Severity.SEV1)
    desk.note("latest", "<script>alert(1)</script>")
    desk.resolve("latest", force=True, reason="it is well again")
    journal.close()
    return tmp_path / "pm.md"


def fill(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for pattern, words in WRITTEN.items():
        text = re.sub(pattern, words, text)
    path.write_text(text, encoding="utf-8")


def opened() -> Journal:
    path = state_dir() / "journal" / "prod.sqlite"
    return Journal(path, projections=[IncidentProjection()], clock=SystemClock())


def state() -> str:
    journal = opened()
    try:
        return str(find_incident(journal, "1").state)
    finally:
        journal.close()


def test_it_is_written_reviewed_filled_in_and_published(resolved: Path) -> None:
    to = ("--to", str(resolved))
    written = maestro("incident", "postmortem", "1", *to)
    assert (written.code, written.out) == (0, f"{resolved}\n"), written.err
    assert state() == "resolved", "a grave one is published by people"

    review = maestro("incident", "postmortem", "1", "--lint", *to, "-o", "json")
    assert review.out, review.err
    found = json.loads(review.out)
    assert (review.code, found["schema"]) == (10, "maestro.dev/postmortem-lint/v1")
    assert {one["rule"] for one in found["items"] if one["level"] == "error"} == {"unfilled"}
    sarif = json.loads(maestro("incident", "postmortem", "1", "--lint", *to, "-o", "sarif").out)
    assert sarif["runs"][0]["results"][0]["ruleId"] in {"unfilled", "missing-time"}

    refused = maestro("incident", "postmortem", "1", "--publish", *to)
    assert (refused.code, state()) == (11, "resolved"), refused.err
    assert maestro("incident", "postmortem", "1", "--publish", "--force", *to).code == 2

    fill(resolved)
    clean = maestro("incident", "postmortem", "1", "--lint")
    assert clean.code == 0, clean.out
    again = maestro("incident", "postmortem", "1", *to)
    assert again.code == 0, again.err
    assert "Payments failed for a minute." in resolved.read_text(encoding="utf-8")
    page = resolved.with_suffix(".html")
    assert maestro("incident", "postmortem", "1", "--format", "html", "--to", str(page)).code == 0
    html = page.read_text(encoding="utf-8")
    assert "Payments failed for a minute." in html
    assert "<script" not in html
    assert "&lt;script&gt;" in html

    document = json.loads(maestro("incident", "export", "1", "--as", "json").out)
    assert document["written_by_people"]["summary"] == "Payments failed for a minute."
    published = maestro("incident", "postmortem", "1", "--publish")
    assert (published.code, published.out) == (0, "the post-mortem of incident #1 is published\n")
    assert state() == "postmortem"
    bundle = resolved.with_name("published.zip")
    assert maestro("incident", "export", "1", "--to", str(bundle)).code == 0
    with zipfile.ZipFile(bundle) as archive:
        assert archive.read("published.md") == resolved.read_bytes()
    assert maestro("incident", "verify", str(bundle)).code == 0


def test_what_is_not_there_or_not_a_form_is_an_error(resolved: Path) -> None:
    missing = maestro("incident", "postmortem", "1", "--lint", "--to", str(resolved))
    assert missing.code == 6
    assert "maestro incident postmortem 1" in missing.error_lines[2]
    assert maestro("incident", "postmortem", "1", "--format", "pdf").code == 2
    resolved.symlink_to(resolved)
    looped = maestro("incident", "postmortem", "1", "--to", str(resolved))
    assert (looped.code, "--to FILE" in looped.err) == (12, True), looped.err
    assert maestro("incident", "postmortem", "1", "--lint", "--publish").code == 2
    assert maestro("incident", "postmortem", "9").code == 6


def test_a_bundle_is_made_once_and_verified_without_a_journal(resolved: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "incident.tar.gz"
    made = maestro("incident", "export", "1", "--to", str(bundle), "--whole-chain", "-o", "json")
    assert made.code == 0, made.err
    told = json.loads(made.out)
    assert told["schema"] == "maestro.dev/incident-export/v1"
    again = tmp_path / "again.tar.gz"
    assert maestro("incident", "export", "1", "--to", str(again), "--whole-chain").code == 0
    assert again.read_bytes() == bundle.read_bytes()
    assert maestro("incident", "export", "1", "--to", str(bundle)).code == 11

    own = maestro("incident", "verify", str(bundle))
    assert (own.code, "PASS" in own.out) == (0, True), own.err
    elsewhere = {"XDG_STATE_HOME": str(tmp_path / "other"), "XDG_CONFIG_HOME": str(tmp_path / "none")}
    unknown = maestro("incident", "verify", str(bundle), env=elsewhere)
    assert (unknown.code, "INDETERMINATE" in unknown.out) == (15, True), unknown.err
    known = maestro("incident", "verify", str(bundle), "--key", told["key"], "-o", "json", env=elsewhere)
    assert (known.code, json.loads(known.out)["verdict"]) == (0, "PASS"), known.err
    assert json.loads(known.out)["gaps"] == 0
    assert not (tmp_path / "other").exists()

    with tarfile.open(bundle) as archive:
        held = set(archive.getnames())
    page = (Path(__file__).resolve().parents[2] / "docs" / "post-mortems.md").read_text(encoding="utf-8")
    assert held | {"published.md"} == set(re.findall(r"^\| `([a-z0-9./-]+)` \|", page, re.MULTILINE))

    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 0xFF
    bundle.write_bytes(data)
    assert maestro("incident", "verify", str(bundle), "--key", told["key"]).code in {3, 10}


def test_an_export_as_json_and_as_lines(resolved: Path, tmp_path: Path) -> None:
    document = json.loads(maestro("incident", "export", "1", "--as", "json").out)
    assert (document["schema"], document["incident"]["severity"]) == ("maestro.dev/postmortem/v1", "sev1")
    events = [
        json.loads(one) for one in maestro("incident", "export", "1", "--as", "cloudevents").out.splitlines()
    ]
    assert events[0]["type"] == "dev.maestro.incident.opened"
    file = tmp_path / "timeline.jsonl"
    assert maestro("incident", "export", "1", "--as", "jsonl", "--to", str(file)).code == 0
    assert len(file.read_text().splitlines()) == len(events)
    assert maestro("incident", "export", "1", "--as", "xml").code == 2
    assert maestro("incident", "export", "1").code == 2
    assert maestro("incident", "verify", str(tmp_path / "none.zip")).code == 6
    assert maestro("incident", "verify", str(file)).code == 3

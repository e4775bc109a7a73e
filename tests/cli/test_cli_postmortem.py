"""`maestro incident postmortem`: written, reviewed, published, and as a page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from maestro_cli.config.locations import state_dir
from maestro_cli.core.clock import SystemClock
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.model import Severity
from maestro_cli.incidents.projection import IncidentProjection
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
    journal = Journal(
        state_dir() / "journal" / "prod.sqlite", projections=[IncidentProjection()], clock=SystemClock()
    )
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


def state() -> str:
    return str(json.loads(maestro("incident", "list", "--all", "-o", "json").out)["items"][0]["state"])


def test_it_is_written_reviewed_filled_in_and_published(resolved: Path) -> None:
    to = ("--to", str(resolved))
    written = maestro("incident", "postmortem", "1", *to)
    assert (written.code, written.out) == (0, f"{resolved}\n"), written.err
    assert state() == "resolved", "a grave one is published by people"

    review = maestro("incident", "postmortem", "1", "--lint", *to, "-o", "json")
    found = json.loads(review.out)
    assert (review.code, found["schema"]) == (10, "maestro.dev/postmortem-lint/v1")
    assert {one["rule"] for one in found["items"] if one["level"] == "error"} == {"unfilled"}
    sarif = json.loads(maestro("incident", "postmortem", "1", "--lint", *to, "-o", "sarif").out)
    assert sarif["runs"][0]["results"][0]["ruleId"] in {"unfilled", "missing-time"}

    refused = maestro("incident", "postmortem", "1", "--publish", *to)
    assert (refused.code, state()) == (11, "resolved"), refused.err
    assert maestro("incident", "postmortem", "1", "--publish", "--force", *to).code == 2

    fill(resolved)
    clean = maestro("incident", "postmortem", "1", "--lint", *to)
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

    published = maestro("incident", "postmortem", "1", "--publish", *to)
    assert (published.code, published.out) == (0, "the post-mortem of incident #1 is published\n")
    assert state() == "postmortem"


def test_what_is_not_there_or_not_a_form_is_an_error(resolved: Path) -> None:
    missing = maestro("incident", "postmortem", "1", "--lint", "--to", str(resolved))
    assert missing.code == 6
    assert "maestro incident postmortem 1" in missing.error_lines[2]
    assert maestro("incident", "postmortem", "1", "--format", "pdf").code == 2
    assert maestro("incident", "postmortem", "1", "--lint", "--publish").code == 2
    assert maestro("incident", "postmortem", "9").code == 6

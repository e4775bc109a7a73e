"""The main job, end to end, on real processes: from a bad release to a written post-mortem."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.session import Session, eventually

pytestmark = pytest.mark.e2e

SECTIONS = ("## Summary", "## Impact", "## Clock", "## Cause", "## Timeline", "## Evidence", "## Changes",
            "## Action items", "## Proof")  # fmt: skip


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(tmp_path)
    try:
        yield session
    finally:
        session.run("local", "down")
        assert session.survivors() == []


def test_the_drill_goes_from_nothing_to_a_postmortem_and_leaves_no_process(session: Session) -> None:
    picture = session.home / "drill.svg"
    result = session.run("drill", "run", "bad-release", "-o", "json", "--record", str(picture))
    assert result.returncode == 0, result.stderr + result.stdout
    card = json.loads(result.stdout)
    assert session.survivors() == []

    assert card["schema"] == "maestro.dev/drill-scorecard/v1"
    assert card["passed"]
    assert [phase["name"] for phase in card["phases"]] == ["detected", "triaged", "mitigated", "resolved"]
    seconds = [phase["seconds"] for phase in card["phases"]]
    assert seconds == sorted(seconds)
    assert card["blamed"] == card["true_cause"] == "release of ml/deploy/fraud, revision 2"
    assert card["fix"] == "rollback ml/deploy/fraud"
    assert 0 < card["errors_served"] < card["requests_served"]
    assert 0 < card["budget_share"] < 1

    text = Path(card["postmortem"]).read_text(encoding="utf-8")
    assert [section for section in SECTIONS if section not in text] == []
    assert "fraud=2" in text
    assert "<svg" in picture.read_text(encoding="utf-8")

    verified = session.run("journal", "verify", "-o", "json")
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["intact"]
    incidents = session.json("incident", "list", "--all")["items"]
    assert [(one["state"], one["drill"]) for one in incidents] == [("closed", True)]
    kinds = {event["kind"] for event in session.json("journal", "show")["items"]}
    assert {"drill.intended", "drill.scored", "change.verified", "incident.opened"} <= kinds
    before_score = session.json("journal", "show")["items"]
    truth = [event["seq"] for event in before_score if "true_cause" in json.dumps(event["data"])]
    assert truth == [event["seq"] for event in before_score if event["kind"] == "drill.scored"]


# The words after which the signal is sent: the phase before has then just ended.
MOMENTS = [
    ("", signal.SIGINT, 130),
    ("✓ platform", signal.SIGTERM, 143),
    ("✓ release", signal.SIGINT, 130),
    ("✓ error-ratio", signal.SIGTERM, 143),
    ("✓ apply", signal.SIGINT, 130),
]


@pytest.mark.parametrize(("words", "number", "code"), MOMENTS, ids=lambda value: str(value))
def test_a_signal_at_any_moment_leaves_nothing_and_a_later_run_works(
    session: Session, words: str, number: signal.Signals, code: int
) -> None:
    process = session.start("drill", "run", "bad-release")
    assert process.stderr is not None
    assert process.stdout is not None
    if not words:
        log = session.state / "local" / "logs" / "cluster.log"
        eventually(log.exists)
    else:
        for line in process.stderr:
            if line.startswith(words):
                break
    process.send_signal(number)
    error = process.stderr.read()
    process.stdout.read()
    assert process.wait(timeout=180) == code, error
    process.stdout.close()
    process.stderr.close()
    assert session.survivors() == []
    if session.run("journal", "verify").returncode == 6:
        return  # stopped before anything was recorded
    assert session.run("journal", "verify").returncode == 0
    assert session.json("incident", "list")["items"] == []

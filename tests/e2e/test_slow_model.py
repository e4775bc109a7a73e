"""A replica that becomes slow, end to end: noticed by the latency objective, named, restarted, scored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.session import Session

pytestmark = pytest.mark.e2e


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(tmp_path)
    try:
        yield session
    finally:
        session.run("local", "down")
        assert session.survivors() == []


def test_a_slow_replica_is_named_and_restarted_and_its_server_recorded_the_same(session: Session) -> None:
    done = session.run("drill", "run", "slow-model", "--keep", "-o", "json", timeout=600)
    assert done.returncode == 0, done.stderr + done.stdout
    card = json.loads(done.stdout)
    assert card["blamed"].startswith("pod ml/fraud-"), card
    assert card["true_cause"] == f"latency in {card['blamed']}"
    assert card["fix"] == "restart ml/deploy/fraud"
    assert [(phase["name"], phase["met"]) for phase in card["phases"]] == [
        (name, True) for name in ("detected", "triaged", "mitigated", "resolved")
    ]
    assert 0 < card["errors_served"] < card["requests_served"]

    pod = card["blamed"].removeprefix("pod ml/")
    journal = session.state / "local" / "serving" / "faults" / f"{pod}.jsonl"
    scored = session.run("drill", "score", card["incident"], "--faults", str(journal), "-o", "json")
    score = json.loads(scored.stdout)
    assert (scored.returncode, score["verdict"]) == (0, "PASS"), score
    assert score["fault"]["ended_because"] == "stopped"  # with its replica, by the restart
    assert score["fault"]["hits"] > 0
    by_phase = [{phase["name"]: phase["seconds"] for phase in one["phases"]} for one in (card, score)]
    assert by_phase[0] == by_phase[1]

    text = Path(card["postmortem"]).read_text(encoding="utf-8")
    assert f"pod ml/{pod}" in text
    events = session.json("journal", "show")["items"]
    (intent,) = [event for event in events if event["kind"] == "drill.intended"]
    assert pod not in json.dumps(intent["data"])

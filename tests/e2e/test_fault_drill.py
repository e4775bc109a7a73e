"""A game day by hand: a fault in one replica, a response, and a score against what its server recorded."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.local.addresses import listening_address
from tests.e2e.session import Session, eventually, platform_up

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with platform_up(tmp_path_factory.mktemp("gameday")) as session:
        yield session


class Replica:
    """One pod of the platform, and the key with which drills may break it."""

    def __init__(self, session: Session) -> None:
        pods = json.loads(session.kubectl("-n", "ml", "get", "pods", "-l", "app=fraud", "-o", "json"))[
            "items"
        ]
        self.name = pods[0]["metadata"]["name"]
        self._url = f"http://{listening_address(pods[0]['status']['podIP'])}:8080/v2/faults"
        folder = session.state / "local" / "serving"
        self._key = (folder / "chaos.key").read_text(encoding="ascii").strip()
        self.journal = folder / "faults" / f"{self.name}.jsonl"

    def fail(self, seconds: float) -> None:
        self._ask(json.dumps({"kind": "error", "seconds": seconds, "scope": {"model": "fraud"}}).encode())

    def mend(self) -> None:
        self._ask(method="DELETE")

    def _ask(self, content: bytes | None = None, method: str | None = None) -> None:
        request = urllib.request.Request(self._url, content, {"x-api-key": self._key}, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200


def score(session: Session, journal: Path) -> tuple[int, Any]:
    done = session.run("drill", "score", "latest", "--faults", str(journal), "-o", "json")
    return done.returncode, json.loads(done.stdout)


def test_a_response_to_an_injected_fault_is_scored_by_the_servers_own_record(session: Session) -> None:
    replica = Replica(session)
    eventually(lambda: session.run("status").returncode == 0)
    replica.fail(seconds=600)
    eventually(lambda: session.json("incident", "list")["items"] != [])
    assert session.run("incident", "triage", "latest").returncode == 0

    code, early = score(session, replica.journal)
    assert (code, early["verdict"]) == (10, "FAIL")
    assert "the fault is still on" in early["misses"]

    replica.mend()
    eventually(lambda: session.run("incident", "resolve", "latest").returncode == 0)
    code, card = score(session, replica.journal)
    assert card["blamed"] == f"pod ml/{replica.name}", card
    assert (code, card["verdict"]) == (0, "PASS"), card
    assert card["fault"]["kind"] == "error"
    assert card["fault"]["ended_because"] == "kill-all"
    assert card["fault"]["hits"] > 0
    assert [phase["name"] for phase in card["phases"]] == ["detected", "triaged", "mitigated", "resolved"]
    assert all(phase["met"] and phase["seconds"] > 0 for phase in card["phases"])


def test_without_the_record_the_same_response_is_not_judged(session: Session, tmp_path: Path) -> None:
    assert session.run("drill", "score", "latest", "--faults", str(tmp_path / "none")).returncode == 15

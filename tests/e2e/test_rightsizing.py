"""Right-sizing on the embedded platform, under load: what is too large is cut, what would hurt is not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.session import Session, eventually, platform_up

pytestmark = pytest.mark.e2e
FRAUD = "ml/deploy/fraud"
PRICES = Path(__file__).resolve().parents[2] / "deploy" / "local" / "prices.yaml"
# A platform of minutes has no week: that so little is enough is said by whom it is for.
LOOK = ("--window", "5m", "--least-history", "1m")
LIMIT_SECONDS = 300


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with platform_up(tmp_path) as session:
        yield session


def test_the_over_provisioned_demo_is_cut_and_a_cut_that_would_hurt_is_not_made(session: Session) -> None:
    over_provision(session)
    eventually(lambda: sized(session)["cpu"]["decision"] == "cut", LIMIT_SECONDS)
    before = report(session)
    assert before["saving"]["realisable"]["share"] >= 0.3
    assert before["saving"]["realisable"]["nodes_that_could_go_now"] == []

    done = session.run("cost", "rightsize", "apply", FRAUD, *LOOK, "--yes", "-o", "json", timeout=600)
    assert done.returncode == 0, done.stderr
    change = json.loads(done.stdout)
    assert (change["kind"], change["state"], change["cause"]) == ("set-resources", "verified", "right-sizing")
    assert "no objective of it burns" in change["evidence"]
    after = report(session)
    now = after["items"][0]["containers"][0]["now"]
    asked = before["items"][0]["containers"][0]
    assert now == asked["next"]
    assert now["cpu_request"] == pytest.approx(asked["now"]["cpu_request"] / 2, abs=0.002)
    assert all(budget["value"] > 0.5 for budget in after["items"][0]["budgets"])

    hurt = ("server/requests.memory=24Mi", "server/limits.memory=24Mi")
    undone = session.run("set", "resources", FRAUD, *hurt, "--accept", "large-cut", "--yes", timeout=600)
    assert (undone.returncode, "was killed for its memory" in undone.stderr) == (16, True), undone.stderr
    assert report(session)["items"][0]["containers"][0]["now"] == now

    eventually(lambda: sized(session)["cpu"]["decision"] == "refused", LIMIT_SECONDS)
    refused = session.run("cost", "rightsize", "apply", FRAUD, *LOOK, "--yes")
    assert (refused.returncode, "it was killed for its memory" in refused.stderr) == (11, True), (
        refused.stderr
    )
    assert session.run("journal", "verify").returncode == 0


def over_provision(session: Session) -> None:
    """So much that each replica needs a node of its own, which has the whole machine; and no CPU limit."""
    cores = f"server/requests.cpu={round(1000 * 0.6 * (os.cpu_count() or 1))}m"
    words = (cores, "server/limits.cpu-", "server/requests.memory=512Mi")
    done = session.run("set", "resources", FRAUD, *words, "--watch-seconds", "1", "--yes", timeout=600)
    assert done.returncode == 0, done.stderr


def report(session: Session) -> dict[str, Any]:
    done = session.run("cost", "rightsize", "-A", *LOOK, "--prices", str(PRICES), "-o", "json")
    assert done.returncode in (0, 15), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def sized(session: Session) -> dict[str, Any]:
    (item,) = [one for one in report(session)["items"] if one["name"] == "fraud"]
    found: dict[str, Any] = item["containers"][0]
    return found

"""A region is lost: callers are served by the other one, and what was lost follows from what was copied."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.regions import TwoRegions, two_regions
from tests.patience import wait_for

pytestmark = pytest.mark.e2e
NAME = "region-failover"


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoRegions]:
    with two_regions(tmp_path_factory.mktemp("regions")) as made:
        wait_for(lambda: made.session.run("chaos", "plan", NAME).returncode == 0, "a plan is let through")
        yield made


def run(regions: TwoRegions, code: int) -> dict[str, Any]:
    done = regions.session.run("chaos", "run", NAME, "--yes", "-o", "json")
    assert done.returncode == code, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["residue"] == []
    assert regions.leads_to() == "east"
    return found


PERIOD = 4.0


def test_the_other_region_serves_and_what_is_lost_follows_the_period_of_replication(
    regions: TwoRegions,
) -> None:
    regions.replicate(PERIOD)
    plan = regions.session.json("chaos", "plan", NAME)
    assert [one["ref"] for fault in plan["faults"] for one in fault["targets"]] == [
        "region/east", "ml/service/entrance",
    ]  # fmt: skip
    report = run(regions, 0)
    assert report["verdict"] == "PASS"
    found = report["failover"]
    assert (found["of"], found["to"]) == ("east", "west")
    assert 0 < found["rto_seconds"] < 30
    assert 0 <= found["rpo_seconds"] < PERIOD + 2  # a sentinel each half second, and the time of a copy


def test_without_replication_what_is_lost_is_not_known_and_never_a_pass(regions: TwoRegions) -> None:
    regions.replicate(None)
    report = run(regions, 15)
    assert report["verdict"] == "INDETERMINATE"
    assert report["failover"]["rpo_seconds"] is None
    assert report["failover"]["rto_seconds"] > 0


def test_what_a_kill_leaves_is_swept_the_region_first_and_then_the_callers(regions: TwoRegions) -> None:
    def failed_over() -> bool:
        return regions.leads_to() == "west"

    killed = regions.session.start("chaos", "run", NAME, "--yes")
    wait_for(failed_over, "callers are sent on")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    swept = regions.session.json("chaos", "sweep")["items"]
    assert [(one["faults"], one["residue"]) for one in swept] == [
        (["the region lost", "callers sent on"], []),
    ]
    assert regions.leads_to() == "east"


def test_no_region_is_lost_while_the_other_is_not_well(regions: TwoRegions) -> None:
    west = regions.west.session
    west.run("scale", "ml/deploy/fraud", "--replicas", "0", "--yes")
    try:
        done = regions.session.run("chaos", "run", NAME, "--yes")
        assert done.returncode == 11, done.stderr
        assert "not well" in done.stderr
    finally:
        west.run("scale", "ml/deploy/fraud", "--replicas", "3", "--yes")

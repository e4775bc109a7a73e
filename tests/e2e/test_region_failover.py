"""A region is lost: callers are served by the other one, and what was lost follows from what was copied."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from maestro_cli.core.clock import from_rfc3339, seconds_between
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


def run_of(regions: TwoRegions) -> str:
    """Whose sentinel was copied last."""
    found = regions.sentinel()
    return found.run if found is not None else ""


PERIOD = 3.0


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
    took = seconds_between(from_rfc3339(found["lost_at"]), from_rfc3339(found["proved_at"]))
    # a sentinel each half second, the time of a copy, and until the loss was proved
    assert 0 <= found["rpo_seconds"] < PERIOD + 2 + took


def test_what_is_lost_grows_from_when_replication_stopped(regions: TwoRegions) -> None:
    regions.replicate(0.5)
    before = run_of(regions)
    running = regions.session.start("chaos", "run", NAME, "--yes", "-o", "json")
    wait_for(lambda: run_of(regions) != before, "a sentinel of this run is copied")
    regions.replicate(None)
    out, _ = running.communicate(timeout=120)
    found = json.loads(out)["failover"]
    newest = regions.sentinel()
    assert newest is not None
    lost = seconds_between(newest.at, from_rfc3339(found["proved_at"]))
    assert found["rpo_seconds"] == pytest.approx(lost, abs=0.001)
    assert found["newest"] == newest.number < found["written"]
    assert lost > 2


def test_without_replication_what_is_lost_is_not_known_and_never_a_pass(regions: TwoRegions) -> None:
    report = run(regions, 15)
    assert report["verdict"] == "INDETERMINATE"
    assert report["failover"]["rpo_seconds"] is None
    assert report["failover"]["rto_seconds"] > 0


def failovers(regions: TwoRegions) -> list[dict[str, Any]]:
    """As the report of the month tells them, the first one first."""
    month = datetime.now(UTC).strftime("%Y-%m")
    drills = regions.session.json("sla", "report", "--month", month, "fraud-rto", "fraud-rpo")["drills"]
    return [one for one in drills if one["name"].startswith("failover of east to west")]


def test_what_the_drills_measured_is_judged_and_told_with_what_nobody_knows(regions: TwoRegions) -> None:
    """Whole minutes are judged: those of the first drill are over by now."""

    def judged() -> dict[str, str]:
        rows = regions.session.json("slo", "status", "fraud-rto", "fraud-rpo")["items"]
        return {one["objective"]: one["measured"]["verdict"] for one in rows}

    wait_for(lambda: judged()["fraud-rto"] == "PASS", "the drills are judged")
    told = failovers(regions)
    assert [one["verdict"] for one in told] == ["PASS", "PASS", "FAIL"]
    assert [one["rpo_seconds"] is None for one in told] == [False, False, True]


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
    before = len(failovers(regions)) - 1
    regions.session.json("chaos", "sweep")
    *_, last = told = failovers(regions)
    assert len(told) == before + 1, "once"
    assert (last["verdict"], last["rto_seconds"], last["rpo_seconds"]) == ("FAIL", None, None)


def test_no_region_is_lost_while_the_other_is_not_well(regions: TwoRegions) -> None:
    """The last test: the other region stays as it is then."""
    west = regions.west.session
    assert west.run("scale", "ml/deploy/fraud", "--replicas", "0", "--yes").returncode == 0
    done = regions.session.run("chaos", "run", NAME, "--yes")
    assert done.returncode == 11, done.stderr
    assert "not well" in done.stderr
    assert regions.leads_to() == "east"

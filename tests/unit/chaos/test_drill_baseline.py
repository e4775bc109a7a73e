"""Nothing is broken but what is well, is nobody's incident, and lets itself be broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maestro_cli.chaos.drills.conductor import unfinished
from maestro_cli.core.errors import (
    GateNotMet,
    MaestroError,
    NotFound,
    Refused,
    StalePlan,
    TimedOut,
)
from tests.unit.chaos.theatre import Theatre


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    made = Theatre(tmp_path / "journal.sqlite")
    yield made
    made.journal.close()


@pytest.mark.parametrize(
    ("disturb", "why"),
    [
        (lambda t: setattr(t.cluster, "ready", 2), "2 of 3 replicas"),
        (lambda t: setattr(t.metrics, "rate", None), "no requests"),
        (lambda t: setattr(t.metrics, "rate", 0.0), "no requests"),
        (lambda t: setattr(t.metrics, "rate", float("nan")), "no requests"),
        (lambda t: setattr(t.metrics, "ratio", 0.01), "error ratio is 1.00%"),
        (lambda t: setattr(t.metrics, "ratio", None), "not known"),
        (lambda t: setattr(t.responder, "alerts", ("Burn",)), "still firing: Burn"),
    ],
)
def test_nothing_is_broken_without_a_healthy_baseline(
    theatre: Theatre, disturb: Callable[[Theatre], None], why: str
) -> None:
    disturb(theatre)
    with pytest.raises(TimedOut, match="baseline") as caught:
        theatre.run()
    assert why in caught.value.why
    assert theatre.cluster.replaced == 0
    assert theatre.kinds == []


def test_a_real_incident_is_never_drilled_over(theatre: Theatre) -> None:
    theatre.responder.incidents = ("inc-real",)
    with pytest.raises(GateNotMet, match="inc-real"):
        theatre.run()
    assert theatre.cluster.replaced == 0


def test_what_opened_while_the_drills_own_platform_came_up_is_dismissed_once_all_is_well(
    theatre: Theatre,
) -> None:
    theatre.responder.young_incidents = ("inc-slow-start",)
    assert theatre.run().passed
    assert "it began while the platform came up for the drill" in theatre.responder.dismissed


def test_on_a_platform_that_was_up_every_open_incident_is_a_real_one(theatre: Theatre) -> None:
    theatre.stage.up_already = True
    theatre.responder.young_incidents = ("inc-young",)
    with pytest.raises(GateNotMet, match="inc-young"):
        theatre.run()
    assert theatre.cluster.replaced == 0


def test_a_workload_that_moved_since_the_baseline_is_left_alone(theatre: Theatre) -> None:
    def deploy() -> None:
        theatre.cluster.template = {"spec": {"containers": [{"args": ["--serve", "fraud=7"]}]}}
        theatre.cluster.version += 1

    theatre.cluster.before_replace = deploy
    with pytest.raises(StalePlan):
        theatre.run()
    assert theatre.cluster.template["spec"]["containers"][0]["args"] == ["--serve", "fraud=7"]
    assert theatre.cluster.replaced == 0
    assert theatre.kinds == ["drill.intended", "drill.undone"]
    assert unfinished(theatre.journal) == ()


@pytest.mark.parametrize(
    "error", [Refused("403"), NotFound("it is gone"), GateNotMet("an admission rule says no")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_what_the_cluster_refused_is_not_undone(theatre: Theatre, error: MaestroError) -> None:
    theatre.cluster.failures = [error]
    with pytest.raises(type(error), match=error.what):
        theatre.run()
    assert theatre.cluster.replaced == 0
    assert theatre.journal.events(kinds=("drill.undone",))[0].data == {"by": "nobody: nothing was shipped"}

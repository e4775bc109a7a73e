"""Breadcrumbs and history: where one was, and what was typed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from maestro_cli.tui.keys.history import LONGEST, History
from maestro_cli.tui.keys.trail import LONGEST as LONGEST_TRAIL
from maestro_cli.tui.keys.trail import Trail, named
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.widgets.crumbs import crumb_steps, crumb_words, step_at

PODS, NODES, POD = Place("pods"), Place("nodes"), Place("pod", "ml/pod/a")


def test_back_leads_through_the_places_and_ends_at_the_first() -> None:
    trail = Trail(PODS)
    trail.go(NODES)
    trail.go(POD)
    trail.go(POD)
    assert trail.places == (PODS, NODES, POD)
    assert (trail.back(), trail.here, trail.back(), trail.here, trail.back()) == (
        True,
        NODES,
        True,
        PODS,
        False,
    )


def test_the_last_place_is_the_one_before_this_one_whichever_way_one_came() -> None:
    trail = Trail(PODS)
    assert not trail.last()
    trail.go(POD)
    trail.back()
    assert (trail.last(), trail.here) == (True, POD)
    assert (trail.last(), trail.here) == (True, PODS)


def test_a_place_keeps_its_filter_and_the_trail_its_bound() -> None:
    trail = Trail(PODS)
    trail.filtered("fraud")
    for number in range(2 * LONGEST_TRAIL):
        trail.go(Place("pod", str(number)))
    assert len(trail.places) == LONGEST_TRAIL
    short = Trail(PODS)
    short.filtered("fraud")
    short.go(NODES)
    short.back()
    assert short.here.filter == "fraud"


INCIDENT = Place("incident", "#1", "prod")


def test_the_list_of_incidents_leaves_the_one_that_is_open() -> None:
    trail = Trail(PODS)
    for place in (INCIDENT, NODES, Place("incidents")):
        trail.go(place)
    assert list(trail.places) == [PODS, Place("incidents")]
    for place in (INCIDENT, PODS, Place("incidents")):
        trail.go(place)
    assert list(trail.places) == [PODS, Place("incidents")]


def test_an_open_incident_is_not_left_by_going_on_to_another_list() -> None:
    trail = Trail(PODS)
    for place in (Place("incidents"), INCIDENT, PODS, NODES, PODS):
        trail.go(place)
    assert list(trail.places) == [PODS, Place("incidents"), INCIDENT, PODS]
    trail.go(INCIDENT)
    assert list(trail.places) == [PODS, Place("incidents"), INCIDENT], "to itself, back to it"
    other = Place("incident", "#2", "prod")
    for place in (other, PODS, INCIDENT):
        trail.go(place)
    assert list(trail.places) == [PODS, Place("incidents"), INCIDENT], "an incident stands once"


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        (Place("incident", "1"), INCIDENT),
        (Place("incident", "#1"), INCIDENT),
        (Place("incident", "01", "prod"), INCIDENT),
        (Place("incident", "1", "eu"), Place("incident", "#1", "eu")),
        (Place("incident", "inc-7f"), Place("incident", "inc-7f", "prod")),
        (Place("pods", "1"), Place("pods", "1")),
    ],
    ids=["number", "with its sign", "with a nought", "of another context", "by its id", "no incident"],
)
def test_an_incident_has_one_name_however_it_was_typed(typed: Place, place: Place) -> None:
    assert named(typed, "prod") == place


def test_an_open_incident_stays_in_a_long_trail() -> None:
    trail = Trail(INCIDENT)
    for number in range(2 * LONGEST_TRAIL):
        trail.go(Place("pod", str(number)))
    assert len(trail.places) == LONGEST_TRAIL
    assert trail.places[0] == INCIDENT
    late = Trail(PODS)
    late.go(INCIDENT)
    for number in range(2 * LONGEST_TRAIL):
        late.go(Place("pod", str(number)))
    assert late.places[0] == INCIDENT
    assert late.here == Place("pod", str(2 * LONGEST_TRAIL - 1))


def test_a_click_finds_the_step_under_it_and_the_newest_steps_fit() -> None:
    steps = crumb_steps((PODS, NODES, POD), 80)
    assert [words for _, words in steps] == ["pods", "nodes", "pod ml/pod/a"]
    assert [step_at(steps, x) for x in (0, 3, 4, 7, 15, 26, 27)] == [0, 0, None, 1, 2, 2, None]
    assert crumb_steps((PODS, NODES, POD), 27) == steps
    assert crumb_steps((PODS, NODES, POD), 26) == ((0, "…"), *steps[1:]), "what is missing is said"
    assert crumb_words(Place("pods", filter="-l a=b", context="prod")) == "pods @prod -l a=b"
    assert crumb_words(Place("pods", "a\x1b[2J")) == "pods a␛[2J"


def test_history_is_private_bounded_and_each_line_is_there_once(tmp_path: Path) -> None:
    path = tmp_path / "state" / "console-history"
    history = History(path)
    for number in range(LONGEST + 5):
        history.add(f"pods {number}")
    history.add("pods 10")
    assert len(history.lines()) == LONGEST
    assert history.lines()[-1] == "pods 10"
    assert history.lines().count("pods 10") == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_history_goes_back_and_forward_to_what_was_typed(tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    for line in ("pods", "nodes"):
        history.add(line)
    assert [history.step(1, "dr"), history.step(1, ""), history.step(1, "")] == ["nodes", "pods", "pods"]
    assert [history.step(-1, ""), history.step(-1, "")] == ["nodes", "dr"]


def test_a_broken_history_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b"\xff\xfe\nno\x1b[2J\npods\n")
    assert History(path).lines()[-1] == "pods"
    assert all(line.isprintable() for line in History(path).lines())
    path.unlink()
    path.mkdir()
    broken = History(path)
    broken.add("pods")
    assert broken.lines() == []

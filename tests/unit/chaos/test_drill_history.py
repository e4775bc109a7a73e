"""What is said of a drill is how the newest of it came out that broke something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.chaos.drills.history import REFUSED, last_scores
from maestro_cli.core.errors import ActionFailed, Interrupted, Refused
from tests.unit.chaos.theatre import SCENARIO, Theatre


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    made = Theatre(tmp_path / "journal.sqlite")
    yield made
    made.journal.close()


def told(theatre: Theatre) -> str:
    return str(last_scores(theatre.journal).get(SCENARIO.name))


def test_a_drill_that_was_interrupted_since_is_no_pass(theatre: Theatre) -> None:
    theatre.run()
    assert told(theatre) == "PASS"
    theatre.responder.fails = Interrupted()
    with pytest.raises(Interrupted):
        theatre.run()
    assert told(theatre) == "INDETERMINATE: it ended before it was scored"
    theatre.responder.fails = None
    theatre.run()
    assert told(theatre) == "PASS"


def test_one_that_was_refused_broke_nothing_and_changes_nothing(theatre: Theatre) -> None:
    for before in ("None", "PASS"):
        assert told(theatre) == before
        theatre.cluster.failures = [Refused("forbidden")]
        with pytest.raises(Refused):
            theatre.run()
        assert told(theatre) == before
        theatre.run()


def test_one_that_is_at_work_or_was_killed_is_not_over(theatre: Theatre) -> None:
    theatre.run()
    seen: list[str] = []

    def respond(incident: str, **more: Any) -> None:
        seen.append(told(theatre))
        raise ActionFailed("it broke")

    theatre.responder.respond = respond  # type: ignore[method-assign]
    theatre.run()
    assert seen == ["INDETERMINATE: it is not over"]
    assert told(theatre).startswith("FAIL: the response stopped: it broke")


def test_one_that_was_refused_and_then_swept_is_still_no_drill(theatre: Theatre) -> None:
    begun = {"scenario": SCENARIO.name}
    theatre.journal.append("drill.intended", "drill/drl-1", "a", begun)
    theatre.journal.append("drill.undone", "drill/drl-1", "a", {"by": REFUSED})
    theatre.journal.append("drill.undone", "drill/drl-1", "a", {"by": "a sweep"})
    assert told(theatre) == "None"

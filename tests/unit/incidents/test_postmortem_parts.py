"""What people wrote is theirs: it is carried, never lost, and never taken for maestro's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_cli.config.settings import Responders
from maestro_cli.core.errors import GateNotMet, UsageError
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.model import Severity, State
from maestro_cli.incidents.report.human import PLACEHOLDER, part, parts, skeleton, with_parts, without_marks
from maestro_cli.incidents.report.postmortem import PostMortem
from tests.unit.incidents.world import Room, alert

TEXT = "\n".join(["# A", *part("one", ["TODO(owner)"]), "middle", *part("two", ["x", "y"]), "end", ""])


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    made.detector.reconcile([alert()], source="alertmanager-api")
    yield made
    made.journal.close()


def test_parts_are_found_and_replaced_and_the_rest_stays() -> None:
    assert parts(TEXT) == {"one": "TODO(owner)", "two": "x\ny"}
    changed = with_parts(TEXT, {"one": "a\n\nb"})
    assert changed is not None
    assert parts(changed) == {"one": "a\n\nb", "two": "x\ny"}
    assert skeleton(changed) == skeleton(TEXT)
    assert "write:" not in without_marks(TEXT)
    assert without_marks(TEXT).split() == ["#", "A", "TODO(owner)", "middle", "x", "y", "end"]


@pytest.mark.parametrize(
    "broken",
    [
        TEXT.replace("<!-- end: one -->\n", ""),
        TEXT.replace("<!-- write: two -->\n", ""),
        TEXT + "<!-- write: one -->\n<!-- end: one -->\n",
        TEXT.replace("TODO(owner)", "```\nopen"),
        TEXT.replace("end: one", "end: two"),
    ],
)
def test_marks_that_are_no_pairs_mean_no_parts(broken: str) -> None:
    assert parts(broken) is None
    assert skeleton(broken) is None


def test_a_mark_inside_code_is_code() -> None:
    quoted = TEXT.replace("middle", "```\n<!-- end: two -->\n```")
    assert parts(quoted) == parts(TEXT)
    assert skeleton(quoted) != skeleton(TEXT)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=" ab\n`~#-|<!>endwrit:", max_size=60), st.integers(0, len(TEXT)))
def test_any_edit_is_either_inside_a_part_or_seen(added: str, place: int) -> None:
    """Whatever is inserted anywhere: the skeleton is the same only if all else is as maestro wrote it."""
    edited = TEXT[:place] + added + TEXT[place:]
    if skeleton(edited) == skeleton(TEXT):
        words = parts(edited)
        assert words is not None
        assert with_parts(edited, parts(TEXT) or {}) == TEXT


def filled(text: str) -> str:
    return text.replace(
        f"{PLACEHOLDER}: say in two sentences what users saw and why.", "Payments failed.\n\nA lot."
    )


def test_what_people_wrote_is_carried_into_the_new_text(room: Room, tmp_path: Path) -> None:
    postmortem, target = PostMortem(room.journal, room.clock, "ana"), tmp_path / "pm.md"
    first = postmortem.write("latest", target)
    target.write_text(filled(target.read_text()))
    room.clock.advance(60)
    IncidentDesk(room.journal, room.clock, "ana").note("latest", "found later")
    second = postmortem.write("latest", postmortem.place("latest", target))
    text = target.read_text()
    assert "Payments failed.\n\nA lot." in text
    assert "found later" in text
    assert second.to_fill == first.to_fill - 1
    assert f"| To fill | {second.to_fill} sections to fill |" in text


def test_an_edit_outside_the_parts_is_left_alone(room: Room, tmp_path: Path) -> None:
    postmortem, target = PostMortem(room.journal, room.clock, "ana"), tmp_path / "pm.md"
    edited = filled(postmortem.write("latest", target).path.read_text()).replace("| Severity |", "| Sev |")
    target.write_text(edited)
    with pytest.raises(GateNotMet, match="left alone"):
        postmortem.place("latest", target)
    assert postmortem.written_by_people("latest", target) is None
    assert target.read_text() == edited


def test_a_grave_one_is_published_filled_in_or_with_a_reason(room: Room) -> None:
    desk = IncidentDesk(room.journal, room.clock, "ana")
    desk.set_severity("latest", Severity.SEV1)
    desk.resolve("latest", force=True, reason="test")
    with pytest.raises(GateNotMet, match="lacks 3 things"):
        desk.publish_postmortem("latest", path="pm.md", sha256="0" * 64, to_fill=3)
    with pytest.raises(UsageError, match="needs a reason"):
        desk.publish_postmortem("latest", path="pm.md", sha256="0" * 64, to_fill=3, force=True)
    assert desk.get("latest").times.published_at is None
    done = desk.publish_postmortem(
        "latest", path="pm.md", sha256="0" * 64, to_fill=3, force=True, reason="the board meets today"
    )
    assert done.state is State.POSTMORTEM
    assert desk.timeline("latest")[-1].text.endswith("as it is: the board meets today")


def test_a_light_one_may_be_published_as_it_is(room: Room) -> None:
    desk = IncidentDesk(room.journal, room.clock, "ana")
    desk.set_severity("latest", Severity.SEV3, reason="few users")
    desk.resolve("latest", force=True, reason="test")
    assert (
        desk.publish_postmortem("latest", path="a", sha256="0" * 64, to_fill=3).times.published_at is not None
    )


def test_figures_of_the_context_are_kept_for_when_it_is_gone(room: Room, tmp_path: Path) -> None:
    known = Responders(hourly_rate=90, currency="EUR")
    PostMortem(room.journal, room.clock, "ana", costs=known).write("latest", tmp_path / "pm.md")
    later = PostMortem(room.journal, room.clock, "ana")
    assert later.story("latest").cost.currency == "EUR"
    assert "hourly_rate" not in later.story("latest").cost.missing
    assert "replica_hourly_rate" in later.story("latest").cost.missing

"""Maintenance of the journal: declared when it was, approved by somebody else, and never forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from maestro_cli.core.errors import GateNotMet, InvalidFile, NotFound, PolicyRefused
from maestro_cli.core.people import Who
from maestro_cli.journal.store import Journal
from maestro_cli.journal.verification import verify
from maestro_cli.slo.exclusion_rows import ExclusionsProjection
from maestro_cli.slo.files.exclusions import ExclusionSpec, excluding
from maestro_cli.slo.recorded import add, approve, in_force, named, recorded, withdraw
from tests.unit.incidents.world import SetClock

NOW = datetime(2026, 10, 10, 12, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(days=30), NOW + timedelta(days=30)
ANN, BOB = Who("ann"), Who("bob")


def spec(start: str = "2026-10-09T22:00", **more: str) -> ExclusionSpec:
    plain = ExclusionSpec("move", "olga", "the database moves", start, "90m")
    return msgspec.structs.replace(plain, **more)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.sqlite", projections=[ExclusionsProjection()], clock=SetClock(NOW))
    yield made
    made.close()


def test_what_begins_later_counts_as_it_was_declared(journal: Journal) -> None:
    add(journal, spec("2026-10-11T22:00"), ANN)
    found = excluding(in_force(journal), BEFORE, AFTER, ["web"])
    assert (len(found.counted), found.waiting) == (1, ())


def test_what_began_waits_for_somebody_else_and_then_names_the_event_that_says_so(journal: Journal) -> None:
    """Nobody can say that it was declared before: the journal says when it was."""
    added = add(journal, spec(declared="2026-09-01T00:00:00Z", approved_by="somebody"), ANN)
    assert (added.maintenance.declared_at, added.maintenance.approved_by) == (NOW, "")
    assert excluding(in_force(journal), BEFORE, AFTER, ["web"]).counted == ()
    approve(journal, "move", BOB)
    (found,) = excluding(in_force(journal), BEFORE, AFTER, ["web"]).counted
    last = journal.events(subject="exclusion/move")[-1]
    assert (found.approved_by, found.journal) == ("bob", f"{last.seq}:{last.hash}")
    with pytest.raises(GateNotMet, match="approved already"):
        approve(journal, "move", Who("carl"))


@pytest.mark.parametrize(
    ("added", "second", "why"),
    [
        (ANN, Who("Olga"), "its owner"),
        (ANN, Who(" ANN "), "who asked for it"),
        (Who("ann", "sre"), Who("bob", "sre"), "the same credentials"),
        (Who("ann", "sre"), BOB, "nothing tells who you are"),
    ],
    ids=["owner", "who added it", "credentials", "no credentials"],
)
def test_nobody_approves_their_own(journal: Journal, added: Who, second: Who, why: str) -> None:
    add(journal, spec(), added)
    with pytest.raises(PolicyRefused) as raised:
        approve(journal, "move", second)
    assert why in raised.value.why
    assert named(journal, "move").maintenance.approved_by == ""


def test_an_approval_in_a_name_that_counts_no_more_does_not_stand_in_the_way(journal: Journal) -> None:
    """It was recorded by a maestro that did not see that it reads as the owner's name."""
    add(journal, spec(), ANN)
    journal.append("exclusion.approved", "exclusion/move", "olg\u0430", {"identity": ""})
    assert not named(journal, "move").maintenance.is_approved
    assert approve(journal, "move", BOB).maintenance.is_approved


def test_what_would_never_end_is_refused_and_nothing_is_recorded(journal: Journal) -> None:
    with pytest.raises(InvalidFile, match="until it comes again"):
        add(journal, spec("2026-10-11T22:00", duration="31d", rrule="FREQ=DAILY"), ANN)
    assert recorded(journal) == ()


def test_one_that_is_withdrawn_counts_no_more_and_is_still_there(journal: Journal) -> None:
    add(journal, spec("2026-10-11T22:00"), ANN)
    withdraw(journal, "move", BOB, "it was put off")
    assert in_force(journal) == ()
    (one,) = recorded(journal)
    assert one.withdrawn == "bob: it was put off"
    with pytest.raises(GateNotMet, match="was withdrawn"):
        approve(journal, "move", BOB)


def test_an_id_is_one_exclusion(journal: Journal) -> None:
    add(journal, spec(), ANN)
    for taken in ((), ("move",)):
        with pytest.raises(GateNotMet, match="already"):
            add(journal, spec(), BOB, taken)
    with pytest.raises(NotFound):
        approve(journal, "other", BOB)


@pytest.mark.parametrize(
    ("start", "more", "key"),
    [("yesterday", {}, "start"), ("2026-10-09T22:00", {"rrule": "FREQ=NEVER"}, "rrule")],
)
def test_what_cannot_be_is_refused_before_it_is_written(
    journal: Journal, start: str, more: dict[str, str], key: str
) -> None:
    with pytest.raises(InvalidFile) as raised:
        add(journal, spec(start, **more), ANN)
    assert raised.value.key == key
    assert journal.events(subject="exclusion/") == []


def test_the_table_is_what_a_replay_of_the_events_gives(journal: Journal, tmp_path: Path) -> None:
    """A journal of before, which had no such table, is caught up with when it is opened."""
    before = Journal(tmp_path / "before.sqlite", clock=SetClock(NOW))
    data = {"exclusion": msgspec.structs.asdict(spec()), "identity": "sre"}
    before.append("exclusion.added", "exclusion/move", "ann", data)
    before.append("exclusion.approved", "exclusion/move", "bob", {"identity": ""})
    before.close()
    now = Journal(before.path, projections=[ExclusionsProjection()], clock=SetClock(NOW))
    (one,) = recorded(now)
    assert (one.added_by, one.maintenance.approved_by, one.withdrawn) == (Who("ann", "sre"), "bob", "")
    withdraw(now, "move", ANN, "put off")
    now.close()
    assert verify(before.path, [ExclusionsProjection()]).intact

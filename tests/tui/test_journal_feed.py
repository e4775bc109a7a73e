"""What the journal holds is read again when its head has moved, and not before."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.services.root import Services
from maestro_cli.tui.feeds.journal import LOOK_SECONDS, OLDEST_SECONDS, journal_feed
from maestro_cli.tui.screens.table import every_feed
from tests.unit.incidents.world import SetClock, open_journal


class Looks(Cancellation):
    """Ends after so many looks; the clock moves with each, and `between` happens then."""

    def __init__(
        self, clock: SetClock, count: int, between: Any = None, seconds: float = LOOK_SECONDS
    ) -> None:
        super().__init__()
        self._clock, self._left, self._between, self._seconds = clock, count, between, seconds

    def wait(self, seconds: float) -> bool:
        self._clock.advance(self._seconds)
        self._left -= 1
        if self._between is not None:
            self._between(self._left)
        if self._left == 0:
            self.cancel()
        return self.is_set


class Told:
    """Keeps what it hears."""

    def __init__(self, heard: list[int]) -> None:
        self._heard = heard

    def read(self, data: int | None) -> None:
        self._heard.append(data or 0)

    def begun(self, data: object) -> None: ...

    def failed(self, error: Exception, heard_at: datetime | None = None) -> None:
        raise error


def read_all(tmp_path: Path, looks: int, between: Any = None, seconds: float = LOOK_SECONDS) -> list[int]:
    clock = SetClock()
    journal = open_journal(tmp_path, clock)
    services = cast(Services, SimpleNamespace(journal=journal, clock=clock))
    feed = journal_feed("count", lambda services, argument: services.journal.head().seq)
    told: list[int] = []
    assert feed.follow is not None
    other = open_journal(tmp_path, clock)
    feed.follow(
        services,
        "",
        Told(told),
        Looks(clock, looks, None if between is None else lambda left: between(other, left), seconds),
    )
    journal.close()
    other.close()
    return told


def test_at_rest_it_is_read_once(tmp_path: Path) -> None:
    assert len(read_all(tmp_path, looks=10)) == 1


def test_what_another_process_writes_is_read_at_the_next_look(tmp_path: Path) -> None:
    def write(journal: Any, left: int) -> None:
        if left == 3:
            journal.append("a.note", "a/1", "other", {})

    told = read_all(tmp_path, looks=6, between=write)
    assert len(told) == 2
    assert told[1] == told[0] + 1


def test_it_is_read_again_when_a_lease_may_have_ended(tmp_path: Path) -> None:
    assert len(read_all(tmp_path, looks=3, seconds=OLDEST_SECONDS)) == 3


def test_a_read_that_fails_ends_the_following_so_that_it_is_told(tmp_path: Path) -> None:
    def fails(services: Services, argument: str) -> None:
        raise ValueError("gone")

    feed = journal_feed("fails", fails)
    journal = open_journal(tmp_path, SetClock())
    assert feed.follow is not None
    with pytest.raises(ValueError, match="gone"):
        feed.follow(
            cast(Services, SimpleNamespace(journal=journal, clock=SetClock())),
            "",
            Told([]),
            Cancellation(),
        )
    journal.close()


@pytest.mark.parametrize(
    "feed",
    [one for one in every_feed().values() if one.needs == "the journal"],
    ids=lambda feed: str(feed.id),
)
def test_whatever_is_read_of_the_journal_alone_follows_its_head(feed: Any) -> None:
    assert feed.read is None
    assert feed.follow is not None

"""Services that threads share: each part is built once, however many ask at once, and closed once."""

from __future__ import annotations

import threading
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import NotFound
from maestro_cli.services import GlobalOptions, Services
from maestro_cli.services.built_once import built_once, read_once
from maestro_cli.services.incident_rules import IncidentRules

THREADS = 16
SECOND_SECONDS = 0.2  # how long the first to build looks out for another that builds: without a lock it comes


class Parts:
    """Counts how often each part is built; who builds the first waits for another to come in."""

    def __init__(self) -> None:
        self.building = threading.RLock()
        self.built: list[str] = []
        self._second = threading.Event()

    @built_once
    def part(self) -> object:
        self.built.append("part")
        if len(self.built) > 1:
            self._second.set()
        self._second.wait(SECOND_SECONDS)
        return object()

    @built_once
    def whole(self) -> tuple[object, object]:
        self.built.append("whole")
        return self.part, object()


def at_once(ask: Any) -> list[Any]:
    """What each of many threads gets that ask together."""
    ready, found = threading.Barrier(THREADS), list[Any]()

    def one() -> None:
        ready.wait()
        found.append(ask())

    threads = [threading.Thread(target=one) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_many_threads_get_the_one_part_that_was_built() -> None:
    parts = Parts()
    found = at_once(lambda: parts.part)
    assert parts.built == ["part"]
    assert len(found) == THREADS
    assert len({id(one) for one in found}) == 1


def test_a_part_is_built_of_others_under_the_same_lock() -> None:
    parts = Parts()
    found = at_once(lambda: parts.whole)
    assert sorted(parts.built) == ["part", "whole"]
    assert len({id(one) for one in found}) == 1
    assert found[0][0] is parts.part


def test_the_parts_of_one_object_do_not_wait_for_those_of_another() -> None:
    first, second = Parts(), Parts()
    with first.building:
        found: list[object] = []
        thread = threading.Thread(target=lambda: found.append(second.part))
        thread.start()
        thread.join(60)
    assert found == [second.part]


def test_one_that_could_not_be_built_is_built_when_it_is_asked_for_again() -> None:
    class Flaky(Parts):
        @built_once
        def door(self) -> str:
            self.built.append("door")
            if len(self.built) == 1:
                raise NotFound("not yet")
            return "open"

    flaky = Flaky()
    with pytest.raises(NotFound):
        _ = flaky.door
    assert (flaky.door, flaky.door) == ("open", "open")
    assert flaky.built == ["door"] * 2


def test_what_many_threads_read_at_once_is_what_the_first_was_told() -> None:
    class Reads(Parts):
        @read_once
        def answer(self) -> object:
            together.wait(60)
            return object()

    together, reads = threading.Barrier(THREADS), Reads()
    found = at_once(lambda: reads.answer)
    assert len(found) == THREADS
    assert {id(one) for one in found} == {id(reads.answer)}


@pytest.mark.parametrize("kind", [Services, IncidentRules], ids=lambda kind: str(kind.__name__))
def test_nothing_of_services_is_built_without_their_lock(kind: type[Any]) -> None:
    parts = {name: part for one in kind.__mro__ for name, part in vars(one).items()}
    without = [
        name
        for name, part in parts.items()
        if isinstance(part, cached_property) and not isinstance(part, built_once)
    ]
    assert without == []
    assert any(isinstance(part, built_once) for part in parts.values())


class NoSignals:
    def cooperative(self) -> Cancellation:
        return Cancellation()


CONFIG = """
current_context: x
contexts:
  x:
    prometheus: {url: "http://127.0.0.1:1"}
"""


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    (tmp_path / "maestro").mkdir()
    (tmp_path / "maestro" / "config.yaml").write_text(CONFIG)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAESTRO_CONTEXT", raising=False)
    return Services(GlobalOptions(), NoSignals())


def test_threads_share_one_journal_and_one_client_a_backend(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    from maestro_cli.journal.store import Journal
    from maestro_cli.sources.prometheus import Prometheus

    made: list[object] = []
    for kind in (Journal, Prometheus):
        begin = kind.__init__

        def counted(self: object, *given: Any, begin: Any = begin, **named: Any) -> None:
            made.append(type(self))
            begin(self, *given, **named)

        monkeypatch.setattr(kind, "__init__", counted)
    with services:
        at_once(lambda: (services.journal, services.desk, services.prometheus))
    assert sorted(one.__name__ for one in made) == ["Journal", "Prometheus"]  # type: ignore[attr-defined]


def test_a_cluster_that_hangs_while_objectives_are_read_holds_up_no_other_part(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, goes_on = threading.Event(), threading.Event()

    def hang(services: Services, files: object) -> dict[str, Any]:
        asked.set()
        assert goes_on.wait(120)
        return {}

    monkeypatch.setattr("maestro_cli.services.objectives.objectives_with", hang)
    built = list[object]()
    with services:
        reads = threading.Thread(target=lambda: services.objectives)
        builds = threading.Thread(target=lambda: built.append((services.journal, services.desk)))
        reads.start()
        assert asked.wait(60)
        builds.start()
        builds.join(60)
        is_built = bool(built)
        goes_on.set()
        for one in (reads, builds):
            one.join()
    assert is_built


def test_what_a_late_thread_opens_is_closed_at_once(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    from maestro_cli.sources.prometheus import Prometheus

    closed: list[object] = []
    monkeypatch.setattr(Prometheus, "close", lambda self: closed.append(self))
    services.close()
    assert closed == []
    late = services.prometheus
    assert closed == [late]

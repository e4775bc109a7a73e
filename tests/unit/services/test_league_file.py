"""The file of a league: never written over, and gone on with as it was begun."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.chaos.drills.league.model import LeagueReport
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import GateNotMet, NotFound, UsageError
from maestro_cli.core.progress import Quiet
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.services import league, rehearsing
from maestro_cli.services.root import Services


class FakeLeague:
    """Plays nothing but asks for a conductor."""

    def __init__(self, conductor: Callable[[int], object], *_: object) -> None:
        self._conductor = conductor

    def play(self, report: LeagueReport, **_: object) -> LeagueReport:
        self._conductor(1)
        return report


@pytest.fixture
def clusters(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Those that conductors were asked for."""
    asked: list[str | None] = []
    monkeypatch.setattr(league, "League", FakeLeague)
    monkeypatch.setattr(
        rehearsing, "conductor", lambda services, seed, cluster, *, second: asked.append(cluster)
    )
    return asked


def play(file: Path, **asked: Any) -> LeagueReport:
    down = SimpleNamespace(is_up=lambda: False)
    services = SimpleNamespace(clock=SystemClock(), cancellation=None, platform=down)
    wanted: dict[str, Any] = {"cluster": None, "keep": False, "resume": False, "progress": Quiet()} | asked
    names = ("quiet-hour",)
    return league.play_league(cast("Services", services), names, (1,), file=file, **wanted)[0]


def kept(folder: Path, cluster: str) -> Path:
    file = folder / "league.json"
    begun = LeagueReport((), (("crash-loop", 3),), SystemClock().now(), cluster)
    league._write(file, begun)
    return file


def test_a_league_that_is_kept_is_not_written_over(tmp_path: Path, clusters: list[str | None]) -> None:
    file = kept(tmp_path, "")
    before = file.read_bytes()
    with pytest.raises(GateNotMet, match="is there already"):
        play(file)
    assert (file.read_bytes(), clusters) == (before, [])


@pytest.mark.parametrize(
    ("cluster", "asked"), [("kubernetes", None), ("kubernetes", "kubernetes"), ("", None)]
)
def test_it_goes_on_where_it_was_begun(
    tmp_path: Path, clusters: list[str | None], cluster: str, asked: str | None
) -> None:
    report = play(kept(tmp_path, cluster), resume=True, cluster=asked)
    assert report.wanted == (("crash-loop", 3),)
    assert clusters == [cluster or None]


def test_it_goes_on_nowhere_else(tmp_path: Path, clusters: list[str | None]) -> None:
    with pytest.raises(UsageError, match="not begun on"):
        play(kept(tmp_path, "light"), resume=True, cluster="kubernetes")
    assert clusters == []


@pytest.mark.parametrize(("there", "is_refused"), [(("fraud",), True), (("fraud", "recommendation"), False)])
def test_a_platform_that_lacks_a_service_is_refused_before_anything_is_played(
    tmp_path: Path, clusters: list[str | None], there: tuple[str, ...], is_refused: bool
) -> None:
    def get_workload(ref: WorkloadRef) -> None:
        if ref.name not in there:
            raise NotFound(f"there is no {ref}")

    local = SimpleNamespace(cluster=SimpleNamespace(get_workload=get_workload))
    services = SimpleNamespace(
        clock=SystemClock(), cancellation=None, platform=SimpleNamespace(is_up=lambda: True),
        in_context=lambda name: local,
    )  # fmt: skip
    wanted: dict[str, Any] = {"cluster": None, "keep": False, "resume": False, "progress": Quiet()}
    play_it = partial(
        league.play_league, cast("Services", services), ("quiet-hour",), (1,), file=tmp_path / "x", **wanted
    )
    if is_refused:
        with pytest.raises(GateNotMet, match="has no service recommendation"):
            play_it()
    else:
        play_it()
    assert len(clusters) == (not is_refused)

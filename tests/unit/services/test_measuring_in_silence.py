"""A Prometheus that takes connections and never answers is told once, and soon."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import Unreachable
from maestro_cli.services import measuring
from maestro_cli.services.measuring import MeasureWanted, read_kept
from maestro_cli.slo.ports import RawSeries
from maestro_cli.sources.prometheus_raw import RawPrometheus
from tests.unit.slo.measuring.told import objective

NOW = datetime(2026, 10, 5, tzinfo=UTC)
ANSWER_SECONDS, QUICK_SECONDS = 1.0, 0.3
OBJECTIVES = {f"o{number}": replace(objective(), name=f"o{number}") for number in range(20)}


@contextmanager
def silent() -> Iterator[str]:
    """Takes every connection (the kernel does), and reads nothing of it."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=128)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


class Counting(RawPrometheus):
    """Also knows how often it was asked for samples."""

    asked = 0

    def samples(self, selector: str, start: datetime, end: datetime) -> Iterator[RawSeries]:
        self.asked += 1
        return super().samples(selector, start, end)


def _services(source: RawPrometheus) -> Any:
    return SimpleNamespace(
        clock=SimpleNamespace(now=lambda: NOW),
        raw_prometheus_of=lambda endpoint: source,
        objectives=OBJECTIVES,
        context_name="here",
    )


@pytest.mark.parametrize("fresh", [True, False], ids=["asked afresh", "kept"])
def test_of_twenty_objectives_as_many_wait_as_are_asked_at_once(
    fresh: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "QUICK_SECONDS", QUICK_SECONDS)
    with silent() as url:
        source = Counting(Endpoint(url=url), timeout_seconds=ANSWER_SECONDS)
        with pytest.raises(Unreachable):
            read_kept(_services(source), MeasureWanted(prometheus=url, fresh=fresh))
    assert source.asked == (measuring.AT_ONCE if fresh else 0)

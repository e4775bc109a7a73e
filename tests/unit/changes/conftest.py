"""Fixtures of the change tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.journal.store import Journal
from tests.unit.changes.bench import Bench, TickingClock
from tests.unit.changes.fake_cluster import FakeCluster, template


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Revision 1 serves fraud=1, revision 2 serves fraud=2 now; both come up."""
    clock = TickingClock()
    journal = Journal(tmp_path / "journal.db", projections=[ChangesProjection()], clock=clock)
    cluster = FakeCluster()
    cluster.ship(template(1), "release 1")
    cluster.ship(template(2), "release 2")
    yield Bench(journal, cluster, clock)
    journal.close()

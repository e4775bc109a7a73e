"""The recorded cluster of right-sizing, on a real Prometheus, once for all its tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.cost.rightsizing_cluster import record_cluster
from tests.contract.recorded_prometheus import recorded_prometheus


@pytest.fixture(scope="package")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("cluster")
    with recorded_prometheus(folder, record_cluster(), block_hours=512) as url:
        yield url

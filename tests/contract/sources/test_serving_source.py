"""The serving source against the bundled model server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import NotFound, UsageError
from maestro_cli.sources.serving import InferenceServer

pytestmark = pytest.mark.contract


@pytest.fixture
def source(serving_endpoint: Endpoint) -> Iterator[InferenceServer]:
    source = InferenceServer(serving_endpoint)
    yield source
    source.close()


def test_health_and_index(source: InferenceServer) -> None:
    assert (source.live(), source.ready()) == (True, True)
    assert source.metadata().name
    assert source.check().ok
    assert ("fraud", "READY") in {(item.name, item.state) for item in source.index()}


def test_what_it_does_not_serve_or_take(source: InferenceServer) -> None:
    with pytest.raises(NotFound):
        source.infer("absent", {"x": [[1.0]]})
    with pytest.raises(NotFound):
        source.infer("fraud", {"x": [[1.0]]}, version="99")
    with pytest.raises(UsageError):
        source.infer("fraud", {"no such input": [[1.0]]})

"""The routes, one module a group: each reads its request, asks one room, writes its answer.

Invariant: no endpoint decides anything that a room should.
"""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.serving.endpoints.health import HealthEndpoints
from maestro_cli.serving.endpoints.inference import InferenceEndpoints
from maestro_cli.serving.endpoints.metadata import MetadataEndpoints
from maestro_cli.serving.endpoints.metrics import MetricsEndpoints
from maestro_cli.serving.endpoints.replica import ReplicaEndpoints
from maestro_cli.serving.endpoints.repository import RepositoryEndpoints
from maestro_cli.serving.endpoints.routing import RoutingEndpoints
from maestro_cli.serving.endpoints.shadow import ShadowEndpoints
from maestro_cli.serving.replica import Replica
from maestro_cli.serving.routes import Route


def all_routes(replica: Replica) -> Iterator[Route]:
    """Every route of the server."""
    yield from HealthEndpoints(replica).routes()
    yield from MetadataEndpoints(replica).routes()
    yield from RepositoryEndpoints(replica).routes()
    yield from InferenceEndpoints(replica).routes()
    yield from RoutingEndpoints(replica).routes()
    yield from ShadowEndpoints(replica).routes()
    yield from ReplicaEndpoints(replica).routes()
    yield from MetricsEndpoints(replica).routes()
    if replica.injector is not None:
        from maestro_cli.serving.endpoints.faults import FaultEndpoints  # nothing of it without drills

        yield from FaultEndpoints(replica.injector, replica.repository, replica.router).routes()

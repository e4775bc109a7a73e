"""The page that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.protocol.http import Reply
from maestro_cli.serving.replica import Replica
from maestro_cli.serving.routes import Call, Route


class MetricsEndpoints:
    def __init__(self, replica: Replica) -> None:
        self._metrics = replica.metrics

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/metrics", self._page, Permission.VIEW)

    async def _page(self, call: Call) -> Reply:
        may_know = call.caller is not None and Permission.CHAOS in call.caller.permissions
        body, content_type = self._metrics.exposition(call.header(b"accept"), with_faults=may_know)
        return Reply(200, body, content_type)

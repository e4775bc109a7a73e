"""Faults for drills: what is on, start one, end one, end all. There only when the server was started so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from maestro_cli.core.clock import to_rfc3339
from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.errors import RequestError, quoted
from maestro_cli.serving.faults.encounter import Fault
from maestro_cli.serving.faults.injector import Injector
from maestro_cli.serving.faults.model import KINDS, Scope, read_order
from maestro_cli.serving.models.repository import Repository
from maestro_cli.serving.protocol.http import Reply, json_reply
from maestro_cli.serving.routes import Call, Route
from maestro_cli.serving.routing.router import Router


class FaultEndpoints:
    def __init__(self, injector: Injector, repository: Repository, router: Router) -> None:
        self._injector = injector
        self._repository = repository
        self._router = router

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/v2/faults", self._list, Permission.CHAOS)
        yield Route("POST", "/v2/faults", self._start, Permission.CHAOS)
        yield Route("DELETE", "/v2/faults", self._end_all, Permission.CHAOS)
        yield Route("DELETE", "/v2/faults/{id}", self._end, Permission.CHAOS)

    async def _list(self, call: Call) -> Reply:
        kinds = {kind.name: kind.does for kind in KINDS.values()}
        return json_reply({"faults": [_told(fault) for fault in self._injector.active], "kinds": kinds})

    async def _start(self, call: Call) -> Reply:
        order = read_order(await call.body())
        self._check_is_served(order.scope)
        return json_reply(_told(self._injector.start(order, _caller(call))))

    async def _end(self, call: Call) -> Reply:
        return json_reply(_told(self._injector.end(call.parameters["id"], "removed")))

    async def _end_all(self, call: Call) -> Reply:
        return json_reply({"ended": [fault.id for fault in self._injector.end_all("kill-all")]})

    def _check_is_served(self, scope: Scope) -> None:
        """A fault in what is not here would be a drill in which nothing happens."""
        if scope.version is not None:
            self._repository.find(scope.model, str(scope.version))
            return
        known = scope.model in self._router.in_force.asks or self._repository.of(scope.model)
        if scope.model and not known:
            raise RequestError(f"model {quoted(scope.model)} is not served here", status=404)


def _told(fault: Fault) -> dict[str, Any]:
    order = fault.order
    return {
        "id": fault.id,
        "kind": order.kind,
        "parameters": dict(order.parameters),
        "scope": msgspec.to_builtins(order.scope),
        "began": to_rfc3339(fault.began),
        "ends": to_rfc3339(fault.ends),
        "by": fault.by,
        "seed": order.seed,
        "note": order.note,
        "hits": fault.hits,
    }


def _caller(call: Call) -> str:
    """Who the journal names: the key, and the address it came from."""
    client = call.scope.get("client")
    who = call.caller.id if call.caller is not None and call.caller.id is not None else "nobody"
    return f"{who} from {client[0]}" if client else who

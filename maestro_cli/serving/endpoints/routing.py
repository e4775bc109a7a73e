"""The routing document: read it, try another one, put it in force.

A document is YAML or JSON. Putting one may name the digest it replaces in `If-Match`; `?dry_run=true` checks
it and says what it would have changed for the last requests, and changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs

from maestro_cli.core.errors import InvalidFile
from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.errors import RequestError, quoted
from maestro_cli.serving.protocol.http import Reply, json_reply
from maestro_cli.serving.replica import Replica
from maestro_cli.serving.routes import Call, Route
from maestro_cli.serving.routing.document import Routing, as_plain, read_routing
from maestro_cli.serving.routing.preview import preview

_MAX_DOCUMENT_BYTES = 256 * 1024
_CHANGE_ID = re.compile(r"[a-z0-9-]{1,40}")
_DRY = {"true": True, "1": True, "all": True, "false": False, "0": False}


class RoutingEndpoints:
    def __init__(self, replica: Replica) -> None:
        self._router = replica.router
        self._file = replica.routing_file
        self._log = replica.log

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/v2/routing", self._get, Permission.VIEW)
        yield Route("PUT", "/v2/routing", self._put, Permission.OPERATE)
        yield Route("POST", "/v2/routing/preview", self._preview, Permission.OPERATE)  # it costs time

    async def _get(self, call: Call) -> Reply:
        force = self._router.in_force
        return json_reply(
            {
                "digest": force.digest,
                "source": force.source,
                "change": force.change,
                "document": as_plain(force.routing),
            }
        )

    async def _put(self, call: Call) -> Reply:
        dry = _is_dry(call)
        routing = await self._read(call)
        force = self._router.in_force
        expected = call.header(b"if-match").strip('"')
        if expected not in ("", "*", force.digest):
            raise RequestError(
                f"the routing in force is {force.digest}, not {quoted(expected, 80)}", status=409
            )
        self._check(routing)
        if dry:
            call.audited["dry_run"] = True
            return await self._told(routing)
        if self._file is not None:
            self._file.write(routing)  # what is in force must still be so after a restart
        before = force.digest
        call.audited["before"] = before
        force = self._router.put(routing, "admin", change_of(call))
        call.audited["after"] = force.digest
        self._log.info("routing changed", digest=force.digest, replaces=before, source=force.source)
        return json_reply({"digest": routing.digest, "in_force": True})

    async def _preview(self, call: Call) -> Reply:
        routing = await self._read(call)
        self._check(routing)
        return await self._told(routing)

    async def _told(self, routing: Routing) -> Reply:
        changes = await preview(self._router, routing)
        return json_reply({"digest": routing.digest, "in_force": False, "preview": changes})

    def _check(self, routing: Routing) -> None:
        """Raises RequestError (400) when a document names what cannot answer here."""
        if problems := self._router.check(routing):
            raise RequestError(f"the routing is refused: {'; '.join(problems[:5])}")

    async def _read(self, call: Call) -> Routing:
        content = await call.body()
        if len(content) > _MAX_DOCUMENT_BYTES:
            raise RequestError(f"the routing is larger than {_MAX_DOCUMENT_BYTES} bytes", status=413)
        try:
            return read_routing(content.decode("utf-8"), "routing")
        except UnicodeDecodeError as error:
            raise RequestError("the routing is not UTF-8") from error
        except InvalidFile as error:
            raise RequestError(error.what) from error


def change_of(call: Call) -> str:
    """The change that a call belongs to, by its id in `x-maestro-change`; "" for what is none."""
    said = call.header(b"x-maestro-change")
    return said if _CHANGE_ID.fullmatch(said) else ""


def _is_dry(call: Call) -> bool:
    """A word that is misspelt must not put a document in force; raises RequestError (400)."""
    query = parse_qs(call.scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    said = query.pop("dry_run", ["false"])
    if query:
        raise RequestError(f"there is no parameter {quoted(next(iter(query)), 80)}; only dry_run")
    if len(said) != 1 or said[0].lower() not in _DRY:
        raise RequestError("dry_run must be true or false, once")
    return _DRY[said[0].lower()]

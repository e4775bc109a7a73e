"""The ASGI application: the border between HTTP and the endpoints.

Invariant: every answer that is not 200 is JSON with an `error`, every error has one log line (refusals up to
a rate), and nothing that a client sends ends in a traceback; what a drain does not wait for any longer is
answered, too. No endpoint sees a request that its caller may
not make.
"""

from __future__ import annotations

import asyncio
import contextlib

from maestro_cli.serving.access.audit import audit
from maestro_cli.serving.access.credentials import Forbidden, Unauthenticated
from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.endpoints import all_routes
from maestro_cli.serving.errors import ModelError, RequestError, ServingError, quoted
from maestro_cli.serving.protocol.http import ClientGone, Receive, Reply, Scope, Send, error_reply, send_reply
from maestro_cli.serving.replica import Replica
from maestro_cli.serving.routes import Call, Route, RouteTable

_ONE_REPLICA = b"x-maestro-replica"
# Inference meets its faults by itself; who may end a fault must never meet one.
_FAULTS_NEVER_REACH = (Permission.PREDICT, Permission.CHAOS)


class Application:
    """One replica behind ASGI."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self._routes = RouteTable(all_routes(replica))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"{scope['type']} is not served")
        call = Call(scope, receive)
        with contextlib.suppress(ClientGone):  # there is nobody to answer, and still something to tell
            await send_reply(send, await self._answer(call), close=self.replica.draining)
        for after in call.after:
            after()

    async def _answer(self, call: Call) -> Reply:
        try:
            route, call.parameters = self._routes.match(call.scope["method"], call.path)
        except ServingError as error:
            self.replica.log.refusal(error, path=call.path)
            return error_reply(error)
        reply: Reply | None = None
        try:
            reply = await self._answer_on(route, call)
        finally:
            audit(self.replica.log, route, call, reply.status if reply is not None else None)
        return reply

    async def _answer_on(self, route: Route, call: Call) -> Reply:
        try:
            self._admit(route, call)
            if self.replica.injector is not None and route.permission not in _FAULTS_NEVER_REACH:
                is_health = route.permission is Permission.OPEN
                await self.replica.injector.reach(is_health=is_health, header=call.header)
            return await route.handler(call)
        except ServingError as error:
            self.replica.log.refusal(error, path=call.path)
            return error_reply(error)
        except asyncio.CancelledError:
            if not self.replica.draining:
                raise
            late = ModelError("the server ends, and this was not answered in time", status=503)
            self.replica.log.refusal(late, path=call.path, trace_id=call.trace_id)
            return error_reply(late)
        except Exception as error:
            if isinstance(error, ClientGone):
                raise
            cause = f"{type(error).__name__}: {error}"
            self.replica.log.error("internal error", error=cause, path=call.path, trace_id=call.trace_id)
            return error_reply(ModelError("internal error"))

    def _admit(self, route: Route, call: Call) -> None:
        """Let the sender pass, if it means this replica; raises Unauthenticated, Forbidden, RequestError."""
        if route.permission is not Permission.OPEN:
            try:
                call.caller = self.replica.guard.caller(call.scope)
                call.caller.require(route.permission, call.parameters.get("model"))
            except (Unauthenticated, Forbidden) as refusal:
                key = call.caller.id if call.caller is not None else None
                self.replica.metrics.access_refused(refusal.status, key)
                raise
        wanted = call.header(_ONE_REPLICA) if route.permission is not Permission.PREDICT else ""
        if wanted not in ("", self.replica.id):
            raise RequestError(f"this is replica {self.replica.id}, not {quoted(wanted)}", status=421)

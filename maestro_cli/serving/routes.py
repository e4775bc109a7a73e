"""The table of routes: what is asked with which method and path, of whom, and who answers.

Invariant: a path matches at most one row, whatever the order of the rows. Matched by hand: Starlette's
router would cost 11 MB and 0.1 s of start.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from maestro_cli.serving.access.guard import Caller
from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.errors import RequestError, quoted
from maestro_cli.serving.protocol.http import ClientGone, Receive, Reply, Scope, header, read_body

T = TypeVar("T")

MAX_PATH_CHARACTERS = 1024
_REMEMBERED_PATHS = 1024
_NO_PARAMETERS: Mapping[str, str] = {}


@dataclass(slots=True)
class Call:
    """One request on its way. `after` runs, in order, once the answer's last byte was handed over.

    `trace_id` is that of a request that is traced. `caller` is who sent it, once that is known; `audited` is
    what its audit line says beside who and what.
    """

    scope: Scope
    receive: Receive
    parameters: Mapping[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)
    after: list[Callable[[], None]] = field(default_factory=list)
    trace_id: str | None = None
    caller: Caller | None = None
    audited: dict[str, object] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return str(self.scope["path"])

    def header(self, name: bytes) -> str:
        """The first header of that lower-case name, or ""."""
        return header(self.scope, name)

    async def body(self) -> bytes:
        """The whole body; raises RequestError (413, 408) or ClientGone."""
        return await read_body(self.scope, self.receive)

    async def while_connected(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns; when the client goes away first, it is cancelled. Raises ClientGone then.

        Only for after the body was read.
        """
        doing = asyncio.ensure_future(work)
        leaving = asyncio.ensure_future(self.receive())
        try:
            await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise ClientGone
            return doing.result()
        finally:
            for task in (doing, leaving):
                if not task.done():
                    task.cancel()


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """`path` may hold parameters that are a whole segment: `/v2/models/{model}/infer`."""

    method: str
    path: str
    handler: Handler
    permission: Permission

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.path.split("/"))


class RouteTable:
    """Looks a route up by method and path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._fixed: dict[str, dict[str, Route]] = {}
        self._patterns: dict[int, list[tuple[tuple[str, ...], dict[str, Route]]]] = {}
        for route in routes:
            self._add(route)
        self._by_pattern = lru_cache(_REMEMBERED_PATHS)(self._find_by_pattern)

    def _add(self, route: Route) -> None:
        if "{" not in route.path:
            known = self._fixed.setdefault(route.path, {})
        else:
            rows = self._patterns.setdefault(len(route.parts), [])
            known = next((methods for parts, methods in rows if parts == route.parts), {})
            if not known:
                rows.append((route.parts, known))
        if route.method in known:
            raise ValueError(f"{route.method} {route.path} is in the table twice")
        known[route.method] = route

    def match(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """The route and its parameters; raises RequestError (404, 414, or 405 with what is allowed)."""
        fixed = self._fixed.get(path)
        if len(path) > MAX_PATH_CHARACTERS:
            raise RequestError(f"the path is longer than {MAX_PATH_CHARACTERS} characters", status=414)
        known, parameters = (fixed, _NO_PARAMETERS) if fixed is not None else self._by_pattern(path)
        route = known.get("GET" if method == "HEAD" else method)
        if route is None:
            allow = ", ".join([*known, "HEAD"] if "GET" in known else known)
            raise RequestError(
                f"method {quoted(method, 16)} is not allowed here, only {allow}", status=405, allow=allow
            )
        return route, parameters

    def _find_by_pattern(self, path: str) -> tuple[Mapping[str, Route], Mapping[str, str]]:
        parts = path.split("/")
        for pattern, methods in self._patterns.get(len(parts), ()):
            if all(want == got or want[:1] == "{" for want, got in zip(pattern, parts, strict=True)):
                return methods, {
                    want[1:-1]: got for want, got in zip(pattern, parts, strict=True) if want[:1] == "{"
                }
        raise RequestError(f"no such route: {quoted(path)}", status=404)

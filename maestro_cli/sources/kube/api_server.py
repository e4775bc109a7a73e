"""REST calls to one API server, and what its answers mean.

Invariant: a Status object becomes one error of core.errors; lists are paged and complete or fail; a write
says `fieldManager=maestro`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import (
    ActionFailed,
    Busy,
    GateNotMet,
    MaestroError,
    NoData,
    NotFound,
    Refused,
    StalePlan,
    UsageError,
)
from maestro_cli.sources.deadline import started
from maestro_cli.sources.failures import not_like, quoted, shown_url
from maestro_cli.sources.http import Answer, Ask, HttpBackend
from maestro_cli.sources.opened import Opened

if TYPE_CHECKING:
    import httpx

    from maestro_cli.core.cancellation import Cancellation
    from maestro_cli.sources.kube.kubeconfig import Access

SYSTEM = "Kubernetes"
FIELD_MANAGER = "maestro"
PAGE_SIZE = 1000  # of pods about 5 MB; half as many round trips as kubectl makes
MAX_PAGES = 4000
MAX_LIST_BYTES = 128 * 2**20
MAX_STARTS = 2  # of a list whose snapshot expires while it is read
JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
T = TypeVar("T")
R = TypeVar("R")


class _Cause(msgspec.Struct):
    reason: str = ""
    message: str = ""
    field: str = ""


class _Details(msgspec.Struct):
    name: str | None = ""
    group: str | None = ""
    kind: str | None = ""
    causes: list[_Cause] | None = None


class Status(msgspec.Struct):
    """`meta/v1.Status`: why the API server did not do it."""

    kind: str = ""
    reason: str = ""
    message: str = ""
    code: int = 0
    details: _Details | None = None


class ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str | None = msgspec.field(name="continue", default=None)


class Page(msgspec.Struct, Generic[T]):
    """One page of a list."""

    metadata: ListMeta
    items: list[T] | None = None


@dataclass(frozen=True)  # no slots: Python 3.11 cannot call a subscripted slotted generic
class Part(Generic[R]):
    """What one page of a list holds, of the snapshot of that version."""

    lines: list[R]
    version: str
    is_first: bool
    is_last: bool


class InvalidObject(ActionFailed):
    """The API server found the object or patch invalid (422); nothing was changed."""


class ExpiredList(MaestroError):
    """The snapshot that a list was reading is gone (410); it has to start again."""


class ApiServer:
    """JSON in and out of REST paths."""

    def __init__(self, backend: HttpBackend, user_name: str) -> None:
        self._backend = backend
        self._user_name = user_name

    def close(self) -> None:
        """Close its connections; the source is of no use afterwards."""
        self._backend.close()

    @property
    def url(self) -> str:
        """The server's address, without credentials."""
        return shown_url(self._backend.url)

    def get(
        self, path: str, kind: type[T], params: Mapping[str, str | int] | None = None, accept: str = JSON,
        patience: float = 1.0,
    ) -> T:  # fmt: skip
        """One object of that path."""
        ask = Ask("GET", path, params, accept=accept, safe=True, patience=patience)
        return self._backend.decode(self._good(self._backend.ask(ask)), kind)

    def decoded(self, body: msgspec.Raw, kind: type[T]) -> T:
        """An answer of `get` that was left as it came, as that type; raises Unreachable when it is none."""
        return self._backend.decode(Answer(self._backend.url, 200, {}, bytes(body)), kind)

    def text(self, path: str, params: Mapping[str, str | int], limit_bytes: int) -> str:
        """A plain text answer, cut at that many bytes."""
        ask = Ask("GET", path, params, accept="*/*", safe=True, max_bytes=limit_bytes, truncate=True)
        return self._good(self._backend.ask(ask)).body.decode("utf-8", "replace")

    def review(self, path: str, body: Any, kind: type[T]) -> T:
        """Post an object that is a question, such as an access review: nothing changes."""
        ask = Ask("POST", path, body=msgspec.json.encode(body), safe=True)
        return self._backend.decode(self._good(self._backend.ask(ask)), kind)

    def patch(self, path: str, content_type: str, body: Any, kind: type[T], *, dry_run: bool) -> T:
        """Change one object, and give what it became (or would, in a dry run)."""
        return self._write("PATCH", path, content_type, body, kind, dry_run=dry_run)

    def create(self, path: str, body: Any, kind: type[T], *, dry_run: bool) -> T:
        """Create what stands at that path, such as an eviction."""
        return self._write("POST", path, JSON, body, kind, dry_run=dry_run)

    def delete(self, path: str, options: Any, kind: type[T], *, dry_run: bool) -> T:
        """Delete one object under these options."""
        return self._write("DELETE", path, JSON, options, kind, dry_run=dry_run)

    def _write(
        self, verb: str, path: str, content_type: str, body: Any, kind: type[T], *, dry_run: bool
    ) -> T:
        params: dict[str, str | int] = {"fieldManager": FIELD_MANAGER}
        if dry_run:
            params["dryRun"] = "All"
        ask = Ask(verb, path, params, msgspec.json.encode(body), content_type, safe=dry_run)
        return self._backend.decode(self._good(self._backend.ask(ask), safe=dry_run), kind)

    def items(self, path: str, kind: type[T], params: Mapping[str, str | int] | None = None) -> list[T]:
        """Every object of a list."""
        return self.gather(path, kind, _same, params)

    def gather(
        self, path: str, kind: type[T], line: Callable[[T], R],
        params: Mapping[str, str | int] | None = None, accept: str = JSON, patience: float = 1.0,
    ) -> list[R]:  # fmt: skip
        """What `line` makes of every object of a list, by pages of one snapshot.

        An object is let go once its line is made. When the snapshot expires between pages (410) the list
        starts again; the last time in one piece, as client-go's pager does.
        """
        return self.snapshot(path, kind, line, params, accept, patience)[0]

    def snapshot(
        self, path: str, kind: type[T], line: Callable[[T], R],
        params: Mapping[str, str | int] | None = None, accept: str = JSON, patience: float = 1.0,
    ) -> tuple[list[R], str]:  # fmt: skip
        """The same, and the resource version that the snapshot is of."""
        lines, version = list[R](), ""
        for part in self.parts(path, kind, line, params, accept, patience):
            if part.is_first:
                lines = []
            lines += part.lines
            version = part.version
        return lines, version

    def parts(
        self, path: str, kind: type[T], line: Callable[[T], R],
        params: Mapping[str, str | int] | None = None, accept: str = JSON, patience: float = 1.0,
    ) -> Iterator[Part[R]]:  # fmt: skip
        """The same as its pages come. After a first one what came before is void; only the last one is whole
        with those before it."""
        for _ in range(MAX_STARTS):
            version = ""
            try:
                for number, page in enumerate(self._pages(path, kind, params or {}, accept, patience)):
                    version, is_last = version or page.metadata.resource_version, not page.metadata.continue_
                    yield Part(list(map(line, page.items or ())), version, number == 0, is_last)
                return
            except ExpiredList:
                continue
        whole = self.get(path, Page[kind], params, accept)  # type: ignore[valid-type]  # a run-time type
        yield Part(list(map(line, whole.items or ())), whole.metadata.resource_version, True, True)

    def open(
        self, path: str, params: Mapping[str, str | int], cancellation: Cancellation, *,
        silence_seconds: float, begin_seconds: float | None = None, accept: str = JSON, patience: float = 1.0,
    ) -> Opened:  # fmt: skip
        """An answer that is read as it comes; raises as `get`, and Interrupted at once when cancelled."""
        ask = Ask("GET", path, params, accept=accept, safe=True, patience=patience)
        opened = self._backend.open(
            ask, cancellation, silence_seconds=silence_seconds, begin_seconds=begin_seconds
        )
        if not 200 <= opened.status < 300:
            with opened:
                self._good(Answer(self._backend.url + path, opened.status, opened.headers, opened.rest()))
        return opened

    def _pages(
        self, path: str, kind: type[T], params: Mapping[str, str | int], accept: str, patience: float
    ) -> Iterator[Page[T]]:
        """The pages in turn; while the caller works on one, the next is on its way."""

        def ask(token: str) -> Page[T]:
            asked = {**params, "limit": PAGE_SIZE, **({"continue": token} if token else {})}
            return self.get(path, Page[kind], asked, accept, patience)  # type: ignore[valid-type]  # a run-time type

        page, seen = ask(""), ""
        for _ in range(MAX_PAGES):
            token = page.metadata.continue_
            if not token:
                yield page
                return
            if token == seen:
                raise not_like(SYSTEM, self._backend.url, f"the list {path} comes to the same page again")
            following, seen = started(partial(ask, token)), token
            yield page
            page = following.result()
        raise not_like(SYSTEM, self._backend.url, f"the list {path} has no end")

    def _good(self, answer: Answer, *, safe: bool = True) -> Answer:
        if 200 <= answer.status < 300:
            return answer
        status = _status_of(answer)
        if status is None and answer.status == 404:
            path = answer.url.removeprefix(self._backend.url)
            raise NotFound(f"the cluster at {self.url} does not serve {path}", why=quoted(answer.body))
        if answer.status == 401:
            raise Refused(
                f"the cluster at {self.url} does not accept the credentials of {self._user_name or 'nobody'}",
                why=quoted(status.message if status else answer.body),
                fix="log in again, or check the user entry of the kubeconfig",
            )
        if status is not None and answer.status == 501:  # the light cluster's word for what it has not
            raise NotFound(f"the cluster at {self.url} does not serve this", why=quoted(status.message))
        if status is None or answer.status >= 500:
            return self._backend.expect_ok(answer, safe=safe)
        raise error_for(answer.status, status)


def api_server(
    access: Access, *, timeout_seconds: float = 10, transport: httpx.BaseTransport | None = None
) -> ApiServer:
    """The server that an access leads to."""
    backend = HttpBackend(
        SYSTEM,
        access.server,
        headers=access.headers,
        tls=access.tls,
        server_name=access.server_name,
        proxy=access.proxy,
        timeout_seconds=timeout_seconds,
        max_bytes=MAX_LIST_BYTES,
        transport=transport,
    )
    return ApiServer(backend, access.user_name)


def _same(item: T) -> T:
    return item


def error_for(code: int, status: Status) -> MaestroError:
    """What a Status with this code means."""
    said = quoted(status.message)
    if code == 403:
        return Refused("the cluster forbids it", why=said, fix=_permission_fix(status))
    if code == 404:
        return NotFound(said or "not found in the cluster")
    if code == 409 and status.reason != "AlreadyExists":
        return StalePlan("the target changed since it was read; nothing was done", why=said)
    if code == 410:
        return ExpiredList("the list expired", why=said)
    if code == 422:
        return InvalidObject("the cluster finds the change invalid; nothing was done", why=said)
    if code == 429:
        causes = status.details.causes if status.details else None
        if any(cause.reason == "DisruptionBudget" for cause in causes or ()):
            return GateNotMet(said, why="; ".join(quoted(c.message) for c in causes or ()))
        return Busy("the API server has too many requests", why=said, fix="try again in a moment")
    if code == 400:
        return UsageError("the cluster does not understand the request", why=said)
    return ActionFailed(f"the cluster answered HTTP {code}", why=said)


def _status_of(answer: Answer) -> Status | None:
    try:
        status = msgspec.json.decode(answer.body, type=ready(Status))
    except (msgspec.DecodeError, RecursionError):
        return None
    return status if status.kind == "Status" else None


def _permission_fix(status: Status) -> str:
    details = status.details
    if details is None or not details.kind:
        return "ask an administrator of the cluster for a role that allows it"
    resource = quoted(f"{details.kind}.{details.group}" if details.group else details.kind)
    return f"ask an administrator of the cluster for a role that allows the verb above on {resource}"


def waiting_container(error: UsageError) -> NoData:
    """A log that cannot be there yet (400: the container waits to start, or never ran before)."""
    return NoData("there is no log yet", why=error.why)

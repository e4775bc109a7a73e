"""The bundled model server's admin API: routing, models and caches of each replica behind one address.

Invariant: a call meant for one replica is done by that one or by none (421), however the load balancer
spreads. To meet another replica a new connection is opened while those before stay open: a balancer that
goes by the fewest connections then gives it to another one, and one that goes by chance sooner or later.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import quote

import msgspec

from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import ActionFailed, NotFound, StalePlan, Unreachable, UsageError
from maestro_cli.core.facts.inference import Move, RoutingInForce, RoutingPreview, ServedReplica
from maestro_cli.core.untrusted import Untrusted, visible
from maestro_cli.sources.failures import quoted
from maestro_cli.sources.http import Answer, Ask, HttpBackend

MOST_ASKS = 400
_MOST_HELD = 64
_MISDIRECTED = 421


class _Force(msgspec.Struct):
    digest: str
    document: msgspec.Raw
    change: str = ""


class _Move(msgspec.Struct, rename={"before": "from", "after": "to"}):
    name: str
    before: str
    after: str
    requests: int


class _Preview(msgspec.Struct):
    requests: int = 0
    moved: int = 0
    moves: list[_Move] = []


class _Told(msgspec.Struct):
    digest: str
    preview: _Preview = msgspec.field(default_factory=_Preview)


class _Model(msgspec.Struct):
    name: str
    version: int
    state: str


class _Cache(msgspec.Struct):
    cleared_by: str = ""


class _Replica(msgspec.Struct):
    replica: str
    routing: str
    pod: str = ""
    models: list[_Model] = []
    cache: _Cache = msgspec.field(default_factory=_Cache)


class _Error(msgspec.Struct):
    error: str = ""


def asks_for(count: int) -> int:
    """So many asks that reach replicas at random miss one of `count` less than once in a thousand times."""
    return min(MOST_ASKS, math.ceil(count * (math.log(max(count, 1)) + 7))) if count > 1 else max(count, 1)


class ServingAdmin:
    """What changes need of the servers. Methods raise Unreachable and Refused besides what they say."""

    def __init__(self, backend: HttpBackend, url: str) -> None:
        self._backend = backend
        self._url = url

    def routing(self) -> RoutingInForce:
        """The document in force at whichever replica answers."""
        answer = self._good(self._backend.get("/v2/routing"))
        said = self._backend.decode(answer, _Force)
        return RoutingInForce(said.digest, bytes(said.document).decode(), Untrusted(said.change))

    def preview_routing(self, document: str) -> RoutingPreview:
        """What a document would change; raises UsageError with the reason when the server refuses it."""
        ask = Ask("POST", "/v2/routing/preview", body=document.encode(), safe=True)
        told = self._backend.decode(self._good(self._backend.ask(ask)), _Told)
        return RoutingPreview(
            told.digest,
            told.preview.requests,
            told.preview.moved,
            tuple(
                Move(Untrusted(one.name), Untrusted(one.before), Untrusted(one.after), one.requests)
                for one in told.preview.moves
            ),
        )

    def put_routing(
        self, document: str, *, replaces: str, change: str, dry_run: bool = False
    ) -> RoutingInForce:
        """Put a document in force where that digest is; raises StalePlan, UsageError, GateNotMet."""
        ask = Ask(
            "PUT",
            "/v2/routing",
            {"dry_run": "true"} if dry_run else None,
            document.encode(),
            safe=dry_run,
            headers={"If-Match": f'"{replaces}"', "x-maestro-change": change},
        )
        answer = self._backend.ask(ask)
        if answer.status == 409:
            raise StalePlan(f"{self._url} did not put the routing in force", why=self._said(answer))
        self._good(answer, safe=dry_run)
        return self.routing()

    def replicas(self, count: int) -> Mapping[str, ServedReplica]:
        """Replicas by id, as far as they answered: asked until so many did, or often enough."""
        found: dict[str, ServedReplica] = {}
        ask = Ask("GET", "/v2/replica", safe=True)
        with closing(self._by_turns(ask, asks_for(count))) as answers:
            for answer in answers:
                said = self._backend.decode(self._good(answer), _Replica)
                states = {f"{model.name}@{model.version}": Untrusted(model.state) for model in said.models}
                cleared, pod = Untrusted(said.cache.cleared_by), Untrusted(said.pod)
                one = ServedReplica(Untrusted(said.replica), said.routing, states, cleared, pod)
                found[said.replica] = one
                if len(found) >= count:
                    break
        return found

    def load_model(self, model: str, version: int, *, replica: str, dry_run: bool = False) -> None:
        """Have one replica load a version; raises UsageError when it refuses, Unreachable when not met."""
        self._control("load", model, version, replica, dry_run=dry_run)

    def unload_model(self, model: str, version: int, *, replica: str, dry_run: bool = False) -> None:
        """Have one replica unload a version; raises as `load_model`, ActionFailed while it is routed to."""
        self._control("unload", model, version, replica, dry_run=dry_run)

    def clear_cache(self, model: str, *, replica: str, change: str, dry_run: bool = False) -> None:
        """Have one replica forget the answers it kept of a model, or of all ("")."""
        body = msgspec.json.encode({"parameters": {"model": model} if model else {}})
        self._meet("/v2/cache/clear", body, replica, change, dry_run=dry_run)

    def _control(self, verb: str, model: str, version: int, replica: str, *, dry_run: bool) -> None:
        path = f"/v2/repository/models/{quote(model, safe='')}/{verb}"
        self._meet(
            path, msgspec.json.encode({"parameters": {"version": version}}), replica, "", dry_run=dry_run
        )

    def _meet(self, path: str, body: bytes, replica: str, change: str, *, dry_run: bool) -> None:
        """Send it until that replica takes it; a rehearsal only looks whether the servers answer."""
        if dry_run:
            self._good(self._backend.get("/v2/replica"))
            return
        headers = {"x-maestro-replica": replica, "x-maestro-change": change}
        # To load, unload and forget twice is as once, so the call is safe to send again.
        ask = Ask("POST", path, body=body, safe=True, headers=headers, patience=8)
        with closing(self._by_turns(ask, MOST_ASKS)) as answers:
            for answer in answers:
                if answer.status != _MISDIRECTED:
                    self._good(answer)
                    return
        raise Unreachable(
            f"replica {visible(replica, 40)} behind {self._url} was not met in {MOST_ASKS} calls",
            fix="look whether it is still ready",
        )

    def _by_turns(self, ask: Ask, times: int) -> Generator[Answer, None, None]:
        """Answers on one connection after another; all are closed when nobody wants another answer."""
        held: deque[HttpBackend] = deque()
        try:
            for _ in range(times):
                held.append(self._backend.apart())
                yield held[-1].ask(ask)
                if len(held) > _MOST_HELD:
                    held.popleft().close()
        finally:
            for one in held:
                one.close()

    def _good(self, answer: Answer, *, safe: bool = True) -> Answer:
        if answer.status == 404:
            raise NotFound(f"{self._url} does not serve this", why=self._said(answer))
        if answer.status in (400, 413, 422):
            raise UsageError(f"{self._url} refuses this", why=self._said(answer))
        if answer.status == 409:
            raise ActionFailed(f"{self._url} cannot do this now", why=self._said(answer))
        return self._backend.expect_ok(answer, safe=safe)

    def _said(self, answer: Answer) -> str:
        try:
            text: Any = msgspec.json.decode(answer.body, type=ready(_Error)).error
        except (msgspec.DecodeError, RecursionError):
            text = answer.body
        return quoted(text)

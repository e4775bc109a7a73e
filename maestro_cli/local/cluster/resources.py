"""The verbs of a resource path: list, watch, get, create, update, patch, delete.

Invariant: a request is authorised for the verb that is really done before anything is read.
"""

from __future__ import annotations

import random
import re
import ssl
from collections.abc import Callable
from typing import Any, cast

import msgspec

from maestro_cli.local.cluster import kinds, subresources
from maestro_cli.local.cluster.access import Request as AccessRequest
from maestro_cli.local.cluster.access import User, refuse
from maestro_cli.local.cluster.http import JSON, Answer, Request, decode_json, json_answer
from maestro_cli.local.cluster.kinds import FIELD_DEFAULTS, FIELD_PATHS
from maestro_cli.local.cluster.logs import stream_logs
from maestro_cli.local.cluster.paging import (
    ListOptions,
    boolean,
    decode_token,
    encode_token,
    parse_options,
)
from maestro_cli.local.cluster.patches import json_patch, merge_patch
from maestro_cli.local.cluster.registry import Outcome, Registry, delete_options
from maestro_cli.local.cluster.representation import View
from maestro_cli.local.cluster.routes import Route
from maestro_cli.local.cluster.selectors import field_text, parse_field_selector, parse_label_selector
from maestro_cli.local.cluster.status import (
    REAL_CLUSTER,
    ApiError,
    Object,
    bad_request,
    expired_continue,
    lacking,
    not_allowed,
    success,
    too_large_version,
    unsupported_media,
)
from maestro_cli.local.cluster.store import Version
from maestro_cli.local.cluster.strategic import strategic_merge
from maestro_cli.local.cluster.unknown import UnknownFields
from maestro_cli.local.cluster.watching import Watch

Change = Callable[[Object], Any]
PATCHES: dict[str, Callable[[Any, Any, str], Any]] = {
    "application/json-patch+json": lambda target, patch, form: json_patch(target, patch),
    "application/merge-patch+json": lambda target, patch, form: merge_patch(target, patch),
    "application/strategic-merge-patch+json": strategic_merge,
}
_WATCH_SECONDS = (1800.0, 3600.0)
_VERBS = {
    ("GET", True): "get", ("GET", False): "list", ("POST", False): "create", ("PUT", True): "update",
    ("PATCH", True): "patch", ("DELETE", True): "delete", ("DELETE", False): "deletecollection",
}  # fmt: skip
# Real paths under a pod, a service or a node that need a container or a proxy.
_LACKING = ("exec", "attach", "portforward", "proxy", "ephemeralcontainers", "resize", "token")


class Resources:
    """Answers requests on the objects of the registry."""

    def __init__(self, registry: Registry, kubelets: ssl.SSLContext) -> None:
        """`kubelets` is how kubelets are trusted, and how they trust us."""
        self._registry = registry
        self._kubelets = kubelets

    async def answer(self, request: Request, route: Route, user: User) -> Answer:
        """Do what the request says. Raises ApiError."""
        if route.subresource:
            return await self._subresource(request, route, user)
        verb = _VERBS.get((request.method, bool(route.name)))
        is_everywhere = route.kind.namespaced and not route.namespace
        if verb is None or (is_everywhere and verb in ("create", "deletecollection")):
            raise not_allowed(request.method, request.path)
        if boolean(request.query.get("watch", "")) and request.method == "GET":
            verb = "watch"
        _authorise(user, verb, route)
        if verb in ("list", "watch"):
            return self._list_or_watch(request, route)
        view = _view(request, route)
        if verb == "get":
            return Answer(view.one(self._registry.get(route.kind, route.namespace, route.name)))
        if verb == "create":
            return await self._create(request, route, view)
        if verb == "deletecollection":
            return await self._delete_collection(request, route)
        if verb == "delete":
            return await self._delete(request, route)
        if verb == "update":
            replacement = await request.object()
            return self._update(request, route, lambda _: replacement, view)
        change = await _patch_of(request, route.kind.message)
        return self._update(request, route, change, view)

    def _update(self, request: Request, route: Route, change: Change, view: View, part: str = "") -> Answer:
        fields = UnknownFields.of(request, route.kind)
        outcome = self._registry.update(
            route.kind,
            route.namespace,
            route.name,
            change,
            part=part,
            dry_run=_dry_run(request.query),
            unknown=fields,
        )
        return fields.warn(_shown(view, outcome))

    async def _create(self, request: Request, route: Route, view: View) -> Answer:
        body = await request.object()
        if body is None:
            raise bad_request("the request has no body")
        fields = UnknownFields.of(request, route.kind)
        outcome = self._registry.create(
            route.kind, route.namespace, body, dry_run=_dry_run(request.query), unknown=fields
        )
        return fields.warn(_shown(view, outcome))

    async def _delete(self, request: Request, route: Route) -> Answer:
        options = _with_query(delete_options(await request.object()), request.query)
        dry_run = _dry_run(request.query) or bool(options.get("dryRun"))
        outcome = self._registry.delete(route.kind, route.namespace, route.name, options, dry_run=dry_run)
        if not outcome.gone or route.kind.grace is not kinds.no_grace:
            return json_answer(route.kind.outward(outcome.object))
        names = route.kind.names
        details = {"name": route.name, "group": names.group, "kind": names.plural}
        details["uid"] = outcome.object["metadata"]["uid"]
        return json_answer(success({field: value for field, value in details.items() if value}))

    async def _delete_collection(self, request: Request, route: Route) -> Answer:
        options = _with_query(delete_options(await request.object()), request.query)
        listing = parse_options(request.query)
        select = _selection(route, listing)
        dry_run = _dry_run(request.query) or bool(options.get("dryRun"))
        chosen = [one for one in self._registry.store.list(route.kind.shelf, route.namespace) if select(one)]
        for version in chosen:
            if self._registry.store.get(route.kind.shelf, version.key) is not None:
                self._registry.delete(route.kind, *version.key, options, dry_run=dry_run)
        metadata = {"resourceVersion": str(self._registry.store.revision)}
        return Answer(_view(request, route).many(chosen, metadata))

    def _list_or_watch(self, request: Request, route: Route) -> Answer:
        options = parse_options(request.query)
        select = _selection(route, options)
        view = _view(request, route)
        if options.watch:
            return self._watch(route, options, select, view)
        return self._list(route, options, select, view)

    def _list(
        self, route: Route, options: ListOptions, select: Callable[[Version], bool], view: View
    ) -> Answer:
        store = self._registry.store
        revision, after = (decode_token(options.token)) if options.token else (options.exact, ("", ""))
        if options.revision is not None and options.revision > store.revision:
            raise too_large_version(options.revision, store.revision)
        try:
            versions = store.list(route.kind.shelf, route.namespace, at=revision)
        except ApiError as error:
            raise expired_continue() if options.token and error.code == 410 else error from None
        found = [one for one in versions if one.key > after and select(one)]
        metadata: Object = {"resourceVersion": str(revision or store.revision)}
        if 0 < options.limit < len(found):
            left = len(found) - options.limit
            found = found[: options.limit]
            metadata["continue"] = encode_token(revision or store.revision, found[-1].key)
            if not options.label_selector and not options.field_selector:
                metadata["remainingItemCount"] = left
        return Answer(view.many(found, metadata))

    def _watch(
        self, route: Route, options: ListOptions, select: Callable[[Version], bool], view: View
    ) -> Answer:
        store = self._registry.store
        if options.revision is not None and options.initial_events and options.revision > store.revision:
            raise too_large_version(options.revision, store.revision)
        initial = options.initial_events
        if initial is None:
            initial = not options.revision
        watch = Watch(
            shelf=route.kind.shelf,
            select=select,
            show=view.stream(),
            bookmark=view.bookmark,
            start=options.revision,
            initial=initial,
            initial_end=bool(options.initial_events) and options.bookmarks,
            bookmarks=options.bookmarks,
            timeout_seconds=options.timeout_seconds or random.uniform(*_WATCH_SECONDS),
        )
        media_type = f"{JSON};as=Table;g=meta.k8s.io;v=v1" if view.form == "Table" else JSON
        return Answer(media_type=media_type, chunks=watch.stream(store), close=watch.close)

    async def _subresource(self, request: Request, route: Route, user: User) -> Answer:
        if route.subresource in _LACKING:
            _authorise(user, _VERBS.get((request.method, True), "create"), route)
            raise lacking(f"{route.kind.plural}/{route.subresource}")
        known = route.kind.subresource(route.subresource)
        verb = "create" if request.method == "POST" else _VERBS.get((request.method, True), "")
        if known is None:
            raise ApiError(
                404,
                "NotFound",
                f"the server could not find the requested resource; the light cluster has no "
                f"{route.kind.plural}/{route.subresource}, {REAL_CLUSTER} might",
            )
        if verb not in known.verbs:
            raise not_allowed(request.method, request.path)
        _authorise(user, verb, route)
        handler: Callable[..., Any] = getattr(self, f"_{known.name}")
        return cast(Answer, await handler(request, route, verb))

    async def _status(self, request: Request, route: Route, verb: str) -> Answer:
        view = _view(request, route)
        if verb == "get":
            return Answer(view.one(self._registry.get(route.kind, route.namespace, route.name)))
        change = await _change_of(request, verb, route.kind.message)
        return self._update(request, route, change, view, part="status")

    async def _scale(self, request: Request, route: Route, verb: str) -> Answer:
        if verb == "get":
            obj = self._registry.get(route.kind, route.namespace, route.name).object
            return json_answer(subresources.scale_of(obj))
        change = await _change_of(request, verb, "Scale")
        dry_run = _dry_run(request.query)
        outcome = subresources.write_scale(
            self._registry, route.kind, route.namespace, route.name, change, dry_run=dry_run
        )
        return json_answer(outcome.object)

    async def _finalize(self, request: Request, route: Route, verb: str) -> Answer:
        replacement = await request.object()
        return self._update(request, route, lambda _: replacement, _view(request, route))

    async def _binding(self, request: Request, route: Route, verb: str) -> Answer:
        body = await request.object()
        dry_run = _dry_run(request.query)
        return json_answer(
            subresources.bind(self._registry, route.namespace, route.name, body, dry_run=dry_run), 201
        )

    async def _eviction(self, request: Request, route: Route, verb: str) -> Answer:
        body = await request.object()
        dry_run = _dry_run(request.query)
        return json_answer(
            subresources.evict(self._registry, route.namespace, route.name, body, dry_run=dry_run), 201
        )

    async def _log(self, request: Request, route: Route, verb: str) -> Answer:
        pod = self._registry.get(route.kind, route.namespace, route.name).object
        node = self._registry.store.get(kinds.NODES.shelf, ("", pod["spec"].get("nodeName", "")))
        return await stream_logs(pod, node.object if node else None, request.query, self._kubelets)


def _authorise(user: User, verb: str, route: Route) -> None:
    kind = route.kind
    asked = AccessRequest(verb, kind.names, route.namespace, route.name, route.subresource)
    if not user.may(asked):
        raise refuse(user, asked)


def _view(request: Request, route: Route) -> View:
    return View.of(route.kind, request.headers.get("accept", ""), request.query.get("includeObject", ""))


def _shown(view: View, outcome: Outcome) -> Answer:
    obj = outcome.object
    version = Version(int(obj["metadata"].get("resourceVersion", 0)), ("", ""), obj, msgspec.json.encode(obj))
    return Answer(view.one(version), 201 if outcome.created else 200)


def _dry_run(query: dict[str, str]) -> bool:
    given = query.get("dryRun", "")
    if given not in ("", "All"):
        raise ApiError(422, "Invalid", f'dryRun: Unsupported value: "{given}": supported values: "All"')
    return given == "All"


def _with_query(options: Object, query: dict[str, str]) -> Object:
    """DeleteOptions may be given in the query as well; the body wins."""
    given: Object = {}
    if query.get("propagationPolicy"):
        given["propagationPolicy"] = query["propagationPolicy"]
    if query.get("gracePeriodSeconds"):
        if not re.fullmatch(r"-?[0-9]{1,18}", query["gracePeriodSeconds"]):
            raise bad_request("gracePeriodSeconds is not a number")
        given["gracePeriodSeconds"] = int(query["gracePeriodSeconds"])
    return delete_options({**given, **options})


def _selection(route: Route, options: ListOptions) -> Callable[[Version], bool]:
    labels = parse_label_selector(options.label_selector)
    fields = parse_field_selector(options.field_selector, route.kind.fields)
    namespace, name = route.namespace, route.name
    if not labels.requirements and not fields.terms and not namespace and not name:
        return lambda version: True

    def select(version: Version) -> bool:
        if (namespace and version.key[0] != namespace) or (name and version.key[1] != name):
            return False
        if labels.requirements and not labels.matches(version.object["metadata"].get("labels") or {}):
            return False
        return fields.matches(lambda path: _field(version.object, path))

    return select


def _field(obj: Object, path: str) -> str:
    text = field_text(obj, FIELD_PATHS.get(path, path), FIELD_DEFAULTS)
    if path == "source":
        return str((obj.get("source") or {}).get("component") or obj.get("reportingComponent", ""))
    return text


async def _change_of(request: Request, verb: str, message: str) -> Change:
    if verb == "patch":
        return await _patch_of(request, message)
    replacement = await request.object()
    if replacement is None:
        raise bad_request("the request has no body")
    return lambda _: replacement


async def _patch_of(request: Request, message: str) -> Change:
    """How the patch in the body changes an object of this message. Raises ApiError 400, 415."""
    apply = PATCHES.get(request.media_type)
    content = await request.body()
    if apply is None:
        if "apply-patch" in request.media_type:
            raise ApiError(415, "UnsupportedMediaType", lacking("server-side apply").message)
        raise unsupported_media(request.media_type, PATCHES)
    patch = decode_json(content)
    return lambda obj: apply(obj, patch, f"@{message}")

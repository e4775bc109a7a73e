"""Options of list and watch: resource versions, pages and their tokens.

Invariant: every page of one list shows the cluster as it was at the first.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from maestro_cli.local.cluster.status import (
    ApiError,
    Names,
    Problem,
    bad_request,
    forbidden_field,
    invalid,
    invalid_value,
    unsupported,
)
from maestro_cli.local.cluster.store import Key

_LIST_OPTIONS = Names("meta.k8s.io", "", "ListOptions")
_TOKEN_VERSION = "meta.k8s.io/v1"


def encode_token(revision: int, last: Key) -> str:
    """A continue token: where the next page starts, in the snapshot at `revision`."""
    namespace, name = last
    start = f"{namespace}/{name}\0" if namespace else f"{name}\0"
    body = msgspec.json.encode({"v": _TOKEN_VERSION, "rv": revision, "start": start})
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def decode_token(token: str) -> tuple[int, Key]:
    """The revision and the last key of the page before. Raises ApiError 400."""
    try:
        body = msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise bad_request(f"continue key is not valid: {error}") from error
    if not isinstance(body, dict) or body.get("v") != _TOKEN_VERSION:
        raise bad_request("continue key is not valid: server does not recognize this encoded version")
    revision, start = body.get("rv"), body.get("start")
    if not isinstance(revision, int) or revision <= 0 or not isinstance(start, str):
        raise bad_request("continue key is not valid: incorrect encoded start resourceVersion")
    namespace, slash, name = start.rstrip("\0").rpartition("/")
    return revision, (namespace if slash else "", name)


@dataclass(frozen=True, slots=True)
class ListOptions:
    """The query of a list or watch, checked."""

    watch: bool
    label_selector: str
    field_selector: str
    limit: int
    token: str
    revision: int | None
    match: str
    bookmarks: bool
    initial_events: bool | None
    timeout_seconds: float | None

    @property
    def exact(self) -> int | None:
        """The revision that was asked for exactly."""
        return self.revision if self.match == "Exact" else None


def parse_options(query: Mapping[str, str]) -> ListOptions:
    """Read a query. Raises ApiError 400, or 422 by the rules of ValidateListOptions."""
    initial = query.get("sendInitialEvents")
    options = ListOptions(
        watch=boolean(query.get("watch", "")),
        label_selector=query.get("labelSelector", ""),
        field_selector=query.get("fieldSelector", ""),
        limit=_integer("limit", query.get("limit", "")) or 0,
        token=query.get("continue", ""),
        revision=_revision(query.get("resourceVersion", "")),
        match=query.get("resourceVersionMatch", ""),
        bookmarks=boolean(query.get("allowWatchBookmarks", "")),
        initial_events=None if initial is None else boolean(initial),
        timeout_seconds=_integer("timeoutSeconds", query.get("timeoutSeconds", "")),
    )
    problems = _problems(options)
    if problems:
        raise invalid(_LIST_OPTIONS, "", problems)
    return options


def boolean(text: str) -> bool:
    """As Go's conversion of query values: anything but nothing, `0` and `false` is true."""
    return text.lower() not in ("", "0", "false")


def _integer(name: str, text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"-?\d{1,18}", text):
        raise bad_request(f'unable to parse {name}: strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def _revision(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"\d{1,19}", text):
        problem = invalid_value("resourceVersion", text, "strconv.ParseUint: invalid syntax")
        raise ApiError(400, "BadRequest", f"{problem.field}: {problem.message}")
    return int(text)


def _problems(options: ListOptions) -> list[Problem]:
    problems = []
    match, initial = options.match, options.initial_events
    if initial is not None and not options.watch:
        problems.append(forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if initial is not None and match != "NotOlderThan":
        why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        problems.append(forbidden_field("resourceVersionMatch", why))
    if options.watch and match and initial is None:
        why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        problems.append(forbidden_field("resourceVersionMatch", why))
    if options.watch or not match:
        return problems
    if options.revision is None:
        why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        problems.append(forbidden_field("resourceVersionMatch", why))
    if options.token:
        why = "resourceVersionMatch is forbidden when continue is provided"
        problems.append(forbidden_field("resourceVersionMatch", why))
    if match not in ("Exact", "NotOlderThan"):
        problems.append(unsupported("resourceVersionMatch", match, ("Exact", "NotOlderThan")))
    if match == "Exact" and options.revision == 0:
        why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        problems.append(forbidden_field("resourceVersionMatch", why))
    return problems

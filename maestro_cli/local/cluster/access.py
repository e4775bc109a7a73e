"""Who is asking, and what they may do.

Invariant: a request is allowed by a rule of the table or refused; the access reviews answer from the
same table.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from maestro_cli.local.cluster.status import ApiError, Names, Object, forbidden, unauthorized

READ = ("get", "list", "watch")
WRITE = ("create", "update", "patch", "delete", "deletecollection")
_ALL = ("*",)


@dataclass(frozen=True, slots=True)
class Rule:
    """Verbs on resources (`pods`, `pods/*`, `*`, `*/*`); `scope` is namespaced, cluster, or any."""

    verbs: tuple[str, ...]
    resources: tuple[str, ...]
    scope: str = "any"
    without: tuple[str, ...] = ()

    def allows(self, request: Request) -> bool:
        return (
            ("*" in self.verbs or request.verb in self.verbs)
            and (self.scope == "any" or (self.scope == "namespaced") is request.namespaced)
            and request.names.plural not in self.without
            and any(_covers(pattern, request) for pattern in self.resources)
        )


def _covers(pattern: str, request: Request) -> bool:
    resource, slash, subresource = pattern.partition("/")
    if resource not in ("*", request.names.plural):
        return False
    if not slash:
        return pattern == "*" or not request.subresource
    return subresource == "*" or subresource == request.subresource


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for; `namespaced` tells a namespaced kind, also when listed over all namespaces."""

    verb: str
    names: Names
    namespaced: bool
    namespace: str = ""
    name: str = ""
    subresource: str = ""


# `*` covers subresources too, as in RBAC. Cluster kinds are namespaces and nodes.
RULES: dict[str, tuple[Rule, ...]] = {
    "system:masters": (Rule(_ALL, _ALL),),
    "maestro:oncall": (
        Rule(_ALL, _ALL, scope="namespaced", without=("secrets",)),
        Rule(READ, ("secrets",)),
        Rule((*READ, "create", "update", "patch"), ("namespaces",)),
        Rule((*READ, "update", "patch"), ("nodes",)),
    ),
    "maestro:viewers": (Rule(READ, _ALL, without=("secrets",)),),
    "maestro:kubelets": (
        Rule(READ, ("configmaps", "secrets", "services", "endpoints", "endpointslices", "namespaces")),
        Rule((*READ, "create", "update", "patch"), ("nodes", "nodes/status")),
        Rule((*READ, "update", "patch", "delete"), ("pods", "pods/status")),
        Rule((*READ, "create", "update", "patch"), ("events",)),
        Rule(_ALL, ("leases",)),
    ),
    "maestro:agents": (
        Rule(_ALL, _ALL, without=("secrets",)),
        Rule((*READ, "delete", "patch"), ("secrets",)),
    ),
}
_REVIEWS = ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews")


@dataclass(frozen=True, slots=True)
class User:
    """An identity from the token file."""

    name: str
    uid: str
    groups: tuple[str, ...]

    def may(self, request: Request) -> bool:
        if request.verb == "create" and request.names.plural in _REVIEWS:
            return True
        return any(rule.allows(request) for rule in self.rules())

    def rules(self) -> list[Rule]:
        return [rule for group in self.groups for rule in RULES.get(group, ())]

    def info(self) -> Object:
        """The UserInfo of authentication/v1."""
        return {"username": self.name, "uid": self.uid, "groups": [*self.groups, "system:authenticated"]}


def refuse(user: User, request: Request) -> ApiError:
    """The 403 of the real server: who cannot do what to which resource, where."""
    resource = request.names.plural + (f"/{request.subresource}" if request.subresource else "")
    where = f'in the namespace "{request.namespace}"' if request.namespace else "at the cluster scope"
    why = (
        f'User "{user.name}" cannot {request.verb} resource "{resource}" '
        f'in API group "{request.names.group}" {where}'
    )
    return forbidden(request.names, request.name, why)


def review_rules(user: User) -> list[Object]:
    """The user's rules as ResourceRules of authorization/v1."""
    return [
        {"verbs": list(rule.verbs), "apiGroups": ["*"], "resources": list(rule.resources)}
        for rule in user.rules()
    ]


class Tokens:
    """The bearer tokens of a token file."""

    def __init__(self, rows: Iterable[list[str]]) -> None:
        self._users = {
            row[0]: User(row[1], row[2], tuple(row[3].split(",")) if len(row) > 3 else ()) for row in rows
        }

    @classmethod
    def read(cls, path: Path) -> Tokens:
        """Read `token,user,uid,"group,…"` lines."""
        with path.open(newline="", encoding="utf-8") as lines:
            return cls(csv.reader(lines))

    def user(self, authorization: str) -> User:
        """The user behind an Authorization header. Raises ApiError 401."""
        scheme, _, token = authorization.partition(" ")
        found = self._users.get(token.strip())
        if scheme.lower() != "bearer" or found is None:
            raise unauthorized()
        return found

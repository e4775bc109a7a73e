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
from maestro_cli.local.roles import ROLES, Rule


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for."""

    verb: str
    names: Names
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def resource(self) -> str:
        """`pods`, or `pods/log` for a subresource."""
        return self.names.plural + (f"/{self.subresource}" if self.subresource else "")


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
        return any(rule.allows(request.verb, request.names.group, request.resource) for rule in self.rules())

    def rules(self) -> list[Rule]:
        return [rule for group in self.groups for rule in ROLES.get(group, ())]

    def info(self) -> Object:
        """The UserInfo of authentication/v1."""
        return {"username": self.name, "uid": self.uid, "groups": [*self.groups, "system:authenticated"]}


def refuse(user: User, request: Request) -> ApiError:
    """The 403 of the real server: who cannot do what to which resource, where."""
    where = f'in the namespace "{request.namespace}"' if request.namespace else "at the cluster scope"
    why = (
        f'User "{user.name}" cannot {request.verb} resource "{request.resource}" '
        f'in API group "{request.names.group}" {where}'
    )
    return forbidden(request.names, request.name, why)


def review_rules(user: User) -> list[Object]:
    """The user's rules as ResourceRules of authorization/v1."""
    return [rule.as_policy_rule() for rule in user.rules()]


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

"""The roles a key can have, and what each may do. Invariant: a role may do what this table says, no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from maestro_cli.serving.access.permissions import Permission


class Role(StrEnum):
    PREDICTOR = "predictor"
    VIEWER = "viewer"
    OPERATOR = "operator"
    CHAOS = "chaos"
    ADMIN = "admin"


GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.PREDICTOR: frozenset({Permission.PREDICT}),
    Role.VIEWER: frozenset({Permission.VIEW}),
    Role.OPERATOR: frozenset({Permission.VIEW, Permission.PREDICT, Permission.OPERATE}),
    Role.CHAOS: frozenset({Permission.VIEW, Permission.CHAOS}),
    Role.ADMIN: frozenset(Permission),
}


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """What somebody with all these roles may do."""
    return frozenset().union(*(GRANTS[role] for role in roles))

"""The kinds of change. Invariant: one file a kind, found by name here and treated alike elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from maestro_cli.changes.kinds.kind import ChangeKind
from maestro_cli.changes.kinds.rollback import Rollback
from maestro_cli.core.errors import UsageError

KINDS: Mapping[str, ChangeKind] = {"rollback": Rollback()}


def kind_named(name: str, kinds: Mapping[str, ChangeKind] = KINDS) -> ChangeKind:
    """The kind of that name; raises UsageError."""
    if name not in kinds:
        raise UsageError(
            f"there is no kind of change {name!r}", fix=f"use one of: {', '.join(sorted(kinds))}"
        )
    return kinds[name]

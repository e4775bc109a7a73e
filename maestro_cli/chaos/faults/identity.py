"""Objects as they were chosen. Invariant: another one of the same name is none of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from maestro_cli.chaos.model import Candidate
from maestro_cli.core.errors import NotFound


class Identified(Protocol):
    @property
    def uid(self) -> str: ...


T = TypeVar("T", bound=Identified)


def the_very(target: Candidate, read: Callable[[], T]) -> T | None:
    """What `read` finds under the target's name, or None where it is gone or another one has the name."""
    try:
        found = read()
    except NotFound:
        return None
    return found if found.uid == target.uid else None

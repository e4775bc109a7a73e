"""What services are made of, each built when it is first asked for.

Invariant: there is one of each a services object, whichever threads ask at once. The rule is plain: a
services object builds one thing at a time, under its one lock; what is built already takes no lock. What has
to ask a backend is read without it, since one that hangs stops no other.
"""

from __future__ import annotations

import threading
from functools import cached_property
from typing import Any, Protocol, Self, TypeVar, overload

T = TypeVar("T")


class Builds(Protocol):
    """Whose parts are built once; `building` is re-entrant, since one part is built of others."""

    building: threading.RLock


class built_once(cached_property[T]):  # a decorator, named as `cached_property` is
    """As `cached_property`, for objects that threads share: that one has no lock (Python 3.12 and later), or
    one for all objects of a class (3.11)."""

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> T: ...

    def __get__(self, instance: object | None, owner: type[Any] | None = None) -> Self | T:
        if instance is None:
            return self
        name, built = str(self.attrname), instance.__dict__
        if name not in built:
            self._build(instance, name)
        return built[name]  # type: ignore[no-any-return]

    def _build(self, instance: Any, name: str) -> None:
        with instance.building:
            if name not in instance.__dict__:
                instance.__dict__[name] = self.func(instance)


class read_once(built_once[T]):  # named as the other
    """For what asks a backend: read outside the lock. Of threads that read it at once each asks, and all get
    what the first was told."""

    def _build(self, instance: Any, name: str) -> None:
        instance.__dict__.setdefault(name, self.func(instance))

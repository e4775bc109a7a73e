"""Who calls, and may he: asked before any endpoint sees a request.

Invariant: what no role of the caller allows is refused; an unknown id costs what a known one does, and no
comparison ends early.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from maestro_cli.core.clock import Clock
from maestro_cli.serving.access.credentials import CERTIFICATE, Forbidden, Unauthenticated, key_of
from maestro_cli.serving.access.keys import MAX_KEYS, SECRETS_PER_ID, KeyEntry, Keys, digest_of
from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.access.roles import permissions_of
from maestro_cli.serving.errors import quoted
from maestro_cli.serving.protocol.http import Scope

_NOBODYS = KeyEntry(id="", roles=(), sha256="0" * 64)  # the digest of no secret anybody knows
_REFUSED = "the key is not known, or does not hold now"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who proved who he is; with `id` None nobody in particular."""

    id: str | None
    permissions: frozenset[Permission]
    models: frozenset[str] | None = None

    def require(self, permission: Permission, model: str | None) -> None:
        """Raises Forbidden, or Unauthenticated where a key might help.

        A key for certain models may ask for what names one of them, and for nothing else.
        """
        if permission not in self.permissions:
            if self.id is None:
                raise Unauthenticated(f"a key with the permission {permission} is needed", was_given=False)
            raise Forbidden(f"the key {self.id} has not the permission {permission}")
        if self.models is not None and model not in self.models:
            told = "for what concerns all models" if model is None else f"for the model {quoted(model)}"
            raise Forbidden(f"the key {self.id} has not the permission {permission} {told}")


class Guard:
    """Knows the keys in force; `put` replaces those of the keys file, `own` are this process's for good."""

    def __init__(self, clock: Clock, anybody: Iterable[Permission], own: Iterable[KeyEntry] = ()) -> None:
        self._clock = clock
        self._anybody = Caller(None, frozenset(anybody))
        self._own = tuple(own)
        self._by_id: Mapping[str, tuple[KeyEntry, ...]] = {}
        self._by_certificate: Mapping[str, tuple[KeyEntry, ...]] = {}
        self.put(Keys("maestro.keys/1"))

    @property
    def asks_for_keys(self) -> bool:
        """Whether without a key nobody may predict."""
        return Permission.PREDICT not in self._anybody.permissions

    def put(self, keys: Keys) -> None:
        """From the next request on, these keys hold."""
        by_id: dict[str, tuple[KeyEntry, ...]] = {}
        by_certificate: dict[str, tuple[KeyEntry, ...]] = {}
        taken = {entry.id for entry in self._own}
        for entry in (*self._own, *(entry for entry in keys.keys if entry.id not in taken)):
            if entry.sha256 is not None:
                by_id[entry.id] = (*by_id.get(entry.id, ()), entry)
            if entry.certificate is not None:
                by_certificate[entry.certificate] = (*by_certificate.get(entry.certificate, ()), entry)
        self._by_id, self._by_certificate = by_id, by_certificate

    def caller(self, scope: Scope) -> Caller:
        """Who sends this request: by his key, else by his certificate; raises Unauthenticated."""
        key = key_of(scope)
        if key is not None:
            return self._with_key(*key)
        name = scope.get(CERTIFICATE)
        return self._anybody if name is None else self._with_certificate(str(name))

    def _with_key(self, key_id: str, secret: str) -> Caller:
        sent = digest_of(secret)
        entries = self._by_id.get(key_id, ())
        found: KeyEntry | None = None
        for entry in (*entries, *(_NOBODYS,) * (SECRETS_PER_ID - len(entries))):
            if hmac.compare_digest(entry.sha256 or "", sent):
                found = entry
        if found is None or found is _NOBODYS or not found.holds_at(self._clock.now()):
            raise Unauthenticated(_REFUSED)
        return _caller(found)

    def _with_certificate(self, name: str) -> Caller:
        now = self._clock.now()
        for entry in self._by_certificate.get(name, ()):
            if entry.holds_at(now):
                return _caller(entry)
        raise Unauthenticated("the certificate belongs to no key, or its key does not hold now")


@lru_cache(maxsize=MAX_KEYS)
def _caller(entry: KeyEntry) -> Caller:
    models = None if entry.models is None else frozenset(entry.models)
    return Caller(entry.id, permissions_of(entry.roles), models)

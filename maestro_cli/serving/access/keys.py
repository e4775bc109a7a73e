"""`keys.yaml`: who may call the server.

Invariant: no secret is kept, only its SHA-256 (a secret is 256 random bits: there is nothing to guess); an
entry that was read says when it holds, for which roles, and how its caller proves himself. Format
`maestro.keys/1`, documented in docs/serving.md.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec

from maestro_cli.config.strict import dump_yaml, parse_yaml
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.serving.access.roles import Role
from maestro_cli.serving.models.manifest import MODEL_NAME

MAX_KEYS = 1000
SECRETS_PER_ID = 2  # an old one and its successor
KEY_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
KEY_TEXT = re.compile(r"mk_([a-z0-9][a-z0-9-]{0,31})_([A-Za-z0-9_-]{32,128})")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SECRET_BYTES = 32
_ALWAYS, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class KeyEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One way in. Two entries of one `id` are one caller with an old secret and a new one.

    `models`: the only ones it may ask for, all without it. `certificate` is the common name of a client
    certificate that stands for the secret. `not_before` and `expires` are RFC 3339.
    """

    id: str
    roles: Annotated[tuple[Role, ...], msgspec.Meta(min_length=1)]
    sha256: str | None = None
    certificate: str | None = None
    models: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] | None = None
    not_before: str | None = None
    expires: str | None = None
    comment: str = ""

    def holds_at(self, now: datetime) -> bool:
        """From `not_before` on, and no longer at `expires`."""
        return self._starts <= now < self._ends

    @property
    def _starts(self) -> datetime:
        return _instant(self.not_before) if self.not_before is not None else _ALWAYS

    @property
    def _ends(self) -> datetime:
        return _instant(self.expires) if self.expires is not None else _NEVER

    def faults(self) -> Iterator[tuple[str, str]]:
        """What is wrong, and with which of its keys."""
        if not KEY_ID.fullmatch(self.id):
            yield "must be at most 32 lower-case letters, digits and '-'", "id"
        if self.sha256 is None and self.certificate is None:
            yield "needs sha256 or certificate: how the caller proves himself", ""
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            yield "must be the 64 hex digits of the secret's SHA-256", "sha256"
        if self.certificate == "":
            yield "must be a common name", "certificate"
        if any(not MODEL_NAME.fullmatch(name) for name in self.models or ()):
            yield "must be models' names", "models"
        for name in ("not_before", "expires"):
            if not _is_instant(getattr(self, name)):
                yield "must be a time such as 2027-01-31T00:00:00Z", name
                return
        if self._starts >= self._ends:
            yield "is not after not_before", "expires"


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: Literal["maestro.keys/1"]
    keys: Annotated[tuple[KeyEntry, ...], msgspec.Meta(max_length=MAX_KEYS)] = ()


def read_keys(text: str, name: str) -> Keys:
    """Read YAML or JSON; raises InvalidFile with line and key, never with a secret."""
    document = parse_yaml(text, name)
    found = document.decode(Keys)
    for place, entry in enumerate(found.keys):
        for fault, key in entry.faults():
            raise document.fail(fault, ("keys", place, *([key] if key else [])))
        others = found.keys[:place]
        if entry.sha256 is not None and any(entry.sha256 == other.sha256 for other in others):
            raise document.fail("is the secret of another key", ("keys", place, "sha256"))
        if entry.certificate is not None and any(
            entry.certificate == other.certificate and entry.id != other.id for other in others
        ):
            raise document.fail("is the certificate of another id", ("keys", place, "certificate"))
    counts = Counter(entry.id for entry in found.keys if entry.sha256 is not None)
    for place, entry in enumerate(found.keys):
        if counts[entry.id] > SECRETS_PER_ID:
            raise document.fail(
                f"has {counts[entry.id]} secrets, at most {SECRETS_PER_ID} are allowed", ("keys", place, "id")
            )
    return found


def write_keys(keys: Keys) -> str:
    """The document as YAML, defaults left out."""
    plain: Any = msgspec.to_builtins(keys)
    return dump_yaml(plain)


def new_secret() -> str:
    """256 random bits, as text that needs no quotes anywhere."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


def key_text(key_id: str, secret: str) -> str:
    """What the caller sends."""
    return f"mk_{key_id}_{secret}"


@lru_cache(maxsize=2 * MAX_KEYS)
def _instant(text: str) -> datetime:
    """Read once: it is asked at every request, and reading takes longer than all the rest."""
    return from_rfc3339(text)


def _is_instant(text: str | None) -> bool:
    if text is None:
        return True
    try:
        from_rfc3339(text)
    except ValueError:
        return False
    return True

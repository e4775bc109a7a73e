"""The record that Helm 3 and 4 keep of each revision: a Secret with JSON, gzipped, in base64, in base64.

Invariant: what is unpacked is bounded, whatever the record claims to be; a record that is none is
InvalidFile, and its text is in no error: it holds the values of the chart, secrets among them.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from maestro_cli.core.canonical import digest
from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.facts.releases import Release
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted

MAX_PACKED = 4 * 2**20  # characters; a Secret is at most 1 MiB
MAX_UNPACKED = 64 * 2**20  # bytes
_GZIP = b"\x1f\x8b\x08"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AROUND = {"pre-rollback", "post-rollback"}


class _Info(msgspec.Struct):
    first_deployed: str = ""
    last_deployed: str = ""
    status: str = ""
    description: str = ""


class _Metadata(msgspec.Struct, rename="camel"):
    name: str = ""
    version: str = ""


class _Chart(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class _Hook(msgspec.Struct):
    name: str = ""
    kind: str = ""
    manifest: str = ""
    events: list[str] | None = None


class _Stored(msgspec.Struct):
    version: int
    info: _Info
    manifest: str = ""
    chart: _Chart = msgspec.field(default_factory=_Chart)
    config: Any = None
    hooks: list[_Hook] | None = None


def release_of(secret: Mapping[str, Any], ref: ObjectRef) -> Release:
    """The revision that a Secret holds; raises InvalidFile."""
    meta = secret.get("metadata") or {}
    where = f"secret {ref.namespace}/{meta.get('name', '')}"
    packed = (secret.get("data") or {}).get("release")
    if not isinstance(packed, str) or len(packed) > MAX_PACKED:
        raise InvalidFile("holds no record of a Helm release", file=where)
    try:
        stored = msgspec.json.decode(_unpacked(packed, where), type=ready(_Stored))
    except (msgspec.DecodeError, RecursionError):
        raise InvalidFile("is not a record of a Helm release", file=where) from None
    info, chart = stored.info, stored.chart.metadata
    hooks = stored.hooks or []
    return Release(
        ref=ref,
        uid=f"helm:{info.first_deployed}",
        revision=stored.version,
        status=Untrusted(info.status),
        description=Untrusted(info.description),
        chart=Untrusted(f"{chart.name}-{chart.version}"),
        updated_at=_time(info.last_deployed),
        resource_version=str(meta.get("resourceVersion", "")),
        content=digest([stored.manifest, [hook.manifest for hook in hooks], stored.config]),
        manifest=Untrusted(stored.manifest),
        hooks=tuple(
            Untrusted(f"{hook.kind}/{hook.name}") for hook in hooks if _AROUND & set(hook.events or ())
        ),
    )


def _unpacked(packed: str, where: str) -> bytes:
    try:
        data = base64.b64decode(base64.b64decode(packed, validate=True), validate=True)
        if not data.startswith(_GZIP):
            return data
        unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        plain = unpacking.decompress(data, MAX_UNPACKED + 1)
    except (binascii.Error, zlib.error, ValueError):
        raise InvalidFile("is not packed as Helm packs a release", file=where) from None
    if len(plain) > MAX_UNPACKED:
        raise InvalidFile(f"is larger than {MAX_UNPACKED >> 20} MiB when it is unpacked", file=where)
    if not unpacking.eof:
        raise InvalidFile("is cut short", file=where)
    return plain


def _time(text: str) -> datetime:
    """Helm writes nanoseconds; 1970 when there is no time."""
    try:
        made = datetime.fromisoformat(text)
    except ValueError:
        return _EPOCH
    return made.replace(tzinfo=UTC) if made.tzinfo is None else made.astimezone(UTC)

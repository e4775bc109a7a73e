"""One byte string for one value, so that digests and hash chains can be recomputed anywhere.

Format: JSON with sorted keys, no spaces, UTF-8, no NaN or infinity. Datetimes become RFC 3339,
dataclasses and enums their plain values.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from pathlib import PurePath
from typing import Any

from maestro_cli.core.clock import to_rfc3339

_JSON_ITSELF = frozenset({str, int, float, bool, type(None)})  # exactly these: a subclass may be an enum
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def plain(value: Any) -> Any:
    """Turn dataclasses, enums, datetimes, tuples and mappings into what JSON knows.

    Raises TypeError for anything else.
    """
    if type(value) in _JSON_ITSELF:  # nearly every value: every event is written through here
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, datetime):
        return to_rfc3339(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, (dict, Mapping)):  # dict first: asking an abstract class takes longer
        document = {_key(key): plain(item) for key, item in value.items()}
        if len(document) != len(value):
            raise TypeError("two keys of a mapping have the same text")
        return document
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=canonical_json)
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _key(key: Any) -> str:
    if type(key) is str:
        return key
    named = plain(key)
    if isinstance(named, (dict, list)):
        raise TypeError(f"{type(key).__name__} is no key")
    return named if isinstance(named, str) else json.dumps(named)


def canonical_json(value: Any) -> str:
    """The canonical JSON text of a value; raises ValueError for NaN and infinity."""
    return _encode(plain(value))


def digest(value: Any) -> str:
    """SHA-256 (hex) of the canonical JSON of a value."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()

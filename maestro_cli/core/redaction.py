"""Secrets replaced by value. Invariant: what was registered never leaves through `clean`."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

_MARK = "«secret»"
_SHORTEST = 4  # shorter values would blank out ordinary words


class Redactor:
    """Replaces each secret, also in its base64, URL and JSON spelling."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spellings: set[str] = set()
        for secret in secrets:
            if len(secret) < _SHORTEST:
                continue
            spellings |= {
                secret,
                urllib.parse.quote(secret, safe=""),
                json.dumps(secret)[1:-1],
                base64.b64encode(secret.encode()).decode().rstrip("="),
            }
        self._spellings = sorted(spellings, key=len, reverse=True)

    def with_secrets(self, secrets: Iterable[str]) -> Redactor:
        """A redactor that knows these as well."""
        more = Redactor(secrets)
        more._spellings = sorted({*self._spellings, *more._spellings}, key=len, reverse=True)
        return more

    def clean(self, text: str) -> str:
        for spelling in self._spellings:
            text = text.replace(spelling, _MARK)
        return text

    def clean_value(self, value: Any) -> Any:
        """The same for JSON-like values, keys included."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, Mapping):
            return {self.clean(str(key)): self.clean_value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.clean_value(item) for item in value]
        return value

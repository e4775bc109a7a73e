"""Secrets replaced by value. Invariant: what was registered never leaves through `clean`.

A secret shorter than four characters is not looked for: it would blank out ordinary words. Keys of
mappings are words of ours, so that only secrets of eight characters and more are looked for in them.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeVar, cast

from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted

Fact = TypeVar("Fact")
_MARK = "«secret»"
_SHORTEST = 4
_SHORTEST_IN_KEYS = 8
_SHORTEST_PART = 12  # of a secret of several lines, or of base64 text around a secret


class Redactor:
    """Replaces each secret, also in its base64, URL and JSON spelling, and line by line.

    Secrets that are costly to find are given as a function, which is called when there is first something
    to clean.
    """

    def __init__(self, secrets: Iterable[str] | Callable[[], Iterable[str]] = ()) -> None:
        self._find = secrets if callable(secrets) else tuple(secrets).__iter__

    @cached_property
    def _secrets(self) -> frozenset[str]:
        return frozenset(secret for secret in self._find() if len(secret.strip()) >= _SHORTEST)

    @cached_property
    def _anywhere(self) -> re.Pattern[str] | None:
        return _pattern(_every_spelling(self._secrets))

    @cached_property
    def _in_keys(self) -> re.Pattern[str] | None:
        return _pattern(_every_spelling(s for s in self._secrets if len(s.strip()) >= _SHORTEST_IN_KEYS))

    @cached_property
    def _in_json(self) -> re.Pattern[str] | None:
        """A text inside JSON is spelled as JSON spells it, whatever spelling of the secret it is."""
        texts = _every_spelling(self._secrets)
        return _pattern(json.dumps(text, ensure_ascii=False)[1:-1] for text in texts)

    def with_secrets(self, secrets: Iterable[str]) -> Redactor:
        """A redactor that knows these as well."""
        more = tuple(secrets)
        return Redactor(lambda: (*self._secrets, *more))

    def clean(self, text: str) -> str:
        return self._anywhere.sub(_MARK, text) if self._anywhere is not None else text

    def may_change(self, json_text: str) -> bool:
        """Whether `clean_value` could find anything in what this JSON text (not ASCII-escaped) holds.

        False is certain; it spares the taking apart of a text that holds no secret.
        """
        return self._in_json is not None and self._in_json.search(json_text) is not None

    def clean_value(self, value: Any) -> Any:
        """The same for JSON-like values, keys included."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, Mapping):
            return {self._clean_key(str(key)): self.clean_value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.clean_value(item) for item in value]
        return value

    def clean_fact(self, fact: Fact) -> Fact:
        """The same for a frozen value that was read of a system, whatever it holds.

        Kept are the names of objects, which say what was asked for, and `health`, which is a word of ours.
        """
        return cast(Fact, self._cleaned(fact))

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, ObjectRef):
            return value
        if isinstance(value, str):
            text = self.clean(value)
            return value if text == value else Untrusted(text)
        if isinstance(value, Mapping):
            return {self._clean_key(key): self._cleaned(item) for key, item in value.items()}
        if isinstance(value, tuple):
            return tuple(map(self._cleaned, value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [one.name for one in dataclasses.fields(value) if one.name != "health"]
            return dataclasses.replace(value, **{name: self._cleaned(getattr(value, name)) for name in names})
        return value

    def _clean_key(self, key: str) -> str:
        return self._in_keys.sub(_MARK, key) if self._in_keys is not None else key


def _every_spelling(secrets: Iterable[str]) -> set[str]:
    return {spelling for secret in secrets for spelling in _spellings(secret)}


def _pattern(spellings: Iterable[str]) -> re.Pattern[str] | None:
    """All spellings at once, longest first, so that a mark is never searched again."""
    longest_first = sorted(spellings, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def _spellings(secret: str) -> Iterator[str]:
    bare = secret.strip()
    yield from (secret, bare)
    for safe in ("", "/"):
        quoted = urllib.parse.quote(bare, safe=safe, errors="replace")
        yield from (quoted, re.sub("%..", lambda match: match.group(0).lower(), quoted))
    yield urllib.parse.quote_plus(bare, errors="replace")
    yield from (json.dumps(bare)[1:-1], json.dumps(bare, ensure_ascii=False)[1:-1])
    yield from _base64_spellings(bare.encode("utf-8", "replace"))
    lines = [line.strip() for line in bare.splitlines()]
    if len(lines) > 1:
        yield from (s for s in lines if len(s) >= _SHORTEST_PART and not s.startswith("-----"))


def _base64_spellings(secret: bytes) -> Iterator[str]:
    """Standard and URL-safe, alone and inside a longer text such as `user:password`.

    Inside, the first and last characters depend on the neighbours, at each of three alignments; the
    characters between do not.
    """
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(secret).decode().rstrip("=")
        for shift, skipped in ((0, 0), (1, 2), (2, 3)):
            text = encode(b"\0" * shift + secret).decode()
            whole = text.rstrip("=")
            kept = whole[skipped : -1 if len(whole) < len(text) else None]
            if len(kept) >= _SHORTEST_PART or (shift == 0 and len(kept) >= _SHORTEST_IN_KEYS):
                yield kept

"""An object as it may be shown: without bookkeeping, and without what is secret.

Invariant: no value of a Secret is in the result, neither decoded nor as it was applied; nor what sounds or
looks like a secret in fields, annotations, environments, commands and texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from maestro_cli.core.secret_words import HIDDEN, hide_words, looks_secret, sounds_secret

_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # the object once more, secrets included
_OF_SECRETS = ("data", "stringData")
_COMMANDS = ("command", "args")
_LONGEST_PASSWORD = 200
# `secretName`, `tokenUrl`, `private-key-path`: not the secret, but where it is, or of what kind
_PLACE = re.compile(r"(?:name|namespace|ref|path|file|dir|url|type)\Z", re.IGNORECASE)


def shown_document(document: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The object, and the dotted keys whose values are hidden in it."""
    hidden: list[str] = []
    is_secret = document.get("kind") == "Secret"
    shown: dict[str, Any] = {}
    for key, value in document.items():
        if is_secret and key in _OF_SECRETS and isinstance(value, Mapping):
            shown[key] = dict.fromkeys(value, HIDDEN)
            hidden += [f"{key}.{name}" for name in value]
        elif document.get("kind") == "ConfigMap" and key == "data" and isinstance(value, Mapping):
            shown[key] = {name: _entry(name, text, hidden) for name, text in value.items()}
        elif key == "metadata" and isinstance(value, Mapping):
            shown[key] = _shown(_without_bookkeeping(value), key, hidden)
        else:
            shown[key] = _shown(value, key, hidden)
    return shown, tuple(hidden)


def _without_bookkeeping(meta: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in meta.items() if key != "managedFields"}
    notes = kept.get("annotations")
    if isinstance(notes, Mapping) and _APPLIED in notes:
        kept["annotations"] = {key: value for key, value in notes.items() if key != _APPLIED}
    return kept


def _shown(value: Any, where: str, hidden: list[str]) -> Any:
    if isinstance(value, str):
        return _hidden(where, hidden) if looks_secret(value) else value
    if isinstance(value, Mapping):
        if _is_variable(value):
            return {**value, "value": _hidden(f"{where}.{value['name']}", hidden)}
        return {key: _field(key, item, f"{where}.{key}", hidden) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if where.rpartition(".")[2] in _COMMANDS and all(isinstance(one, str) for one in value):
        words = list(hide_words(value))
        pairs = enumerate(zip(words, value, strict=True))
        hidden += [f"{where}[{index}]" for index, (word, own) in pairs if word != own]
        return words
    return [_shown(item, f"{where}[{index}]", hidden) for index, item in enumerate(value)]


def _field(key: str, value: Any, where: str, hidden: list[str]) -> Any:
    """A field or annotation whose name is that of a secret holds one, unless it says where that is."""
    if isinstance(value, str) and value and sounds_secret(key) and not _PLACE.search(key):
        return _hidden(where, hidden)
    return _shown(value, where, hidden)


def _entry(name: str, text: Any, hidden: list[str]) -> Any:
    """An entry of a ConfigMap: a short one may be a password that somebody put there."""
    is_short = isinstance(text, str) and 0 < len(text) <= _LONGEST_PASSWORD and "\n" not in text.strip()
    if is_short and sounds_secret(name):
        return _hidden(f"data.{name}", hidden)
    return _shown(text, f"data.{name}", hidden)


def _is_variable(value: Mapping[str, Any]) -> bool:
    name = value.get("name")
    return isinstance(name, str) and bool(value.get("value")) and sounds_secret(name)


def _hidden(where: str, hidden: list[str]) -> str:
    hidden.append(where)
    return HIDDEN

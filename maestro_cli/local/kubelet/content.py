"""The config maps and secrets a pod refers to.

Invariant: what is missing and not optional is an error with Kubernetes' own words; values are bytes.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from maestro_cli.local.api import CONFIG_MAPS, SECRETS, ApiClient, ApiError
from maestro_cli.local.objects import Object

_WORDS = {
    "configMapRef": "configmap",
    "configMapKeyRef": "configmap",
    "configMap": "configmap",
    "secretRef": "secret",
    "secretKeyRef": "secret",
    "secret": "secret",
}
Values = Mapping[str, bytes]


class ContentMissing(Exception):
    """A config map, secret, key or field that the pod needs does not exist."""


class Contents:
    """A snapshot of config maps and secrets: (word, name) → key → bytes, or None when absent."""

    def __init__(self, found: Mapping[tuple[str, str], Values | None]) -> None:
        self._found = found

    def of_reference(self, kind: str, reference: Object) -> Values | None:
        """The values behind a reference; None when it is absent and optional. Raises ContentMissing."""
        name = str(reference.get("name") or reference.get("secretName") or "")
        values = self._found.get((_WORDS[kind], name))
        if values is None and not reference.get("optional"):
            raise ContentMissing(f'{_WORDS[kind]} "{name}" not found')
        return values


def environment_references(container: Object) -> set[tuple[str, str]]:
    """What the environment of a container needs: (word, name)."""
    needed = set()
    for source in container.get("envFrom") or ():
        needed |= {(_WORDS[kind], source[kind]["name"]) for kind in source if kind in _WORDS}
    for entry in container.get("env") or ():
        source = entry.get("valueFrom") or {}
        needed |= {(_WORDS[kind], source[kind]["name"]) for kind in source if kind in _WORDS}
    return needed


def volume_references(volumes: list[Object]) -> set[tuple[str, str]]:
    """What the volumes of a pod need: (word, name)."""
    needed = set()
    for volume in volumes:
        for part in (volume.get("projected") or {}).get("sources") or [volume]:
            if "configMap" in part:
                needed.add(("configmap", part["configMap"].get("name", "")))
            if "secret" in part:
                needed.add(("secret", part["secret"].get("secretName") or part["secret"].get("name", "")))
    return needed


async def fetch(
    client: ApiClient, namespace: str, needed: set[tuple[str, str]]
) -> dict[tuple[str, str], Values | None]:
    """Read them from the API server; an absent one is None. Raises ApiError and Unreachable."""
    found: dict[tuple[str, str], Values | None] = {}
    for word, name in sorted(needed):
        resource = CONFIG_MAPS if word == "configmap" else SECRETS
        try:
            found[word, name] = _values(await client.get(resource, namespace, name), word)
        except ApiError as refused:
            if not refused.is_not_found:
                raise
            found[word, name] = None
    return found


def _values(thing: Object, word: str) -> dict[str, bytes]:
    plain, encoded = (thing.get("data") or {}), (thing.get("binaryData") or {})
    if word == "secret":
        plain, encoded = {}, plain
    values = {name: str(text).encode() for name, text in plain.items()}
    for name, text in encoded.items():
        try:
            values[name] = base64.b64decode(text, validate=True)
        except binascii.Error:
            values[name] = b""
    return values

"""OpenBao and Vault: one value of a key-value store, read when it is used.

Invariant: a value is in no error and is not kept; the token goes to the address it was meant for alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from maestro_cli.config.secrets import NO_VAULT
from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import InvalidFile, NotFound, Refused, Unreachable
from maestro_cli.core.untrusted import visible
from maestro_cli.sources.credentials import tls_context
from maestro_cli.sources.failures import quoted, shown_url
from maestro_cli.sources.http import Answer, HttpBackend

_SYSTEM = "OpenBao"
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Vault:
    """Where it is and who asks. `token` is a value, and never shown."""

    endpoint: Endpoint
    token: str
    namespace: str = ""


def find_vault(environment: Mapping[str, str], configured: Endpoint | None) -> Vault:
    """The OpenBao that `bao` itself would ask, else the one of the context.

    `BAO_ADDR`, `BAO_TOKEN`, `BAO_CACERT` and `BAO_NAMESPACE` count as they do for `bao`, the same names with
    `VAULT_` after them, and `~/.vault-token` holds the token of who has logged in. These tokens are for the
    address of the environment: the one of the context is asked with its own alone. Raises InvalidFile.
    """
    address, namespace = _given(environment, "ADDR"), _given(environment, "NAMESPACE")
    if address:
        endpoint = Endpoint(address, ca_file=_given(environment, "CACERT") or None)
        fix = "run `bao login`, or export BAO_TOKEN=…"
        return Vault(endpoint, _sendable(_given(environment, "TOKEN") or _logged_in(), fix), namespace)
    if configured is None:
        fix = "export BAO_ADDR=https://HOST:8200, or add `secrets: {url: …}` to the context"
        raise InvalidFile("it is not known where OpenBao is", file="config", key="secrets.url", fix=fix)
    token = configured.token or ""
    if token.startswith("bao:"):
        what = "the token of OpenBao cannot be in OpenBao"
        raise InvalidFile(what, file="config", key="secrets.token", fix="write env:NAME or file:PATH")
    value = NO_VAULT.resolve(token, key="secrets.token") if token else ""
    fix = "add `token: env:BAO_TOKEN` or `token: file:~/.vault-token` beside its url, or export BAO_ADDR=…"
    return Vault(configured, _sendable(value, fix), namespace)


def ambient_tokens(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The tokens that an OpenBao of the environment might be asked with."""
    return tuple(filter(None, (environment.get("BAO_TOKEN"), environment.get("VAULT_TOKEN"), _logged_in())))


def _given(environment: Mapping[str, str], name: str) -> str:
    return environment.get(f"BAO_{name}", "") or environment.get(f"VAULT_{name}", "")


def _sendable(token: str, fix: str) -> str:
    if not token or not (token.isascii() and token.isprintable()):
        raise InvalidFile("there is no token for OpenBao", file="config", key="secrets.token", fix=fix)
    return token


def _logged_in() -> str:
    try:
        return Path("~/.vault-token").expanduser().read_text(encoding="utf-8").strip()
    except (OSError, RuntimeError, ValueError):
        return ""


def read_value(vault: Vault, path: str, key: str) -> str:
    """The value of a key of the secret at PATH, of version 1 or 2 of the key-value store.

    Raises NotFound when there is none, Refused when the token may not read it, Unreachable when it is
    sealed or does not answer.
    """
    headers = {"X-Vault-Token": vault.token, "X-Vault-Request": "true"}
    if vault.namespace:
        headers["X-Vault-Namespace"] = vault.namespace
    backend = HttpBackend(
        _SYSTEM,
        vault.endpoint.url,
        headers=lambda: headers,
        tls=tls_context(vault.endpoint, "secrets"),
        timeout_seconds=_SECONDS,
    )
    try:
        return _Reading(backend, path.strip("/"), key).value()
    finally:
        backend.close()


class _Reading:
    def __init__(self, backend: HttpBackend, path: str, key: str) -> None:
        self._backend, self._path, self._key = backend, path, key
        self._place = f"{visible(path, 200)} of OpenBao at {shown_url(backend.url)}"

    def value(self) -> str:
        mount, version = self._mount()
        rest = self._path[len(mount) :].strip("/")
        middle = "data/" if version == "2" else ""
        answer = self._backend.get(f"/v1/{_quoted(mount)}/{middle}{_quoted(rest)}")
        body = self._body(answer, f"{mount}/{middle}{rest}")
        data = body.get("data")
        if version == "2" and isinstance(data, dict):
            data = data.get("data")
        if answer.status == 404 or not isinstance(data, dict):
            fix = f"bao kv put {self._path} {self._key}=…; the path begins with the mount"
            raise NotFound(f"there is no secret at {self._place}", fix=visible(fix, 300))
        if self._key not in data:
            known = ", ".join(visible(str(name), 60) for name in sorted(data)[:10]) or "none"
            raise NotFound(f"the secret at {self._place} has no key {self._key!r}", why=f"its keys: {known}")
        value = data[self._key]
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise NotFound(f"{self._key!r} of the secret at {self._place} is not a text")
        return str(value)

    def _mount(self) -> tuple[str, str]:
        """The mount that the path begins with, and the version of its store; as `bao kv` asks for it."""
        answer = self._backend.get(f"/v1/sys/internal/ui/mounts/{_quoted(self._path)}")
        if answer.status in (403, 404):  # also where there is no such mount: the read itself tells more
            return self._path.partition("/")[0], "2"
        data = self._body(answer, self._path).get("data")
        data = data if isinstance(data, dict) else {}
        options = data.get("options")
        version = str(options.get("version", "1")) if isinstance(options, dict) else "1"
        return str(data.get("path", self._path.partition("/")[0])).strip("/"), version

    def _body(self, answer: Answer, path: str) -> dict[str, Any]:
        self._refuse(answer, path)
        try:
            body = json.loads(answer.body)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise Unreachable(
                f"{shown_url(self._backend.url)} does not answer like OpenBao", fix="check BAO_ADDR"
            )
        return body

    def _refuse(self, answer: Answer, path: str) -> None:
        """Raise for a status that is no answer."""
        if answer.status == 503 and b"sealed" in answer.body:
            what = f"OpenBao at {shown_url(self._backend.url)} is sealed"
            raise Unreachable(what, why=quoted(answer.body), fix="bao operator unseal")
        if answer.status in (401, 403):
            fix = f"bao token lookup; its policy needs read on {visible(path, 200)}; or bao login"
            raise Refused(f"the token may not read {self._place}", why=quoted(answer.body), fix=fix)
        if answer.status != 404:
            self._backend.expect_ok(answer)


def _quoted(path: str) -> str:
    return quote(path, safe="/")

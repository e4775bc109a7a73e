"""Secrets are references. Invariant: a value is read when it is used and never stored or printed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from maestro_cli.core.errors import InvalidFile, NotFound

MAX_SECRET_BYTES = 65_536
REFERENCES = "env:NAME, file:PATH or bao:PATH#KEY"  # what a reference may be, in words
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*|bao:[^\s#][^#\n]*#[^#\n]+")
VaultReader = Callable[[str, str], str]  # the value of a key of the secret at a path


def is_reference(text: str) -> bool:
    """Whether a text refers to a secret; not whether there is one."""
    return _REFERENCE.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Secrets:
    """Reads what references lead to. `vault` is where `bao:` leads in one context, a system outside that
    this room does not know; without one, such a reference leads nowhere."""

    vault: VaultReader | None = None

    def resolve(self, reference: str, *, file: str = "config", key: str = "") -> str:
        """The value behind `env:NAME`, `file:PATH` or `bao:PATH#KEY`.

        Raises InvalidFile when the reference has another form or nothing is behind it, Refused and
        Unreachable as OpenBao does; no error shows a value.
        """
        scheme, _, rest = reference.partition(":")
        if scheme == "env" and rest:
            return _of_environment(rest, file, key)
        if scheme == "file" and rest:
            return _of_file(rest, file, key)
        if scheme == "bao" and rest:
            return _text(_of_vault(self.vault, rest, file, key), f"the secret {rest}", file, key)
        fix = f"write {REFERENCES}"
        raise InvalidFile("a secret is a reference, not a value", file=file, key=key, fix=fix)


NO_VAULT = Secrets()


def _of_environment(name: str, file: str, key: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise InvalidFile(
            f"the environment variable {name} is not set", file=file, key=key, fix=f"export {name}=…"
        )
    return value


def _of_file(path: str, file: str, key: str) -> str:
    try:
        with Path(path).expanduser().open(encoding="utf-8") as stream:
            value = stream.read(MAX_SECRET_BYTES + 1).strip()
    except (OSError, RuntimeError, ValueError) as error:  # no such home, not UTF-8: never its text
        why = getattr(error, "strerror", None) or type(error).__name__
        raise InvalidFile(f"the secret file {path} cannot be read", file=file, key=key, why=why) from None
    if not value:
        raise InvalidFile(f"the secret file {path} is empty", file=file, key=key)
    if len(value) > MAX_SECRET_BYTES:
        raise InvalidFile(f"the secret file {path} is too large for a secret", file=file, key=key)
    return _text(value, f"the secret file {path}", file, key)


def _text(value: str, what: str, file: str, key: str) -> str:
    """The value, when a process can be given it."""
    if "\0" in value or any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise InvalidFile(f"{what} is not text", file=file, key=key)
    return value


def _of_vault(read: VaultReader | None, rest: str, file: str, key: str) -> str:
    path, _, name = rest.rpartition("#")
    if not path.strip("/") or not name:
        fix = "write bao:PATH#KEY, such as bao:secret/chat#url"
        raise InvalidFile("the reference to OpenBao has no path or no key", file=file, key=key, fix=fix)
    if read is None:
        raise InvalidFile(
            "nothing here can ask OpenBao", file=file, key=key, fix="write env:NAME or file:PATH"
        )
    try:
        value = read(path, name)
    except NotFound as error:
        raise InvalidFile(error.what, file=file, key=key, why=error.why, fix=error.fix) from None
    if not value:
        raise InvalidFile(f"the secret {path}#{name} is empty", file=file, key=key)
    if len(value) > MAX_SECRET_BYTES:
        raise InvalidFile(f"the secret {path}#{name} is too large for a secret", file=file, key=key)
    return value

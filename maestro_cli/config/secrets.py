"""Secrets are references. Invariant: a value is read when it is used and never stored or printed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from maestro_cli.core.errors import InvalidFile, NotFound

MAX_SECRET_BYTES = 65_536
REFERENCES = "env:NAME, file:PATH or bao:PATH#KEY"  # what a reference may be, in words
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*|bao:[^\s#][^#\n]*#[^#\n]+")
VaultReader = Callable[[str, str], str]  # the value of a key of the secret at a path
_vault: list[VaultReader] = []


def use_vault(read: VaultReader) -> None:
    """Have `bao:` references read by this in this process: the vault is a system outside, which this
    room does not know."""
    _vault[:] = [read]


def is_reference(text: str) -> bool:
    """Whether a text refers to a secret; not whether there is one."""
    return _REFERENCE.fullmatch(text) is not None


def resolve_secret(reference: str, *, file: str = "config", key: str = "") -> str:
    """The value behind `env:NAME`, `file:PATH` or `bao:PATH#KEY`.

    Raises InvalidFile when the reference has another form or nothing is behind it, Refused and Unreachable
    as OpenBao does; no error shows a value.
    """
    scheme, _, rest = reference.partition(":")
    if scheme == "env" and rest:
        value = os.environ.get(rest)
        if not value:
            raise InvalidFile(
                f"the environment variable {rest} is not set", file=file, key=key, fix=f"export {rest}=…"
            )
        return value
    if scheme == "file" and rest:
        try:
            with Path(rest).expanduser().open(encoding="utf-8") as stream:
                value = stream.read(MAX_SECRET_BYTES + 1).strip()
        except (OSError, RuntimeError, ValueError) as error:  # no such home, not UTF-8: never its text
            why = getattr(error, "strerror", None) or type(error).__name__
            raise InvalidFile(f"the secret file {rest} cannot be read", file=file, key=key, why=why) from None
        if not value:
            raise InvalidFile(f"the secret file {rest} is empty", file=file, key=key)
        if len(value) > MAX_SECRET_BYTES:
            raise InvalidFile(f"the secret file {rest} is too large for a secret", file=file, key=key)
        return _text(value, f"the secret file {rest}", file, key)
    if scheme == "bao" and rest:
        return _text(_of_vault(rest, file, key), f"the secret {rest}", file, key)
    fix = f"write {REFERENCES}"
    raise InvalidFile("a secret is a reference, not a value", file=file, key=key, fix=fix)


def _text(value: str, what: str, file: str, key: str) -> str:
    """The value, when a process can be given it."""
    if "\0" in value or any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise InvalidFile(f"{what} is not text", file=file, key=key)
    return value


def _of_vault(rest: str, file: str, key: str) -> str:
    path, _, name = rest.rpartition("#")
    if not path.strip("/") or not name:
        fix = "write bao:PATH#KEY, such as bao:secret/chat#url"
        raise InvalidFile("the reference to OpenBao has no path or no key", file=file, key=key, fix=fix)
    if not _vault:
        raise InvalidFile(
            "nothing here can ask OpenBao", file=file, key=key, fix="write env:NAME or file:PATH"
        )
    try:
        value = _vault[0](path, name)
    except NotFound as error:
        raise InvalidFile(error.what, file=file, key=key, why=error.why, fix=error.fix) from None
    if not value:
        raise InvalidFile(f"the secret {path}#{name} is empty", file=file, key=key)
    if len(value) > MAX_SECRET_BYTES:
        raise InvalidFile(f"the secret {path}#{name} is too large for a secret", file=file, key=key)
    return value

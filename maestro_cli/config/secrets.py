"""Secrets are references. Invariant: a value is read when it is used and never stored or printed."""

from __future__ import annotations

import os
from pathlib import Path

from maestro_cli.core.errors import InvalidFile

MAX_SECRET_BYTES = 65_536


def resolve_secret(reference: str, *, file: str = "config", key: str = "") -> str:
    """The value behind `env:NAME` or `file:PATH`.

    Raises InvalidFile when the reference has another form or nothing is behind it; no error shows a value.
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
        return value
    raise InvalidFile(
        "a secret is a reference, not a value", file=file, key=key, fix="write env:NAME or file:PATH"
    )

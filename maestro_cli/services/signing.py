"""The key that documents of this installation are signed with, and the keys that are trusted.

Invariant: one key for all documents, made in the state folder at the first use, or behind a reference.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.config.locations import state_dir
from maestro_cli.sources.signing import Ed25519Signer, read_public_key, signer_in, signer_of_pem

if TYPE_CHECKING:
    from maestro_cli.config.secrets import Secrets


def signer_of(secrets: Secrets, reference: str | None) -> Ed25519Signer:
    """That of a reference, else this installation's own. Raises InvalidFile, ActionFailed."""
    if reference is None:
        return signer_in(_keys())
    return signer_of_pem(secrets.resolve(reference, file="--signing-key"), "--signing-key")


def trusted_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    """The public keys that are named; with none, this installation's own if it has one.

    Raises InvalidFile, UsageError.
    """
    if not keys and (_keys() / "export-ed25519.pem").exists():
        return (signer_in(_keys()).public_key,)
    return tuple(read_public_key(key) for key in keys)


def _keys() -> Path:
    return state_dir() / "keys"

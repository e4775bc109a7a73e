"""The keys of the platform's model servers.

Invariant: they are made anew whenever the platform starts and are gone with it. A secret is in its own file,
which only its owner reads; servers, manifests and command lines name files, and hold hashes at most.
"""

from __future__ import annotations

from pathlib import Path

from maestro_cli.config.locations import make_private
from maestro_cli.core.files import write_atomically
from maestro_cli.serving.access.keys import (
    KeyEntry,
    Keys,
    digest_of,
    key_text,
    new_secret,
    read_keys,
    write_keys,
)
from maestro_cli.serving.access.roles import Role

FOLDER = "serving"
# Who calls: the load, Prometheus, maestro and its users, drills; and somebody elsewhere with a key of ours.
_ROLES = {
    "load": Role.PREDICTOR,
    "prometheus": Role.VIEWER,
    "operator": Role.OPERATOR,
    "chaos": Role.CHAOS,
    "partner": Role.PREDICTOR,
}


def keys_file(state: Path) -> Path:
    """What the servers read: who may do what, with hashes."""
    return state / FOLDER / "keys.yaml"


def key_file(state: Path, caller: str) -> Path:
    """What the caller of that name sends."""
    return state / FOLDER / f"{caller}.key"


def key_files(state: Path) -> tuple[Path, ...]:
    """Every file with a secret."""
    return tuple(key_file(state, caller) for caller in _ROLES)


def faults_folder(state: Path) -> Path:
    """Where each server keeps the journal of the faults it was given."""
    return state / FOLDER / "faults"


def make_keys(state: Path) -> None:
    """Write a fresh key for every caller; those of before hold no more."""
    make_private(state / FOLDER)
    make_private(faults_folder(state))
    entries = []
    for caller, role in _ROLES.items():
        secret = new_secret()
        write_atomically(key_file(state, caller), key_text(caller, secret) + "\n", mode=0o600)
        entries.append(KeyEntry(id=caller, roles=(role,), sha256=digest_of(secret)))
    keys = Keys("maestro.keys/1", tuple(entries))
    write_atomically(keys_file(state), write_keys(keys), mode=0o600)


def restore_key(state: Path, caller: str) -> None:
    """Have the key in a caller's file hold again, and no other of that caller's. Raises InvalidFile."""
    file = keys_file(state)
    others = [entry for entry in read_keys(file.read_text("utf-8"), str(file)).keys if entry.id != caller]
    secret = key_file(state, caller).read_text("ascii").strip().removeprefix(key_text(caller, ""))
    own = KeyEntry(id=caller, roles=(_ROLES[caller],), sha256=digest_of(secret))
    write_atomically(file, write_keys(Keys("maestro.keys/1", (*others, own))), mode=0o600)

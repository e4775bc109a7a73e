"""Ed25519 signatures.

Invariant: a private key is read from a file of its owner alone, or behind a reference, and is never printed;
a public key is text, `ed25519:` and 64 hexadecimal digits.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.config.locations import make_private
from maestro_cli.core.errors import ActionFailed, InvalidFile, UsageError
from maestro_cli.core.files import open_file, unusable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PREFIX = "ed25519:"
_PUBLIC = re.compile(r"ed25519:[0-9a-f]{64}")
_MAX_KEY_BYTES = 10_000


class Ed25519Signer:
    """Signs with one private key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = PREFIX + key.public_key().public_bytes_raw().hex()

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


def signer_of_pem(text: str, place: str) -> Ed25519Signer:
    """The signer of a private key as PKCS 8 PEM without a password; raises InvalidFile, without the key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidFile(
            "holds no Ed25519 private key without a password",
            file=place,
            fix="openssl genpkey -algorithm ed25519",
        ) from None
    return Ed25519Signer(key)


def signer_in(folder: Path) -> Ed25519Signer:
    """The signer whose key is kept in a folder; made there at the first use, for its owner alone (0600).

    Raises ActionFailed, and InvalidFile for a key that others may read or that is none.
    """
    path = folder / "export-ed25519.pem"
    make_private(folder)
    try:
        if not path.exists():
            _create(path)
        return signer_of_pem(_read_private(path), str(path))
    except OSError as error:
        raise ActionFailed(f"the signing key {path} cannot be used", why=unusable(path, error)) from error


def _create(path: Path) -> None:
    """Appears whole or not at all; of two that make it at once one wins."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    beside = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            return  # another process was faster: its key counts
    finally:
        beside.unlink(missing_ok=True)


def _read_private(path: Path) -> str:
    with open_file(path) as stream:
        found = os.fstat(stream.fileno())
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise InvalidFile(
                "is a private key that others may use",
                file=str(path),
                fix=f"chmod 600 {path}, if it is yours",
            )
        return stream.read(_MAX_KEY_BYTES).decode("utf-8", "replace")


def read_public_key(text: str) -> str:
    """A public key, from its text or from the file that holds it; raises UsageError, InvalidFile."""
    if text.startswith(PREFIX):
        if not _PUBLIC.fullmatch(text):
            raise UsageError("that is no public key", fix="write ed25519: and 64 hexadecimal digits")
        return text
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise InvalidFile("cannot be read", file=text, why="there is no such user's home") from error
    try:
        with open_file(path) as stream:
            found = stream.read(_MAX_KEY_BYTES).decode("utf-8", "replace").strip()
    except OSError as error:
        raise InvalidFile("cannot be read", file=text, why=unusable(path, error)) from error
    if not _PUBLIC.fullmatch(found):
        raise InvalidFile(
            "holds no public key", file=text, fix="one line: ed25519: and 64 hexadecimal digits"
        )
    return found


def fits(public_key: str, signature: bytes, data: bytes) -> bool:
    """Whether a signature over data was made with the private half of a public key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not _PUBLIC.fullmatch(public_key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key.removeprefix(PREFIX))).verify(
            signature, data
        )
    except (InvalidSignature, ValueError):
        return False
    return True

"""Who vouches for a bundle: a signature over the bytes of its manifest, as bundles of incidents have it.

Invariant: a key that came with a bundle proves that nothing was changed since somebody signed it, not who
that was; who is trusted is decided by who verifies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

SIGNATURE, PUBLIC_KEY = "manifest.sig", "public-key"


@dataclass(frozen=True, slots=True)
class Signature:
    """`public_key` is `ed25519:` and 64 hexadecimal digits."""

    public_key: str
    value: bytes


Sign = Callable[[bytes], Signature | None]  # of the bytes of a manifest; None: nobody signs
Fits = Callable[[str, bytes, bytes], bool]  # public key, signature, data


def nobody_signs(manifest: bytes) -> None:
    """For a bundle without a signature."""


def fits_nothing(public_key: str, signature: bytes, data: bytes) -> bool:
    """For who cannot check signatures: none is believed."""
    return False


def signature_files(signature: Signature) -> dict[str, bytes]:
    """The files of a bundle that hold it, in the one form that they have."""
    return {
        SIGNATURE: f"{signature.value.hex()}\n".encode(),
        PUBLIC_KEY: f"{signature.public_key}\n".encode(),
    }


def signature_in(files: Mapping[str, bytes]) -> Signature | None:
    """What a bundle holds; None where it holds none, or none in the form that it has."""
    try:
        value = bytes.fromhex(files[SIGNATURE][:1000].decode().strip())
        found = Signature(files[PUBLIC_KEY][:1000].decode().strip(), value)
    except (KeyError, ValueError):
        return None
    told = signature_files(found)
    return found if all(files[name] == data for name, data in told.items()) else None


def is_signed(files: Mapping[str, bytes]) -> bool:
    """Whether it says that somebody signed it."""
    return SIGNATURE in files or PUBLIC_KEY in files

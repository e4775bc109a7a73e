"""From options to a guard. Invariant: a guard that was made knows every key it was told to know."""

from __future__ import annotations

from maestro_cli.core.clock import Clock, SystemClock
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.files import write_atomically
from maestro_cli.serving.access.file import KeysFile
from maestro_cli.serving.access.guard import Guard
from maestro_cli.serving.access.keys import KeyEntry, digest_of, key_text, new_secret
from maestro_cli.serving.access.options import AccessOptions
from maestro_cli.serving.access.roles import Role
from maestro_cli.serving.telemetry.logs import Log

GENERATED = "generated"


def make_guard(options: AccessOptions, log: Log, clock: Clock | None = None) -> tuple[Guard, KeysFile | None]:
    """The guard, and its file when there is one; raises InvalidFile where a file cannot be used."""
    own = [_generated(options)] if options.generate_key is not None else []
    clock = clock or SystemClock()
    guard = Guard(clock, options.anybody, own)
    file = KeysFile(options.keys, guard, log, clock) if options.keys is not None else None
    if file is not None:
        file.read_first()
    return guard, file


def _generated(options: AccessOptions) -> KeyEntry:
    """A fresh key of this process, whose text is in the file it was asked to be in."""
    assert options.generate_key is not None
    secret = new_secret()
    try:
        write_atomically(options.generate_key, key_text(GENERATED, secret) + "\n", mode=0o600)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InvalidFile("cannot be written", file=str(options.generate_key), why=why) from error
    return KeyEntry(id=GENERATED, roles=(Role.ADMIN,), sha256=digest_of(secret))

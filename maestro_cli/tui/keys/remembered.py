"""What the console keeps from one session to the next: theme, last list, namespace, open panes, tour seen.

Invariant: a file that is broken, of another version or not to be written costs the memory and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from maestro_cli.config.locations import make_private, state_dir
from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.files import open_file, write_atomically

LONGEST_FILE = 65_536


class Remembered(msgspec.Struct, frozen=True):
    """`namespaces` is the one that was shown last, by context; `notify` a way of `:notify`."""

    theme: str = ""
    screen: str = ""
    namespaces: Mapping[str, str] = {}
    is_log_open: bool = False
    has_seen_tour: bool = False
    notify: str = "auto"


def remembered_path() -> Path:
    return state_dir() / "console.json"


def recall() -> Remembered:
    """What was kept; the defaults for what cannot be read."""
    try:
        with open_file(remembered_path()) as stream:
            return msgspec.json.decode(stream.read(LONGEST_FILE), type=ready(Remembered))
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return Remembered()


def remember(kept: Remembered) -> None:
    """Keep it for the next session, for this user alone."""
    with suppress(OSError, MaestroError):
        make_private(remembered_path().parent)
        write_atomically(remembered_path(), msgspec.json.encode(kept), mode=0o600)

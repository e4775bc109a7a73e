"""keys.yaml: keys of the console that somebody chose.

Invariant: what is decoded here is text only; which ids and keys there are, the console knows (`tui.keys`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from maestro_cli.config.locations import config_dir
from maestro_cli.config.strict import Document, read_yaml


class KeysFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`keys`: the id of a binding to its key, or to several with commas between. `favourites`: a digit 1-9
    to a line of the command line."""

    maestro: Literal["keys/v1"]
    keys: Mapping[str, str] = {}
    favourites: Mapping[Literal["1", "2", "3", "4", "5", "6", "7", "8", "9"], str] = {}


def keys_path() -> Path:
    return config_dir() / "keys.yaml"


def read_keys_file() -> tuple[Document, KeysFile] | None:
    """The file, None where there is none. Raises InvalidFile."""
    path = keys_path()
    if not path.exists():
        return None
    document = read_yaml(path)
    return document, document.decode(KeysFile)

"""Choosing the current context. Invariant: only the one line changes; comments and order stay."""

from __future__ import annotations

import os
import re
from pathlib import Path

from maestro_cli.config.locations import config_dir
from maestro_cli.config.settings import SettingsFile
from maestro_cli.config.strict import dump_yaml, parse_yaml

_LINE = re.compile(r"^current_context\s*:.*$", re.MULTILINE)


def choose_context(name: str) -> Path:
    """Set `current_context` in config.yaml, creating it; returns the file.

    Raises InvalidFile when the file is not valid before.
    """
    path = config_dir() / "config.yaml"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    parse_yaml(text, str(path)).decode(SettingsFile)
    line = dump_yaml({"current_context": name}).strip()
    changed = _LINE.sub(lambda _: line, text, count=1) if _LINE.search(text) else f"{line}\n{text}"
    parse_yaml(changed, str(path)).decode(SettingsFile)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    beside.write_text(changed, encoding="utf-8")
    beside.replace(path)
    return path

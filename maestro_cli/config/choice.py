"""Choosing the current context. Invariant: only the one line changes; comments, order and mode stay."""

from __future__ import annotations

import re
from pathlib import Path

from maestro_cli.config.locations import config_dir
from maestro_cli.config.settings import SettingsFile
from maestro_cli.config.strict import dump_yaml, parse_yaml, read_yaml
from maestro_cli.core.errors import ActionFailed
from maestro_cli.core.files import write_atomically

_LINE = re.compile(r"^(current_context|\"current_context\"|'current_context')[ \t]*:.*$", re.MULTILINE)
_START = re.compile(r"(?:^[ \t]*#.*\n|^[ \t]*\n|^%.*\n)*^---[ \t]*(?:#.*)?(?:\n|\Z)", re.MULTILINE)


def choose_context(name: str) -> Path:
    """Set `current_context` in config.yaml, creating it; returns the file.

    Raises InvalidFile when the file is not valid before, ActionFailed when it cannot be changed.
    """
    path = (config_dir() / "config.yaml").resolve()  # a link stays a link
    text = ""
    if path.exists():
        read_yaml(path).decode(SettingsFile)
        text = path.read_text(encoding="utf-8")
    changed = _with_line(text, dump_yaml({"current_context": name}).strip())
    if parse_yaml(changed, str(path)).decode(SettingsFile).current_context != name:
        raise ActionFailed(f"{path} is laid out in a way that maestro does not edit", fix="edit it by hand")
    try:
        write_atomically(path, changed, mode=0o600, keeps_mode=True, durable=True)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ActionFailed(f"{path} cannot be written", why=why, fix="check its permissions") from error
    return path


def _with_line(text: str, line: str) -> str:
    if _LINE.search(text):
        return _LINE.sub(lambda _: line, text, count=1)
    start = _START.match(text)
    head = start.group(0) if start is not None else ""
    if head and not head.endswith("\n"):
        head += "\n"
    return f"{head}{line}\n{text[len(head) :]}"

"""Where files live. Invariant: XDG folders, asked of the environment at each call."""

from __future__ import annotations

import os
from pathlib import Path

from maestro_cli.core.errors import ActionFailed
from maestro_cli.core.files import unusable

_PACKAGE = Path(__file__).resolve().parent.parent


def _xdg(variable: str, default: str) -> Path:
    base = os.environ.get(variable, "")
    return (Path(base) if base.startswith("/") else Path.home() / default) / "maestro"


def config_dir() -> Path:
    return _xdg("XDG_CONFIG_HOME", ".config")


def state_dir() -> Path:
    return _xdg("XDG_STATE_HOME", ".local/state")


def cache_dir() -> Path:
    return _xdg("XDG_CACHE_HOME", ".cache")


def make_private(folder: Path) -> None:
    """Create a folder of state, and those above it that are missing, for this user alone (0700).

    What exists keeps its mode. Raises ActionFailed.
    """
    missing: list[Path] = []
    try:
        for each in (folder, *folder.parents):
            if each.is_dir():
                break
            missing.append(each)
        for each in reversed(missing):
            each.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ActionFailed(
            f"the folder {folder} cannot be used",
            why=unusable(folder, error),
            fix="make it a folder that you may write, or set XDG_STATE_HOME",
        ) from error


def local_state_dir() -> Path:
    """The state of the embedded platform."""
    return state_dir() / "local"


def shipped(kind: str) -> Path:
    """The folder `runbooks`, `playbooks` or `deploy` that came with this maestro.

    Inside the package in a wheel, beside it in a checkout.
    """
    inside = _PACKAGE / "shipped" / kind
    return inside if inside.is_dir() else _PACKAGE.parent / kind

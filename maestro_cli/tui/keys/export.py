"""Files that a session leaves: what was done as Markdown, the screen as a picture.

Invariant: no file is written over unless that was said; what others wrote is text in it, never Markdown.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from maestro_cli.core.errors import UsageError
from maestro_cli.core.files import write_atomically
from maestro_cli.core.untrusted import markdown_code, markdown_text
from maestro_cli.tui.keys.kubectl import Cluster, kubectl_line
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.model import Snapshot


def session_markdown(snapshot: Snapshot, places: Sequence[Place], now: datetime, cluster: Cluster) -> str:
    """Everything that was done, each as its command, and where one was."""
    parts = [
        "# Console session",
        f"Written {now.astimezone():%Y-%m-%d %H:%M:%S %Z}."
        f" Contexts: {', '.join(markdown_text(one) for one in snapshot.scope.contexts)}.",
        "## Done",
    ]
    for one in snapshot.log:
        when = f"{one.at.astimezone():%H:%M:%S %Z}"
        parts.append(f"**{when}** {markdown_text(one.context)}: {markdown_text(one.outcome or 'told')}")
        near = kubectl_line(one.line, cluster)
        parts.append(markdown_code(one.line + (f"\n# with kubectl: {near}" if near else "")))
    if not snapshot.log:
        parts.append("Nothing was done.")
    parts.append("## Places")
    parts.append("\n".join(f"- {markdown_text(place.crumb, 200)}" for place in places))
    return "\n\n".join(parts) + "\n"


def write_new(typed: str, default: str, text: str) -> Path:
    """Write a file that is not there yet; a path that begins with `!` may be. Raises UsageError."""
    may_replace, name = typed.startswith("!"), typed.removeprefix("!").strip()
    shown = name or default
    try:
        path = Path(shown).expanduser().absolute()
        if path.is_dir():
            path /= default
        if not path.parent.exists():
            raise UsageError(
                f"there is no folder {path.parent}",
                why="nothing was written",
                fix="make it, or name another path",
            )
        if not may_replace and (path.exists() or path.is_symlink()):
            raise _there_already(path, shown)
        try:
            write_atomically(path, text, mode=0o600, new=not may_replace)
        except FileExistsError as error:
            if os.path.lexists(path):  # since it was looked for
                raise _there_already(path, shown) from error
            raise
    except OSError as error:
        raise _unwritten(shown, error.strerror or type(error).__name__) from error
    except RuntimeError as error:  # `~NAME` of nobody
        raise _unwritten(shown, str(error)) from error
    return path


def _there_already(path: Path, shown: str) -> UsageError:
    return UsageError(f"{path} is there already", why="nothing was written", fix=f"!{shown} writes over it")


def _unwritten(name: str, why: str) -> UsageError:
    return UsageError(f"{name} cannot be written", why=why, fix="name another path")

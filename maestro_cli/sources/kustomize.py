"""kustomize, as a program of its own or within kubectl: a folder of manifests as it would be applied.

Invariant: the folder is one word behind the command and never an option; it gets no cluster and no
credentials of one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from maestro_cli.core.errors import InvalidFile, TimedOut, Unreachable
from maestro_cli.sources.failures import quoted

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_SECONDS = 60.0
_PROGRAMS = (("kustomize", "build"), ("kubectl", "kustomize"))
_TOLD = 600  # bytes


def is_kustomization(folder: Path) -> bool:
    return any((folder / name).is_file() for name in NAMES)


def build(folder: Path) -> str:
    """The manifests that it stands for; raises InvalidFile with what is said, Unreachable, TimedOut."""
    line = next(([program, command] for name, command in _PROGRAMS if (program := shutil.which(name))), None)
    if line is None:
        raise Unreachable(
            f"{folder} is a kustomization, and neither kustomize nor kubectl is on the path",
            fix="install kubectl, or give what `kustomize build` prints",
        )
    env = {**os.environ, "KUBECONFIG": os.devnull}
    try:
        done = subprocess.run(
            [*line, str(folder.resolve())], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=_SECONDS, check=False, env=env,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise TimedOut(f"{line[0]} did not build {folder} within {_SECONDS:.0f} s") from error
    except OSError as error:
        raise Unreachable(f"{line[0]} cannot be run", why=error.strerror or "") from error
    if done.returncode:
        why = quoted(done.stderr[:_TOLD].strip())
        raise InvalidFile(
            "cannot be built as a kustomization", file=str(folder), why=why, fix=f"kubectl kustomize {folder}"
        )
    return done.stdout.decode("utf-8", "replace")

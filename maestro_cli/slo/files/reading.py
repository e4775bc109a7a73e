"""Objectives of files and folders. Invariant: no two that are read together have one name."""

from __future__ import annotations

from pathlib import Path

from maestro_cli.config.strict import read_yaml
from maestro_cli.core.errors import InvalidFile
from maestro_cli.slo.files.openslo import read_openslo
from maestro_cli.slo.objectives import Objective


def read_objectives(path: Path) -> tuple[Objective, ...]:
    """Read one file, or every `*.yaml` of a folder; raises InvalidFile naming file, line and key."""
    is_ours = {".yaml", ".yml"}
    files = sorted(f for f in path.iterdir() if f.suffix in is_ours) if path.is_dir() else [path]
    objectives = tuple(read_openslo(read_yaml(file)) for file in files)
    seen: dict[str, str] = {}
    for objective, file in zip(objectives, files, strict=True):
        if objective.name in seen:
            what = f"the objective {objective.name!r} is also in {seen[objective.name]}"
            raise InvalidFile(what, file=str(file), key="metadata.name")
        seen[objective.name] = str(file)
    return objectives

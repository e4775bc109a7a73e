"""The experiment files there are. Invariant: one that cannot be read hides no other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maestro_cli.chaos.experiments.reading import read_experiment
from maestro_cli.chaos.model import Experiment
from maestro_cli.config.strict import suggestion
from maestro_cli.core.errors import InvalidFile, NotFound

ENDINGS = (".yaml", ".yml", ".json")


def files(folders: Sequence[Path]) -> list[Path]:
    """Every experiment file of the folders, by name; an earlier folder hides an equal name of a later one."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*")) if folder.is_dir() else ():
            if path.suffix in ENDINGS:
                found.setdefault(path.stem, path)
    return [found[name] for name in sorted(found)]


def read_all(folders: Sequence[Path]) -> list[tuple[str, Experiment | InvalidFile]]:
    """Each file by name, read, or why it cannot be."""
    read: list[tuple[str, Experiment | InvalidFile]] = []
    for path in files(folders):
        try:
            read.append((path.stem, read_experiment(path)))
        except InvalidFile as error:
            read.append((path.stem, error))
    return read


def path_of(reference: str, folders: Sequence[Path]) -> Path:
    """A path as it is, where it has an ending or a folder; else the file of that name. Raises NotFound."""
    if "/" in reference or reference.endswith(ENDINGS):
        return Path(reference)
    known = {path.stem: path for path in files(folders)}
    if reference not in known:
        raise NotFound(
            f"there is no experiment {reference!r}",
            why=suggestion(reference, known),
            fix="maestro chaos list",
        )
    return known[reference]


def find(reference: str, folders: Sequence[Path]) -> Experiment:
    """Read it; raises NotFound and InvalidFile."""
    return read_experiment(path_of(reference, folders))

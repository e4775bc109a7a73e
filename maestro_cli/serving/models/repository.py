"""The versions this process serves, and which of them answers a request.

Invariant: every served version is READY or UNAVAILABLE with a reason, decided once at start; the server is
ready only when all are READY. A request without a version is answered by the highest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maestro_cli.serving.errors import ArtefactRefused, ModelError, RequestError, quoted
from maestro_cli.serving.models import artefact
from maestro_cli.serving.models.artefact import LoadedModel

READY, UNAVAILABLE = "READY", "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Entry:
    """One served version; `model` is None and `reason` says why when it did not load."""

    name: str
    version: int
    model: LoadedModel | None
    reason: str = ""

    @property
    def state(self) -> str:
        return READY if self.model is not None else UNAVAILABLE


class Repository:
    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(sorted(entries, key=lambda entry: (entry.name, entry.version)))
        self._by_version = {(entry.name, str(entry.version)): entry for entry in self.entries}
        self._highest = {entry.name: entry for entry in self.entries}  # sorted: the last one wins

    @property
    def ready(self) -> bool:
        return all(entry.model is not None for entry in self.entries)

    @property
    def names(self) -> list[str]:
        return sorted(self._highest)

    def versions(self, name: str) -> list[str]:
        """The served versions of a model, ascending."""
        return [str(entry.version) for entry in self.entries if entry.name == name]

    def find(self, name: str, version: str | None) -> Entry:
        """The entry that answers; raises RequestError (404)."""
        entry = self._highest.get(name) if version is None else self._by_version.get((name, version))
        if entry is None:
            wanted = quoted(name) if version is None else f"{quoted(name)} version {quoted(version)}"
            raise RequestError(f"model {wanted} is not served here", status=404)
        return entry


def ready_model(entry: Entry) -> LoadedModel:
    """The loaded model of an entry; raises ModelError (503) with the reason it has none."""
    if entry.model is None:
        raise ModelError(f"model '{entry.name}' version {entry.version}: {entry.reason}", status=503)
    return entry.model


def open_entry(models: Path, name: str, version: int) -> Entry:
    """Load one version; a refusal becomes an UNAVAILABLE entry with its reason."""
    try:
        return Entry(name, version, artefact.load(models, name, version))
    except ArtefactRefused as refused:
        return Entry(name, version, None, str(refused))

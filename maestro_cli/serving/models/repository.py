"""The versions this process knows, and which of them answers a request.

Invariant: an entry that is READY holds its model; UNKNOWN is not in memory and is loaded when it is asked
for; UNAVAILABLE says why. A request without a version goes to the highest one that was declared and can
answer, so a version that fails to load leaves the older one serving.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from maestro_cli.serving.errors import ModelError, RequestError, quoted
from maestro_cli.serving.models.artefact import LoadedModel
from maestro_cli.serving.models.manifest import MAX_VERSION, MODEL_NAME


class State(StrEnum):
    """The states of Triton's repository index (`extension_model_repository.md`)."""

    UNKNOWN = "UNKNOWN"
    READY = "READY"
    UNAVAILABLE = "UNAVAILABLE"
    LOADING = "LOADING"
    UNLOADING = "UNLOADING"


@dataclass(eq=False, slots=True)
class Entry:
    """One version. `declared` ones answer requests that name no version; `required` ones make readiness.

    `users` counts the requests that are with its model now, `used_at` orders entries by their last use.
    """

    name: str
    version: int
    state: State = State.UNKNOWN
    reason: str = ""
    model: LoadedModel | None = None
    declared: bool = False
    required: bool = False
    bytes: int = 0
    users: int = 0
    used_at: int = 0

    @property
    def can_answer(self) -> bool:
        return self.state in (State.READY, State.UNKNOWN) or (
            self.state is State.LOADING and self.model is not None
        )

    def hold(self, model: LoadedModel, held_bytes: int) -> None:
        self.state, self.reason, self.model, self.bytes = State.READY, "", model, held_bytes

    def fail(self, reason: str) -> None:
        """Say why it cannot answer; a model that it holds goes on answering."""
        self.reason = reason
        self.state = State.READY if self.model is not None else State.UNAVAILABLE

    def drop(self, state: State, reason: str) -> None:
        self.state, self.reason, self.model, self.bytes = state, reason, None, 0


@dataclass(slots=True)
class Champion:
    """The version that answers by default, and the one that did before: both stay in memory."""

    current: int
    previous: int | None = None


@dataclass(slots=True)
class _Model:
    entries: dict[int, Entry] = field(default_factory=dict)
    champion: Champion | None = None


class Repository:
    """Use it from one event loop."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._models: dict[str, _Model] = {}
        for entry in entries:
            self.add(entry)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every version, by name and number."""
        return tuple(
            model.entries[version]
            for _, model in sorted(self._models.items())
            for version in sorted(model.entries)
        )

    @property
    def missing(self) -> list[Entry]:
        """The required versions that cannot answer."""
        return [entry for entry in self.entries if entry.required and not entry.can_answer]

    @property
    def names(self) -> list[str]:
        return sorted(self._models)

    def add(self, entry: Entry) -> None:
        self._models.setdefault(entry.name, _Model()).entries[entry.version] = entry
        self.elect(entry.name)

    def versions(self, name: str) -> list[str]:
        """The declared versions of a model that can answer, ascending."""
        entries = sorted(self._models[name].entries.items())
        return [str(version) for version, entry in entries if entry.declared and entry.can_answer]

    def of(self, name: str) -> tuple[Entry, ...]:
        """Every known version of a model, ascending; none for a name that is not known."""
        model = self._models.get(name)
        return tuple(model.entries[version] for version in sorted(model.entries)) if model else ()

    def find(self, name: str, version: str | None) -> Entry:
        """The entry that answers; raises RequestError (404)."""
        model = self._models.get(name)
        entry: Entry | None = None
        if model is not None and version is None:
            entry = model.entries[model.champion.current] if model.champion else self.of(name)[-1]
        elif model is not None and version is not None and _is_version(version):
            entry = model.entries.get(int(version))
        if entry is None:
            wanted = quoted(name) if version is None else f"{quoted(name)} version {quoted(version)}"
            raise RequestError(f"model {wanted} is not served here", status=404)
        return entry

    def elect(self, name: str) -> None:
        """Find the default version anew; the one before stays known as the previous champion."""
        model = self._models[name]
        able = [entry for entry in model.entries.values() if entry.can_answer]
        candidates = [entry.version for entry in able if entry.declared] or [entry.version for entry in able]
        old = model.champion
        if not candidates:
            model.champion = None
        elif old is None:
            model.champion = Champion(max(candidates))
        elif old.current != max(candidates):
            model.champion = Champion(max(candidates), previous=old.current)

    def is_champion(self, entry: Entry) -> bool:
        """Whether it answers by default now, or did before: such a one is not evicted.

        A model of which no version was declared has none: it came with a request, and may go as it came.
        """
        model = self._models[entry.name]
        champion = model.champion
        if champion is None or not model.entries[champion.current].declared:
            return False
        return entry.version in (champion.current, champion.previous)


def _is_version(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10 and not text.startswith("0")


def ready_model(entry: Entry) -> LoadedModel:
    """The loaded model of an entry; raises ModelError (503) with the reason it has none."""
    if entry.model is None:
        why = entry.reason or "it is not loaded"
        raise ModelError(f"model '{entry.name}' version {entry.version}: {why}", status=503)
    return entry.model


def versions_on_disk(models: Path, name: str) -> list[int]:
    """The versions that have a folder, ascending; none for a name that no model can have."""
    if not MODEL_NAME.fullmatch(name):
        return []
    folder = models / name
    found = [int(path.name) for path in folder.iterdir() if _is_version(path.name)] if folder.is_dir() else []
    return sorted(version for version in found if version <= MAX_VERSION)


def names_on_disk(models: Path) -> list[str]:
    """Every model that has at least one version's folder."""
    names = sorted(path.name for path in models.iterdir() if path.is_dir())
    return [name for name in names if versions_on_disk(models, name)]

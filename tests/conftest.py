"""Every test runs with a home, configuration and state of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is not a fault of what is tested.
settings.register_profile("maestro", deadline=None)
settings.load_profile("maestro")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hide the developer's own home, configuration, state and settings from every test."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for variable, folder in (
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_CACHE_HOME", "cache"),
    ):
        monkeypatch.setenv(variable, str(home / folder))
    for variable in ("MAESTRO_CONTEXT", "MAESTRO_READ_ONLY", "MAESTRO_ACTOR", "KUBECONFIG", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    return home

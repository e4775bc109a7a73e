"""Platforms of their own for these tests, in folders of their own, ended whatever happens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import Unreachable
from maestro_cli.core.progress import Quiet
from maestro_cli.local.platform import EmbeddedPlatform
from maestro_cli.local.programs import find_programs


@pytest.fixture(scope="session")
def needs_programs() -> None:
    """Skip where Prometheus or Alertmanager is not installed."""
    try:
        find_programs(os.environ)
    except Unreachable as missing:
        pytest.skip(missing.what)


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, needs_programs: None
) -> Iterator[tuple[EmbeddedPlatform, Path]]:
    """A platform that is up, shared by the tests of a module."""
    home = tmp_path_factory.mktemp("xdg")
    state = home / "maestro" / "local"
    platform = EmbeddedPlatform(
        state, clock=SystemClock(), environment={**os.environ, "XDG_STATE_HOME": str(home)}
    )
    try:
        platform.up(progress=Quiet(), cancellation=Cancellation())
        yield platform, state
    finally:
        platform.down(progress=Quiet())

"""Every test runs with a home, configuration and state of its own.

Those marked `kubernetes` run on a real control plane, if there is one: see tests/kubernetes_binary.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import kubernetes_binary

# A busy machine is not a fault of what is tested, and the same code gets the same answer each time.
# `pytest --hypothesis-profile=search` looks further, at other examples each time.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("maestro", settings.get_profile("search"), derandomize=True)
settings.load_profile("maestro")


def pytest_addoption(parser: pytest.Parser) -> None:
    kubernetes_binary.add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    kubernetes_binary.check(config)


@pytest.hookimpl(trylast=True)  # after -m and -k, so that only what was asked for counts
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kubernetes_binary.choose(config, items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    kubernetes_binary.tell(session.config)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist: a worker is over
def pytest_testnodedown(node: Any) -> None:
    kubernetes_binary.hear(node.config, getattr(node, "workeroutput", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in kubernetes_binary.summary(config):
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(autouse=True)
def own_home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
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
    kubernetes_binary.lend(request, monkeypatch)
    for variable in ("MAESTRO_CONTEXT", "MAESTRO_READ_ONLY", "MAESTRO_ACTOR", "KUBECONFIG", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    return home

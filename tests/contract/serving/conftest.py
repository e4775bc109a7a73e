"""Servers that end with the test, or with the module, that asked for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.serving.process import MODELS, Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("server"), "--serve", "fraud=1", "--serve", "fraud=2")
    try:
        yield running
    finally:
        running.end()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    running: list[Server] = []

    def starter(*arguments: str, models: Path = MODELS) -> Server:
        running.append(Server(tmp_path, *arguments, models=models))
        return running[-1]

    try:
        yield starter
    finally:
        for one in running:
            one.end()

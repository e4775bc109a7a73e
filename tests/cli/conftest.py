"""What the tests of the command line share: a configured home and a journal made by the real library."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_cli.config.locations import config_dir, state_dir
from maestro_cli.core.clock import SystemClock
from maestro_cli.journal.store import Journal

CONFIG = """current_context: prod
contexts:
  prod:
    namespace: ml
    protected: true
    prometheus: {url: "http://127.0.0.1:1", token: "env:PROD_TOKEN"}
  lab:
    read_only: true
"""


@pytest.fixture
def configured() -> Path:
    """config.yaml with two contexts; prometheus of `prod` is a port where nobody listens."""
    file = config_dir() / "config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(CONFIG, encoding="utf-8")
    return file


@pytest.fixture
def journal_file(configured: Path) -> Path:
    """The journal of context `prod` with three events, one of them hostile."""
    path = state_dir() / "journal" / "prod.sqlite"
    journal = Journal(path, clock=SystemClock())
    journal.append("try.first", "thing/2", "ana", {"target": "ml/deploy/fraud"})
    journal.append("try.second", "thing/2", "ana", {"revision": 3})
    journal.append("said", "thing/1", "\x1b[31mmallory", {"text": "\u202eevil\x1b[2J, =1+1 | x"})
    journal.close()
    return path

"""A platform on which experiments are let through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.session import Session
from tests.patience import wait_for


@contextmanager
def rehearsing(home: Path) -> Iterator[Session]:
    """Up until enough was measured for the guard: its budgets are told by whole minutes."""
    session = Session(home)
    try:
        up = session.run("local", "up")
        assert up.returncode == 0, up.stderr
        wait_for(lambda: session.run("chaos", "plan", "pod-failure").returncode == 0, "a plan is let through")
        yield session
    finally:
        session.run("local", "down")
        assert session.survivors() == []


def run(session: Session, name: str, code: int = 0) -> dict[str, Any]:
    done = session.run("chaos", "run", name, "--yes", "--seed", "7", "-o", "json")
    assert done.returncode == code, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found

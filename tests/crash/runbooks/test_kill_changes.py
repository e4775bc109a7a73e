"""SIGKILL at every write of a run's change, then resume: the cluster is written once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.crashpoints import VARIABLE
from maestro_cli.journal.verification import verify
from maestro_cli.runbooks.model import RunStatus
from maestro_cli.runbooks.projection import RunsProjection
from tests.crash.runbooks.change_worker import work
from tests.unit.changes.fake_cluster import FakeCluster, template

pytestmark = pytest.mark.crash
ROOT = Path(__file__).parents[3]
BOOK = """\
```change {id=back}
kind: rollback
target: deploy/fraud
namespace: ml
```

```promql {verify=back expect="< 1"}
up
```
"""
WRITES = ("planned", "intended", "applied", "verified")
PLACES = [
    *(f"change.{when}-{name}" for name in WRITES for when in ("before", "after")),
    "change.after-call",
    "run.before:step.finished:back",
    "run.after:step.finished:back",
]


@pytest.mark.parametrize("place", PLACES)
def test_a_run_killed_inside_its_change_makes_it_once(tmp_path: Path, place: str) -> None:
    cluster = FakeCluster(tmp_path / "cluster.json")
    cluster.ship(template(1), "release 1")
    cluster.ship(template(2), "release 2")
    (tmp_path / "book.md").write_text(BOOK)
    command = [sys.executable, "-m", "tests.crash.runbooks.change_worker", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, VARIABLE: place})
    try:
        assert process.wait(180) == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()
    result = work(tmp_path)
    assert result.status is RunStatus.SUCCEEDED, result.reason
    last = result.run.last("back")
    assert last is not None
    assert cluster.marks == [last.change_id]
    assert verify(tmp_path / "journal.db", [ChangesProjection(), RunsProjection()]).intact

"""A run with a change step, on the real pipeline and a cluster in a file: `… FOLDER`. Killed by tests."""

from __future__ import annotations

import sys
from pathlib import Path

from maestro_cli.changes.model import Consent
from maestro_cli.changes.pipeline import ChangePipeline
from maestro_cli.changes.policy import Policy
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.redaction import Redactor
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.model import RunResult
from maestro_cli.runbooks.pipeline import PipelineChanges
from maestro_cli.runbooks.projection import RunsProjection
from maestro_cli.runbooks.reader import read_runbook
from maestro_cli.runbooks.runner import RunbookRunner
from tests.unit.changes.fake_cluster import FakeCluster
from tests.unit.changes.some_world import SomeWorld
from tests.unit.runbooks.bench import Answers, Systems


def work(folder: Path) -> RunResult:
    """Start the run of this key, or go on with it."""
    clock = SystemClock()
    journal = Journal(folder / "journal.db", projections=[ChangesProjection(), RunsProjection()], clock=clock)
    try:
        policy = Policy(context="test", poll_seconds=0.02)
        cluster = FakeCluster(folder / "cluster.json")
        pipeline = ChangePipeline(journal, SomeWorld(cluster), policy=policy, clock=clock, actor="ada")
        runner = RunbookRunner(
            journal,
            metrics=Answers((0.0,)),
            changes=PipelineChanges(pipeline, Consent(given=True)),
            systems=Systems(),
            clock=clock,
            actor="ada",
            redactor=Redactor(),
        )
        return runner.start(read_runbook(folder / "book.md"), {}, key="incident/inc-1/0")
    finally:
        journal.close()


if __name__ == "__main__":
    sys.exit(int(work(Path(sys.argv[1])).exit_code))

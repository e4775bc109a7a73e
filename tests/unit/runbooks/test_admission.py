"""A step that alters the world and is no change starts only where a change could."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.model import Consent
from maestro_cli.changes.policy_file import load_policy
from maestro_cli.changes.projection import ChangesProjection
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.redaction import Redactor
from maestro_cli.journal.store import Journal
from maestro_cli.runbooks.model import RunResult, RunStatus
from maestro_cli.runbooks.pipeline import PipelineChanges
from maestro_cli.runbooks.projection import RunsProjection
from maestro_cli.runbooks.reader import read_runbook
from maestro_cli.runbooks.runner import RunbookRunner
from tests.unit.changes.bench import POLICY, YES, Bench, TickingClock
from tests.unit.changes.fake_cluster import FakeCluster
from tests.unit.runbooks.bench import Answers, Systems

LOOK = "```sh {id=look}\necho looked >> log\n```\n\n"
ALTER = (
    "```sh {id=alter mutates}\necho altered >> log\n```\n\n```sh {undo=alter}\necho undone >> log\n```\n\n"
)
SEND = "```http {id=send}\nPOST https://example.org/\n```\n"
ALWAYS = "schema: maestro.policy/1\nfreezes: [{name: f, cron: '* * * * *', duration: 1h%s}]\n"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = TickingClock()
    journal = Journal(
        tmp_path / "journal.db", projections=[ChangesProjection(), RunsProjection()], clock=clock
    )
    yield Bench(journal, FakeCluster(), clock)
    journal.close()


def run(bench: Bench, folder: Path, text: str, consent: Consent = YES, **policy: Any) -> RunResult:
    (folder / "book.md").write_text(text)
    systems = Systems()
    runner = RunbookRunner(
        bench.journal,
        metrics=Answers((0.0,)),
        changes=PipelineChanges(bench.pipeline(**policy), consent),
        systems=systems,
        clock=bench.clock,
        actor="ada",
        redactor=Redactor(),
    )
    result = runner.start(read_runbook(folder / "book.md"), {})
    assert bool(systems.requests) is (result.ok and "http" in text)
    return result


def frozen(folder: Path, more: str = "") -> dict[str, Any]:
    (folder / "policy.yaml").write_text(ALWAYS % more)
    return {"rules": load_policy(folder / "policy.yaml")}


@pytest.mark.parametrize("step", [ALTER, SEND], ids=["sh", "http"])
def test_in_a_read_only_context_it_does_not_start_and_what_only_looks_does(
    bench: Bench, tmp_path: Path, step: str
) -> None:
    result = run(bench, tmp_path, LOOK + step, read_only=True)
    assert (result.status, result.exit_code) == (RunStatus.FAILED, ExitCode.POLICY_REFUSED)
    assert "read-only" in result.reason
    assert (tmp_path / "log").read_text() == "looked\n"  # and nothing was there to be undone


def test_a_freeze_of_everything_holds_it_back_and_one_of_some_kinds_does_not(
    bench: Bench, tmp_path: Path
) -> None:
    result = run(bench, tmp_path, ALTER, **frozen(tmp_path))
    assert (result.status, result.exit_code) == (RunStatus.FAILED, ExitCode.POLICY_REFUSED)
    assert "frozen" in result.reason
    assert run(bench, tmp_path, ALTER, **frozen(tmp_path, ", kinds: [scale]")).ok


def test_it_wants_the_consent_that_a_change_wants(bench: Bench, tmp_path: Path) -> None:
    for consent, policy in ((Consent(given=False), {}), (YES, {"protected": True})):
        result = run(bench, tmp_path, ALTER, consent, **policy)
        assert (result.status, result.exit_code) == (RunStatus.FAILED, ExitCode.GATE_NOT_MET)
    assert not (tmp_path / "log").exists()
    typed = Consent(given=True, typed_context=POLICY.context)
    assert run(bench, tmp_path, ALTER, typed, protected=True).ok

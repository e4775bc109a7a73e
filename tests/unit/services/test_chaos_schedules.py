"""What is due begins only once that is written down, and what ran before it is told whatever comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maestro_cli.changes.model import Consent
from maestro_cli.chaos.experiments.reading import read_experiment
from maestro_cli.chaos.running import Wanted
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import Busy, CannotRecord, ConditionNotMet, ExitCode, MaestroError
from maestro_cli.core.progress import Quiet
from maestro_cli.journal.store import Journal
from maestro_cli.services.chaos_schedules import run_due
from tests.cli.looks import looks

TEXT = """maestro: chaos-schedules/v1
schedules:
  - {name: first, experiment: looks, cron: "0 0 * * *", within: 26h, seed: 7}
  - {name: second, experiment: looks, cron: "0 0 * * *", within: 26h, seed: 7}
"""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.db", clock=SystemClock())
    yield made
    made.close()


@pytest.mark.parametrize(
    ("refusal", "code"), [(CannotRecord, ExitCode.GATE_NOT_MET), (Busy, ExitCode.BUSY)], ids=["full", "busy"]
)
def test_a_time_that_cannot_be_taken_begins_nothing_and_hides_nothing(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: type[MaestroError],
    code: ExitCode,
) -> None:  # fmt: skip
    (tmp_path / "s.yaml").write_text(TEXT)
    (tmp_path / "looks.yaml").write_text(looks())
    wanted = Wanted(read_experiment(tmp_path / "looks.yaml"), 7, Consent(given=True))
    ran: list[Wanted] = []

    def run(asked: Wanted, _: object) -> None:
        def full() -> None:
            raise refusal("the journal cannot be written", why="database or disk is full")

        ran.append(asked)
        monkeypatch.setattr(journal, "transaction", full)
        raise ConditionNotMet("it deviated")

    services = SimpleNamespace(
        journal=journal, clock=SystemClock(), actor="ana", context=SimpleNamespace(experiments=None),
        context_name="dev", wanted_experiment=lambda *_, **__: wanted, agreed_experiment=lambda one: one,
        run_experiment=run,
    )  # fmt: skip
    outcomes, decision = run_due(
        cast(Any, services), tmp_path / "s.yaml", yes=True, typed_context="", progress=Quiet()
    )
    assert [one.exit_code for one in outcomes] == [ExitCode.CONDITION_NOT_MET, code]
    assert len(ran) == 1
    assert decision is not None
    assert decision.ends_with is (ExitCode.GATE_NOT_MET if refusal is CannotRecord else outcomes[0].exit_code)
    assert len(journal.events(kinds=("chaos-schedule.taken",))) == 1

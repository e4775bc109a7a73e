"""A gate passes of kept runs only what the journal knows the end of, and begins nothing it cannot tell."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.chaos.ci.outcome import Outcome
from maestro_cli.core.errors import ActionFailed, ExitCode, GateNotMet
from maestro_cli.core.progress import Quiet
from maestro_cli.core.verdict import Verdict
from maestro_cli.services import gating
from tests.unit.chaos.ci.outcomes import performed


def judged(status: str, journal: dict[str, Any]) -> Outcome:
    services: Any = SimpleNamespace(
        ended_experiment_run=lambda reference: SimpleNamespace(
            id=reference, name="slow", file="slow.yaml", status=status
        ),
        experiment_journal=lambda run: journal,
    )
    wanted: Any = None
    found = gating._entry(services, "exp-1", wanted)
    assert isinstance(found, Outcome)
    return found


def test_a_run_that_was_recorded_to_its_end_is_what_it_found() -> None:
    assert judged("finished", performed()).verdict is Verdict.PASS


@pytest.mark.parametrize("status", ["interrupted", "swept"])
def test_a_pass_that_was_never_recorded_is_none(status: str) -> None:
    found = judged(status, performed())
    assert (found.verdict, found.exit_code) == (Verdict.INDETERMINATE, ExitCode.NO_DATA)
    assert "never recorded" in found.against[0].what


def test_what_is_no_pass_stays_what_it_is() -> None:
    missed = performed({"during": ("met", "missed")})
    assert judged("swept", missed).exit_code is ExitCode.CONDITION_NOT_MET


def test_evidence_that_cannot_be_written_at_the_beginning_begins_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise ActionFailed("out/summary.md cannot be written", why="No space left on device", fix="make room")

    monkeypatch.setattr(gating, "_keep_so_far", full)
    services: Any = SimpleNamespace()
    wanted = gating.GateWanted((), 0, True, "", (), (), "", None, None, "none")
    with pytest.raises(GateNotMet, match="cannot be written") as told:
        gating.run_gate(services, wanted, Quiet())
    assert "nothing was begun" in told.value.why

"""`latest` is what somebody means who names nothing: what is at work, or was begun, or ended last."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from maestro_cli.chaos.history import get_run, last_finished
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import MaestroError, NotFound
from tests.contract.chaos.lab import Lab, data, experiment
from tests.patience import wait_for

pytestmark = pytest.mark.contract


def refused(lab: Lab) -> None:
    with pytest.raises(MaestroError):
        lab.run(replace(experiment(data(duration="")), name="refused"))
    assert lab.kinds()[-1] == "experiment.refused"


def test_what_was_refused_since_hides_neither_what_is_at_work_nor_what_ended(tmp_path: Path) -> None:
    lab, cancellation = Lab(tmp_path), Cancellation()
    with pytest.raises(NotFound, match="finished yet"):
        last_finished(lab.journal)
    seen: list[tuple[str, str]] = []

    def look() -> None:
        wait_for(lambda: "experiment.injected" in lab.kinds(), "an injection")
        refused(lab)
        seen.append((get_run(lab.journal, "latest").status, get_run(lab.journal, "latest").id))
        cancellation.cancel()

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    report = lab.run(experiment(data(hold=60.0, duration="90s")), cancellation=cancellation)
    looking.join()
    assert seen == [("running", report.run)]
    assert last_finished(lab.journal) == get_run(lab.journal, "latest").id == report.run
    assert cancellation.is_patient is False

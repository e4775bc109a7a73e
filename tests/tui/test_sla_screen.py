"""The screen of the SLA report: its verdicts, and the key that writes what is shown."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from textual.pilot import Pilot

from maestro_cli.core.errors import GateNotMet
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.sla import SLA, report_target, write
from maestro_cli.tui.store.events import FactRead
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, tell, until
from tests.tui.facts import HOSTILE
from tests.tui.facts_of_sla import sla_made

SERVICES = SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False))


def test_it_shows_each_verdict_and_what_is_due() -> None:
    console = StillConsole(SERVICES)

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        tell(console, FactRead(SLA.of("prod"), sla_made(HOSTILE), NOW))
        await until(pilot, lambda: "fraud-latency" in screen_text(app), "the rows")
        text = screen_text(app)
        assert "FAIL" in text
        assert "10 %: below 99.90 %" in text

    run_app(console, script, place=Place("sla"))


def test_what_is_written_is_what_was_shown_and_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    target = report_target(Place("sla", "", "prod"), sla_made(HOSTILE))
    answers = {"file": str(tmp_path / "month.html")}
    assert write(SERVICES, target, answers) == f"wrote {tmp_path}/month.html"  # type: ignore[arg-type]
    page = (tmp_path / "month.html").read_text()
    assert "fraud-availability" in page
    assert page.count("<svg") == 4
    with pytest.raises(GateNotMet, match="left alone"):
        write(SERVICES, target, answers)  # type: ignore[arg-type]

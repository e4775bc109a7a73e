"""What a gate runs was agreed to, in a question that nothing else draws over."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from maestro_cli.chaos.experiments.reading import read_experiment
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import ExitCode, GateNotMet
from maestro_cli.output.progress import TerminalProgress
from maestro_cli.services.gating import outcome_of_run

FILE = "title: looks\ndescription: only\nmethod: []\n"


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_question_of_a_gate_has_the_terminal_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Screen())
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("CI", raising=False)
    file = tmp_path / "looks.yaml"
    file.write_text(FILE)
    drawing: list[bool] = []

    def agreed_experiment(wanted: Any) -> NoReturn:
        drawing.append(progress._live is not None)
        raise GateNotMet("you said no; nothing was injected")

    services: Any = SimpleNamespace(
        context=SimpleNamespace(experiments=None), context_name="dev", agreed_experiment=agreed_experiment
    )
    wanted: Any = SimpleNamespace(experiment=read_experiment(file))
    with TerminalProgress(SystemClock()) as progress:
        assert progress._live is not None
        outcome = outcome_of_run(services, wanted, progress)
        assert progress._live is not None
    assert drawing == [False]
    assert outcome.exit_code is ExitCode.GATE_NOT_MET

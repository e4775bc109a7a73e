"""The process that breaks things: it hears orders through its pipes alone, and leaves when there are none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

import psutil
import pytest

from maestro_cli.core.errors import ActionFailed
from maestro_cli.services.league import SaboteurProcess, saboteur


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path))


def test_what_it_is_to_break_is_in_no_argument_variable_or_file_and_it_ends_with_its_orders(
    tmp_path: Path,
) -> None:
    before = set(psutil.Process().children())
    with saboteur() as channel:
        sheet = channel.ask({"do": "cast", "scenario": "quiet-hour", "seed": 1})["ok"]
        assert [place["target"]["name"] for place in sheet["places"]] == ["fraud", "recommendation"]
        assert "failed" in channel.ask({"do": "open", "by": "a test"})
        (child,) = set(psutil.Process().children()) - before
        known = [*child.cmdline(), *child.environ().values()]
        assert not [words for words in known if "quiet-hour" in words]
        assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
    assert not child.is_running()


def test_what_it_cannot_do_is_told_and_it_goes_on() -> None:
    with saboteur() as channel:
        assert "no scenario" in channel.ask({"do": "cast", "scenario": "none", "seed": 1})["failed"]["what"]
        assert "ok" in channel.ask({"do": "cast", "scenario": "crash-loop", "seed": 1})


def test_that_it_has_ended_is_told_with_its_last_words() -> None:
    with saboteur() as channel:
        with pytest.raises(ActionFailed, match="has ended") as gone:
            channel.ask({"do": "no such order"})
        assert "KeyError" in gone.value.why
        with pytest.raises(ActionFailed):
            channel.ask({"do": "cast", "scenario": "crash-loop", "seed": 1})


def test_a_line_that_was_cut_is_its_end() -> None:
    with TemporaryFile() as log:
        command = [sys.executable, "-c", "input(); print('{\"ok\": ', end='')"]
        with (
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            ) as child,
            pytest.raises(ActionFailed, match="has ended"),
        ):
            SaboteurProcess(child, log).ask({"do": "mend"})

"""Secrets of an experiment are in no record of its run, no line of its progress and no file of its folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.changes.model import Consent
from maestro_cli.chaos.running import RunReport, Wanted, run
from maestro_cli.core.errors import ExitCode, InvalidFile
from tests.contract.chaos.lab import Lab, data, experiment
from tests.contract.chaos.performed import action, probe, python

pytestmark = pytest.mark.contract

SPY = """
import sys
def say(token): print("said", token, flush=True); print(token, file=sys.stderr, flush=True)
def fail(pin): raise ValueError(f"no such pin: {pin}")
def give(token): return {"token": token, "list": [token]}
"""
LITERAL, OF_ENV, GIVEN, PIN, WORDY = (
    "literal-hunter1", "resolved-hunter2", "given-hunter3", 55443322, "x" * 290 + "-hunter5-and-more",
)  # fmt: skip
ALL = (LITERAL, OF_ENV, GIVEN, str(PIN), "-hunter5")


class Heard:
    """A front end that keeps everything."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def phase(self, name: str, text: str) -> None:
        self.said.append(f"{name} {text}")

    def update(self, text: str) -> None:
        self.said.append(text)

    note = update


def spied(folder: Path, *method: dict[str, Any], **more: Any) -> Any:
    (folder / "spy.py").write_text(SPY)
    secrets = {
        "lab": {
            "literal": LITERAL, "resolved": {"type": "env", "key": "LAB_TOKEN"},
            "pin": PIN, "wordy": WORDY,
        },
        "more": {"given": "?"},
    }  # fmt: skip
    given = data()
    given["method"] = [*given["method"], *method]
    made = experiment({**given, "secrets": secrets, **more})
    return replace(made, file=str(folder / "it.yaml"))


def performed(lab: Lab, asked: Any, heard: Heard) -> RunReport:
    wanted = Wanted(asked, 7, Consent(given=True), {}, {"more": {"given": GIVEN}})
    return run(lab.means, wanted, progress=heard)


def everything(lab: Lab, heard: Heard) -> str:
    """Whatever is left of the run, anywhere."""
    events = json.dumps([[event.subject, event.kind, dict(event.data)] for event in lab.journal.events()])
    files = [path.read_text(errors="replace") for path in lab.means.folders.rglob("*") if path.is_file()]
    assert len(files) >= 2
    return "\n".join([events, *heard.said, *files])


def test_a_secret_is_nowhere_however_it_was_given_and_whatever_said_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_TOKEN", OF_ENV)
    lab, heard = Lab(tmp_path), Heard()
    failing = [
        {"type": "probe", "name": f"get {name}", "provider": {"type": "http", "url": f"http://127.0.0.1:1/?{name}=${{{name}}}"}}
        for name in ("literal", "resolved", "given", "wordy")
    ]  # fmt: skip
    pin = action("pin", python("spy", "fail", pin="${pin}"))
    said = [action("say", python("spy", "say", token=f"${{{name}}}")) for name in ("resolved", "pin")]
    gave = [probe("give", python("spy", "give", token=f"${{{name}}}"), True) for name in ("given", "pin")]
    report = performed(lab, spied(tmp_path, *failing, pin, *said, *gave), heard)
    assert report.judged.exit_code is ExitCode.ACTION_FAILED
    whole = f"{everything(lab, heard)}\n{report.judged}\n{report.findings}\n{report.journal}"
    assert {one: whole.count(one) for one in ALL} == dict.fromkeys(ALL, 0)
    assert "no such pin: «secret»" in whole
    assert "said «secret»" in (report.folder / "worker.log").read_text()


def test_a_refusal_of_chaos_toolkit_names_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_TOKEN", OF_ENV)
    lab, heard = Lab(tmp_path), Heard()
    nowhere = action("x", python("spy", LITERAL.replace("-", "_")))
    secrets = {"lab": {"name": LITERAL.replace("-", "_")}}
    with pytest.raises(InvalidFile) as refused:
        performed(lab, spied(tmp_path, nowhere, secrets=secrets), heard)
    assert "hunter1" not in f"{refused.value.what} {refused.value.why} {everything(lab, heard)}"

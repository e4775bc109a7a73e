"""Chaos Toolkit's own experiments give the steady-state results that Chaos Toolkit itself gives.

The shapes are those of its tutorial and of the tests of its library: files, processes, HTTP, references,
variables, controls, background activities.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.chaos.verdict import Steady, steady_of
from tests.contract.chaos.performed import Performed, action, probe, python

pytestmark = pytest.mark.contract

ITSELF = """
import json, sys
from chaoslib.experiment import run_experiment
given = json.load(open(sys.argv[1]))
journal = run_experiment(given, settings={}, experiment_vars=({}, {}))
json.dump(journal, open(sys.argv[2], "w"), default=str)
"""
LAB = """
import os
def exists(path): return os.path.exists(path)
def read(path): return open(path).read()
def remove(path): os.remove(path)
def write(path, text): open(path, "w").write(text)
def fine(value=None): return value["status"] == 200
def quick(): return {"latency": 0.2, "status": 200}
"""
CONTROL = """
def after_activity_control(context, state, **kwargs):
    if context.get("name") == "controlled":
        state["output"] = "changed"
"""


def samples(folder: Path) -> dict[str, dict[str, Any]]:
    here, gone = str(folder / "here"), str(folder / "gone")
    exists = probe("the file exists", python("lab", "exists", path=here), True)
    remove = action("remove it", python("lab", "remove", path=here))
    mend = [action("write it again", python("lab", "write", path=here, text="x"))]

    def sample(probes: list[Any], method: list[Any], rollbacks: Any = (), **more: Any) -> dict[str, Any]:
        hypothesis = {"title": "well", "probes": probes}
        return {
            "title": "t", "description": "d", "steady-state-hypothesis": hypothesis,
            "method": method, "rollbacks": list(rollbacks), **more,
        }  # fmt: skip

    shell = {"type": "process", "path": "sh", "arguments": ["-c", "echo 7; exit ${code}"]}
    return {
        "does not change": sample([exists], []),
        "deviates": sample([exists], [remove], mend),
        "gate missed": sample([probe("no file", python("lab", "exists", path=gone), True)], [remove]),
        "failing probe": sample([probe("read", python("lab", "read", path=gone), "x")], []),
        "failing action": sample([exists], [action("x", python("lab", "remove", path=gone))], mend),
        "process": sample([probe("code", shell, 3)], [], configuration={"code": "3"}),
        "process in a list": sample([probe("code", shell, [0, 3])], [], configuration={"code": "3"}),
        "regex": sample(
            [probe("text", shell, {"type": "regex", "target": "stdout", "pattern": "^7"})], [],
            configuration={"code": "0"},
        ),
        "range": sample(
            [probe("q", python("lab", "quick"), {"type": "range", "target": "latency", "range": [0, 1]})], []
        ),
        "jsonpath": sample(
            [probe("q", python("lab", "quick"), {"type": "jsonpath", "path": "$.status", "expect": 200})], []
        ),
        "tolerance by a probe": sample(
            [
                probe(
                    "q", python("lab", "quick"),
                    {"type": "probe", "name": "p", "provider": python("lab", "fine")},
                )
            ],
            [],
        ),
        "nobody listens": sample([probe("http", {"type": "http", "url": "http://127.0.0.1:1/"}, 200)], []),
        "a reference": sample([exists], [{"ref": "the file exists"}]),
        "in the background": sample([exists], [{**action("q", python("lab", "quick")), "background": True}]),
        "a control": sample(
            [probe("controlled", python("lab", "read", path=here), "x")], [],
            controls=[{"name": "c", "provider": {"type": "python", "module": "control"}}],
        ),
    }  # fmt: skip


NAMES = sorted(samples(Path("/")))


def told(journal: dict[str, Any]) -> dict[str, Any]:
    """The steady states, and how each activity ended."""
    states = journal["steady_states"]

    def looked(when: str) -> Any:
        if states[when] is None:
            return None
        probes = states[when]["probes"]
        ended = [(one["activity"]["name"], one["status"], one["tolerance_met"]) for one in probes]
        return states[when]["steady_state_met"], ended

    return {
        "before": looked("before"),
        "after": looked("after"),
        "run": [(run["activity"]["name"], run["status"]) for run in journal["run"]],
        "deviated": journal["deviated"],
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_steady_states_are_the_same(name: str, tmp_path: Path) -> None:
    results = []
    for way in ("itself", "maestro"):
        folder = tmp_path / way
        folder.mkdir()
        (folder / "lab.py").write_text(LAB)
        (folder / "control.py").write_text(CONTROL)
        (folder / "here").write_text("x")
        given = samples(folder)[name]
        if way == "maestro":
            results.append(told(dict(Performed(folder, copy.deepcopy(given)).journal())))
            continue
        asked, answer = folder / "asked.json", folder / "answer.json"
        asked.write_text(json.dumps(given))
        subprocess.run(
            [sys.executable, "-c", ITSELF, str(asked), str(answer)],
            cwd=folder, check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        results.append(told(json.loads(answer.read_text())))
    assert results[1] == results[0]


def test_a_service_that_nobody_listens_for_is_a_miss_by_what_chaos_toolkit_writes(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text(LAB)
    found = Performed(tmp_path, samples(tmp_path)["nobody listens"]).journal()
    assert steady_of(found["steady_states"]["before"]) is Steady.MISSED

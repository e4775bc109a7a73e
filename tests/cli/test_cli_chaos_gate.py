"""`maestro chaos gate`: journals and experiments, one decision, and the files of a pipeline."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.looks import LOOKS, looks, misses
from tests.cli.program import COMMAND, check_golden, environment, maestro
from tests.patience import wait_for
from tests.unit.chaos.ci.junit_schema import faults_of
from tests.unit.chaos.ci.outcomes import performed
from tests.unit.chaos.ci.test_variables import read_github
from tests.unit.chaos.test_verdict import CASES, Case

FORMATS = ["table", "wide", "json", "yaml", "csv", "md"]
CALLS = """title: It calls a program
description: There is a true.
steady-state-hypothesis:
  title: true is true
  probes:
    - {type: probe, name: "true", tolerance: 0, provider: {type: process, path: "true"}}
method: []
"""
ACTS = CALLS.replace(
    "method: []",
    "method: [{type: action, name: touch, provider: {type: process, path: touch, arguments: done}}]",
)
Keep = Callable[..., str]


@pytest.fixture
def keep(configured: Path, tmp_path: Path) -> Keep:
    """Write a journal; its relative name."""

    def write(name: str, journal: dict[str, Any]) -> str:
        (tmp_path / name).write_text(json.dumps(journal), encoding="utf-8")
        return f"./{name}"

    return write


@pytest.mark.parametrize("output", FORMATS)
def test_journals_are_judged_together_in_every_format(keep: Keep, tmp_path: Path, output: str) -> None:
    passed = keep("slow.json", performed())
    deviated = keep("loss.json", performed({"after": "missed"}, title="Loss"))
    result = maestro("chaos", "gate", passed, deviated, "-o", output, cwd=tmp_path)
    assert (result.code, result.err) == (10, "")
    check_golden(f"chaos-gate.{output}", result.out)


def test_journals_that_are_files_need_no_context(tmp_path: Path) -> None:
    (tmp_path / "slow.json").write_text(json.dumps(performed()), encoding="utf-8")
    result = maestro("chaos", "gate", "./slow.json", "--out", "evidence", cwd=tmp_path)
    assert (result.code, result.err) == (0, "")
    assert (
        "context" not in (tmp_path / "evidence" / "summary.md").read_text("utf-8").partition("<details>")[0]
    )
    assert maestro("chaos", "gate", "latest", cwd=tmp_path).code == 6


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{int(case.code)}")
def test_it_ends_with_what_the_run_ended_with(keep: Keep, tmp_path: Path, case: Case) -> None:
    bad = keep("bad.json", performed(case.journal, case.findings))
    assert maestro("chaos", "gate", keep("good.json", performed()), bad, cwd=tmp_path).code == int(case.code)
    simple = maestro("chaos", "gate", bad, "--exit-code-style", "simple", cwd=tmp_path)
    assert simple.code == 1


def test_waived_codes_end_with_0_and_are_told_and_residue_is_never_waived(keep: Keep, tmp_path: Path) -> None:
    deviated = keep("a.json", performed({"after": "missed"}))
    left = keep("b.json", performed(findings={"residue": ("latency in ml/pod/a",)}))
    waived = maestro("chaos", "gate", deviated, "--fail-on", "12,13", "-o", "json", cwd=tmp_path)
    body = json.loads(waived.out)
    assert (waived.code, body["verdict"], body["exit_code"], body["waived"]) == (0, "FAIL", 10, [10])
    assert maestro("chaos", "gate", deviated, left, "--fail-on", "12", cwd=tmp_path).code == 13
    assert maestro("chaos", "gate", deviated, "--fail-on", "10", cwd=tmp_path).code == 10
    assert maestro("chaos", "gate", deviated, "--fail-on", "9", cwd=tmp_path).code == 2
    assert maestro("chaos", "gate", deviated, "--exit-code-style", "odd", cwd=tmp_path).code == 2
    assert maestro("chaos", "gate", deviated, "--ci", "odd", cwd=tmp_path).code == 2


def test_where_nothing_was_run_no_code_is_waived(keep: Keep, tmp_path: Path) -> None:
    (tmp_path / "acts.yaml").write_text(ACTS)
    command = ("chaos", "gate", "./acts.yaml", "--fail-on", "10,13", "-o", "json")
    refused = maestro(*command, cwd=tmp_path)
    body = json.loads(refused.out)
    assert body["exit_code"] != 0
    assert (refused.code, body["ends_with"], body["waived"]) == (body["exit_code"], body["exit_code"], [])
    beside = maestro(*command, keep("good.json", performed()), cwd=tmp_path)
    assert (beside.code, json.loads(beside.out)["waived"]) == (0, [body["exit_code"]])


def test_the_evidence_is_written_and_its_xml_is_valid(keep: Keep, tmp_path: Path) -> None:
    hostile = keep("x.json", performed({"after": "missed"}, title="<b>\x1b]0;x\x07 $(touch pwned) `id` @org"))
    result = maestro("chaos", "gate", hostile, "--out", "evidence", cwd=tmp_path)
    assert result.code == 10
    folder = tmp_path / "evidence"
    names = "events.jsonl gate.json gitlab.env journal-01.json junit.xml outputs.env summary.md"
    assert sorted(path.name for path in folder.iterdir()) == names.split()
    assert faults_of((folder / "junit.xml").read_text(encoding="utf-8")) == []
    assert "MAESTRO_VERDICT=FAIL\n" in (folder / "gitlab.env").read_text(encoding="utf-8")
    assert json.loads((folder / "gate.json").read_text(encoding="utf-8"))["exit_code"] == 10
    assert not any(path.stat().st_mode & 0o077 for path in folder.iterdir())


def test_on_github_its_files_are_appended_to_and_elsewhere_left_alone(keep: Keep, tmp_path: Path) -> None:
    bad = keep("x.json", performed({"after": "missed"}, title="x\nverdict=PASS"))
    outputs, summary = tmp_path / "outputs", tmp_path / "summary"
    outputs.write_text("before=1\n")
    env = {"GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(summary)}
    assert maestro("chaos", "gate", bad, cwd=tmp_path, env=env).code == 10
    assert (outputs.read_text(), summary.exists()) == ("before=1\n", False)
    assert maestro("chaos", "gate", bad, cwd=tmp_path, env={**env, "GITHUB_ACTIONS": "true"}).code == 10
    written = outputs.read_text(encoding="utf-8")
    assert written.startswith("before=1\n")
    found = read_github(written.removeprefix("before=1\n"))
    assert (found["verdict"], found["code"]) == ("FAIL", "10")
    assert summary.read_text(encoding="utf-8").startswith("## Chaos gate: FAIL\n")


def test_all_that_is_written_is_named(keep: Keep, tmp_path: Path) -> None:
    one = keep("x.json", performed())
    told = json.loads(maestro("chaos", "gate", one, "--out", "ev", "-o", "json", cwd=tmp_path).out)
    assert {Path(path).name for path in told["files"].values()} == {
        path.name for path in (tmp_path / "ev").iterdir()
    }


@pytest.mark.parametrize(("host", "fix"), [("github", "GITHUB_OUTPUT"), ("gitlab", "--out DIR")])
def test_a_host_that_could_not_be_told_is_refused_before_anything_is_begun(
    configured: Path, tmp_path: Path, host: str, fix: str
) -> None:
    (tmp_path / "looks.yaml").write_text(looks())
    refused = maestro("chaos", "gate", "./looks.yaml", "--ci", host, cwd=tmp_path)
    assert (refused.code, refused.out) == (2, "")
    assert fix in refused.err
    assert json.loads(maestro("chaos", "history", "-o", "json").out)["items"] == []


def test_experiments_are_run_and_a_missed_gate_ends_11(configured: Path, tmp_path: Path) -> None:
    (tmp_path / "looks.yaml").write_text(looks())
    (tmp_path / "miss.yaml").write_text(misses())
    well = maestro("chaos", "gate", "./looks.yaml", "--seed", "3", "-o", "json", cwd=tmp_path)
    (one,) = json.loads(well.out)["experiments"]
    assert (well.code, one["verdict"], one["seed"]) == (0, "PASS", 3)
    both = maestro("chaos", "gate", "./looks.yaml", "./miss.yaml", "-o", "json", cwd=tmp_path)
    assert (both.code, json.loads(both.out)["verdict"]) == (11, "FAIL")
    assert maestro("chaos", "gate", one["run"], cwd=tmp_path).code == 0


def test_nobody_agrees_for_a_pipeline(configured: Path, tmp_path: Path) -> None:
    file = tmp_path / "acts.yaml"
    file.write_text(ACTS)
    text = configured.read_text()
    configured.write_text(f"{text}  ci:\n    experiments: {{namespaces: [ml]}}\n  silent: {{}}\n")
    silent = maestro("--context", "silent", "chaos", "gate", str(file), "--yes", "-o", "json", cwd=tmp_path)
    assert silent.code == 20
    assert "allows no experiments" in json.loads(silent.out)["experiments"][0]["reasons"][0]["what"]
    unasked = maestro("--context", "ci", "chaos", "gate", str(file), "-o", "json", cwd=tmp_path)
    assert unasked.code == 11
    assert json.loads(unasked.out)["verdict"] == "INDETERMINATE"
    assert not (tmp_path / "done").exists()


def test_every_file_is_read_before_anything_is_begun(configured: Path, tmp_path: Path) -> None:
    (tmp_path / "looks.yaml").write_text(looks())
    (tmp_path / "bad.yaml").write_text("title: x\n")
    (tmp_path / "bad.json").write_text('{"experiment": [], "status": "completed"}')
    assert maestro("chaos", "gate", "./looks.yaml", "./bad.yaml", cwd=tmp_path).code == 3
    assert maestro("chaos", "gate", "./looks.yaml", "./bad.json", cwd=tmp_path).code == 3
    assert maestro("chaos", "gate", "./looks.yaml", "nothing", cwd=tmp_path).code == 6
    (tmp_path / "file").write_text("")
    assert maestro("chaos", "gate", "./looks.yaml", "--out", "file", cwd=tmp_path).code == 11
    assert maestro("chaos", "history", "-o", "json").out.count('"run"') == 0


def test_evidence_that_cannot_be_kept_is_no_pass_and_what_is_worse_stays(
    configured: Path, tmp_path: Path
) -> None:
    """What it ran takes the folder away, as a disk that is full by then would."""
    configured.write_text(configured.read_text() + "  ci:\n    experiments: {namespaces: [ml]}\n")
    spoils = '{type: process, path: sh, arguments: ["-c", "rm -r kept && touch kept"]}'
    method = f"method: [{{type: action, name: spoil, provider: {spoils}}}]"
    for text, code, found in ((looks(), 15, "PASS (0)"), (misses_after(), 10, "FAIL (10)")):
        (tmp_path / "kept").unlink(missing_ok=True)
        (tmp_path / "it.yaml").write_text(text.replace("method: []", method))
        result = maestro(
            "--context", "ci", "chaos", "gate", "./it.yaml", "--yes", "--out", "kept", cwd=tmp_path
        )  # fmt: skip
        what, why, fix = result.err.splitlines()[-3:]
        assert (result.code, found in why, "runs: exp-" in fix) == (code, True, True), result.err
        assert "cannot be written" in what


def misses_after() -> str:
    """It is met until the method took the folder away."""
    probe = '{type: process, path: test, arguments: ["-d", kept]}'
    return CALLS.replace('{type: process, path: "true"}', probe)


def test_after_something_is_left_behind_nothing_more_is_begun(configured: Path, tmp_path: Path) -> None:
    configured.write_text(configured.read_text() + "  ci:\n    experiments: {namespaces: [ml]}\n")
    provider = '{type: http, url: "http://127.0.0.1:1/"}'
    mend = f"rollbacks: [{{type: action, name: mend, provider: {provider}}}]\n"
    (tmp_path / "bad.yaml").write_text(ACTS + mend)
    (tmp_path / "looks.yaml").write_text(looks())
    result = maestro(
        "--context", "ci", "chaos", "gate", "./bad.yaml", "./looks.yaml", "--yes", "-o", "json", cwd=tmp_path
    )  # fmt: skip
    body = json.loads(result.out)
    assert (result.code, body["verdict"]) == (13, "FAIL"), body
    assert [one["verdict"] for one in body["experiments"]] == ["FAIL", "INDETERMINATE"]
    assert body["experiments"][1]["run"] == ""


def test_findings_in_experiments_are_sarif_that_code_hosts_take(configured: Path, tmp_path: Path) -> None:
    (tmp_path / "plain.yaml").write_text(ACTS)
    (tmp_path / "bad.yaml").write_text("title: x\n")
    result = maestro("chaos", "lint", "./plain.yaml", "./bad.yaml", "-o", "sarif", cwd=tmp_path)
    assert result.code == 10
    check_golden("chaos-lint.sarif", result.out)
    body = json.loads(result.out)
    (run,) = body["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert body["version"] == "2.1.0"
    for one in run["results"]:
        place = one["locations"][0]["physicalLocation"]
        assert one["ruleId"] in rules
        assert one["level"] in ("error", "warning", "note")
        assert one["message"]["text"]
        assert place["artifactLocation"]["uri"] in ("plain.yaml", "bad.yaml")
        assert place["region"]["startLine"] >= 1


@pytest.mark.parametrize(
    "part",
    [
        {"run": [{"activity": 3}]},
        {"steady_states": []},
        {"maestro": {}},
        {"experiment": {"contributions": ["high"]}},
    ],
)
def test_a_journal_of_another_form_is_refused_with_its_name(keep: Keep, tmp_path: Path, part: Any) -> None:
    result = maestro("chaos", "gate", keep("x.json", {**performed(), **part}), cwd=tmp_path)
    assert result.code == 3, result.out
    assert "x.json" in result.err


def test_what_an_earlier_gate_wrote_is_nobodys_evidence_for_this_one(keep: Keep, tmp_path: Path) -> None:
    good, other = keep("good.json", performed()), keep("other.json", performed())
    assert maestro("chaos", "gate", good, other, "--out", "ev", cwd=tmp_path).code == 0
    written = {path.name for path in (tmp_path / "ev").iterdir()}
    assert {"outputs.env", "junit.xml", "journal-02.json"} <= written
    assert maestro("chaos", "gate", "nosuch", "--out", "ev", cwd=tmp_path).code == 6
    assert {path.name for path in (tmp_path / "ev").iterdir()} == {"gate.json"}


def test_a_gate_that_is_killed_leaves_the_evidence_of_what_ran_and_no_pass(
    configured: Path, tmp_path: Path
) -> None:
    silent = socket.create_server(("127.0.0.1", 0))  # nobody answers there
    hangs = LOOKS.replace("URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
    (tmp_path / "looks.yaml").write_text(looks())
    (tmp_path / "hangs.yaml").write_text(hangs.replace("It only looks", "It hangs"))
    evidence = tmp_path / "evidence"
    command = [
        *COMMAND,
        "chaos",
        "gate",
        "./looks.yaml",
        "./hangs.yaml",
        "--out",
        "evidence",
        "--fail-on",
        "10",
    ]
    with silent, subprocess.Popen(command, cwd=tmp_path, env=environment()) as gate:
        wait_for(lambda: (evidence / "journal-01.json").exists(), "the first run is over, and kept")
        asked, _ = silent.accept()  # the second one is at work
        gate.kill()
    asked.close()
    first = json.loads((evidence / "journal-01.json").read_text())
    assert first["maestro"]["verdict"] == "PASS"
    told = json.loads((evidence / "gate.json").read_text())
    assert (told["verdict"], told["exit_code"]) == ("INDETERMINATE", 15)
    assert told["waived"] == [], "nobody waived that the gate itself did not end"
    assert [one["verdict"] for one in told["experiments"]] == ["PASS", "INDETERMINATE"]
    assert "ended before this was over" in told["experiments"][1]["reasons"][0]["what"]
    xml = (evidence / "junit.xml").read_text()
    assert faults_of(xml) == []
    assert 'errors="0"' not in xml.partition(">")[2].partition(">")[0]
    assert first["maestro"]["run"] in (evidence / "events.jsonl").read_text()


def test_evidence_that_is_judged_again_is_not_taken_away(keep: Keep, tmp_path: Path) -> None:
    assert maestro("chaos", "gate", keep("good.json", performed()), "--out", "ev", cwd=tmp_path).code == 0
    assert maestro("chaos", "gate", "./ev/journal-01.json", "--out", "ev", cwd=tmp_path).code == 0


def test_a_file_named_like_a_run_is_a_file(keep: Keep, tmp_path: Path) -> None:
    keep("exp-good.json", performed())
    assert maestro("chaos", "gate", "exp-good.json", cwd=tmp_path).code == 0


def test_a_pass_that_the_journal_itself_does_not_bear_out_is_refused(keep: Keep, tmp_path: Path) -> None:
    for name, change in (
        ("action", {"run": [{"activity": {"type": "action", "name": "hurt"}, "status": "failed"}]}),
        ("undo", {"rollbacks": [{"activity": {"type": "action", "name": "undo"}}]}),
        ("after", {"steady_states": {**performed()["steady_states"], "after": {"steady_state_met": None}}}),
    ):
        journal = keep(f"{name}.json", {**performed(), **change})
        result = maestro("chaos", "gate", journal, cwd=tmp_path)
        assert result.code == 3, name
        assert "it says PASS, and its" in result.err

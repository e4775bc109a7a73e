"""`maestro chaos`: files, what the guard says, and what the journal knows of runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maestro_cli.config.locations import state_dir
from maestro_cli.core.clock import SystemClock
from maestro_cli.journal.store import Journal
from maestro_cli.services.projections import every_projection
from tests.cli.looks import LOOKS, looks, misses
from tests.cli.program import check_golden, maestro

PLAIN = """title: A plain file
description: Nothing bounds it.
method:
  - {type: action, name: touch, provider: {type: process, path: touch, arguments: done}}
"""
FORMATS = ["table", "wide", "json", "yaml", "csv", "md"]


def rooted(text: str) -> str:
    """Without the folder of this checkout."""
    return text.replace(str(Path(__file__).resolve().parents[2]), "ROOT")


@pytest.mark.parametrize("output", FORMATS)
def test_experiments_are_listed_in_every_format(configured: Path, output: str) -> None:
    result = maestro("chaos", "list", "-o", output)
    assert (result.code, result.err) == (0, "")
    check_golden(f"chaos-list.{output}", rooted(result.out))


@pytest.mark.parametrize("output", ["table", "json"])
def test_one_is_shown_with_what_bounds_it(configured: Path, output: str) -> None:
    result = maestro("chaos", "show", "pod-failure", "-o", output)
    assert (result.code, result.err) == (0, "")
    check_golden(f"chaos-show.{output}", rooted(result.out))


def test_what_a_context_cannot_have_is_said(configured: Path) -> None:
    result = maestro("chaos", "list", "--faults", "-o", "json")
    lacks = {one["fault"]: one["lacks"] for one in json.loads(result.out)["items"]}
    assert "no cluster" in lacks["pod-delete"]
    assert "no cluster" in lacks["mesh-network-delay"]
    assert maestro("chaos", "show", "pod-failur").error_lines[1] == "did you mean 'pod-failure'?"


def test_what_is_wrong_is_told_with_file_and_line(configured: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(PLAIN.replace("type: action", "type: act"))
    result = maestro("chaos", "show", str(file))
    assert (result.code, result.out) == (3, "")
    assert f"{file}:4: method[0].type: 'act' is not one of the choices" in result.err


def test_lint_warns_of_what_nothing_bounds_and_ends_10_for_errors(configured: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(PLAIN + "methods: []\n")
    bad.write_text("title: x\n")
    warned = maestro("chaos", "lint", str(good), "-o", "json")
    assert warned.code == 0
    rules = {one["rule"]: one["line"] for one in json.loads(warned.out)["items"]}
    assert rules == {"unknown-key": 5, "no-hypothesis": 1, "unguarded": 3}
    assert maestro("chaos", "lint", str(good), "--strict").code == 10
    failed = maestro("chaos", "lint", str(bad), "-o", "sarif")
    assert failed.code == 10
    (result, *_) = json.loads(failed.out)["runs"][0]["results"]
    assert result["ruleId"] == "invalid"
    assert result["partialFingerprints"]["maestro/v1"].endswith(":1")
    assert maestro("chaos", "lint").code == 0


def test_lint_checks_manifests_of_chaos_mesh_as_well(configured: Path, tmp_path: Path) -> None:
    shipped = Path(__file__).resolve().parents[2] / "deploy" / "chaos" / "network-latency.yaml"
    assert maestro("chaos", "lint", str(shipped)).code == 0
    file = tmp_path / "chaos.yaml"
    file.write_text(shipped.read_text().replace("latency: 100ms", "latencey: 100ms"))
    found = maestro("chaos", "lint", str(file), "-o", "json")
    assert found.code == 10
    told = [(one["line"], one["text"]) for one in json.loads(found.out)["items"]]
    assert (11, "spec.delay.latencey: there is no key 'latencey' here; did you mean 'latency'?") in told


def test_lint_refuses_a_drill_that_expects_what_is_not_there(configured: Path, tmp_path: Path) -> None:
    shipped = Path(__file__).resolve().parents[2] / "playbooks" / "chaos" / "lost-node.yaml"
    text = shipped.read_text(encoding="utf-8").replace("alert: KubeNodeNotReady", "alert: KubeNodeNotRedy")
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    result = maestro("chaos", "lint", str(file), "-o", "json")
    (found,) = [one for one in json.loads(result.out)["items"] if one["level"] == "error"]
    assert (result.code, found["rule"]) == (10, "unknown-name")
    assert text.splitlines()[found["line"] - 1].strip() == "alert: KubeNodeNotRedy"
    assert (
        "drill.alert: there is no alert 'KubeNodeNotRedy'; did you mean 'KubeNodeNotReady'?" in found["text"]
    )


def test_a_plain_file_is_refused_in_a_protected_context_and_without_a_word(
    configured: Path, tmp_path: Path
) -> None:
    file = tmp_path / "plain.yaml"
    file.write_text(PLAIN)
    refused = maestro("chaos", "run", str(file), "--yes", "--confirm-context", "prod")
    assert refused.code == 20
    assert "context prod is protected" in refused.err
    assert maestro("--context", "lab", "chaos", "run", str(file), "--yes").code == 20  # it is read-only
    assert maestro("chaos", "run", str(file)).code == 11
    plan = maestro("chaos", "plan", str(file), "-o", "json")
    assert plan.code == 20
    assert json.loads(plan.out)["allowed"] is False


@pytest.mark.parametrize(("arguments", "code", "rule"), [(("--yes",), 20, "guard"), ((), 11, "guard")])
def test_a_program_reads_a_verdict_and_a_code_of_what_was_refused(
    configured: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, rule: str
) -> None:
    """Also where nobody agreed to it, or the context allows it nowhere."""
    file = tmp_path / "plain.yaml"
    file.write_text(PLAIN)
    result = maestro("chaos", "run", str(file), *arguments, "-o", "json")
    told = json.loads(result.out)
    assert (result.code, told["code"], told["schema"]) == (code, code, "maestro.dev/chaos-report/v1")
    assert (told["verdict"], told["run"], told["status"]) == ("INDETERMINATE", None, "refused")
    assert (told["proof_of_effect"], told["steady_states"]["before"], told["stop"]) == ([], None, None)
    assert [(one["rule"], one["code"]) for one in told["reasons"]] == [(rule, code)]
    assert not (tmp_path / "done").exists()


def test_a_plain_file_acts_in_no_context_that_allows_no_experiments(configured: Path, tmp_path: Path) -> None:
    file = tmp_path / "plain.yaml"
    file.write_text(PLAIN)
    configured.write_text(f"{configured.read_text()}  silent: {{}}\n")
    result = maestro("--context", "silent", "chaos", "run", str(file), "--yes", "-o", "json")
    assert result.code == 20
    assert "context silent allows no experiments" in json.loads(result.out)["reasons"][0]["what"]
    assert not (Path.home() / "done").exists()


def test_a_file_that_only_looks_runs_anywhere_and_writes_its_journal(
    configured: Path, tmp_path: Path
) -> None:
    file, kept = tmp_path / "looks.yaml", tmp_path / "journal.json"
    file.write_text(looks())
    result = maestro("chaos", "run", str(file), "--seed", "1", "--journal-path", str(kept), "-o", "json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["verdict"] == "PASS"
    journal = json.loads(kept.read_text())
    assert (journal["status"], journal["maestro"]["code"], journal["maestro"]["seed"]) == ("completed", 0, 1)
    assert "PASS" in maestro("chaos", "history", "looks").out
    assert maestro("chaos", "report", "-o", "md").code == 0
    assert maestro("chaos", "status").code == 0


def test_the_gate_that_chaos_toolkit_lets_through_ends_11(configured: Path, tmp_path: Path) -> None:
    file = tmp_path / "gate.yaml"
    file.write_text(misses())
    result = maestro("chaos", "run", str(file))
    assert result.code == 11
    assert "FAIL" in result.out


def test_secrets_of_the_file_are_in_no_record(configured: Path, tmp_path: Path) -> None:
    file, kept = tmp_path / "looks.yaml", tmp_path / "journal.json"
    file.write_text(looks(LOOKS.replace("method", "secrets: {lab: {token: hunter2-hunter2}}\nmethod")))
    result = maestro("chaos", "run", str(file), "--journal-path", str(kept), "-o", "json")
    assert result.code == 0, result.err
    assert "hunter2" not in kept.read_text() + result.out + maestro("journal", "show", "-o", "json").out


def test_nothing_of_the_folder_one_is_in_is_imported(configured: Path, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for name in ("requests", "json", "chaoslib", "maestro_cli"):
        (hostile / f"{name}.py").write_text("open('owned', 'w')")
    file = tmp_path / "looks.yaml"
    file.write_text(looks())
    assert maestro("chaos", "run", str(file), cwd=hostile).code == 0
    assert not (hostile / "owned").exists()


def test_variables_are_read_as_chaos_toolkit_reads_them(configured: Path, tmp_path: Path) -> None:
    file = tmp_path / "looks.yaml"
    text = LOOKS.replace("/200", "/${code}").replace("method", "configuration: {code: 503}\nmethod")
    file.write_text(looks(text))
    assert maestro("chaos", "run", str(file)).code == 11
    assert maestro("chaos", "run", str(file), "--var", "code:int=200").code == 0
    assert "is no int" in maestro("chaos", "run", str(file), "--var", "code:int=x").err


@pytest.fixture
def recorded(configured: Path) -> None:
    """A run that was killed with a fault in force, in the context `prod`."""
    journal = Journal(
        state_dir() / "journal" / "prod.sqlite", clock=SystemClock(), projections=every_projection()
    )
    named = {"name": "slow", "title": "A slow replica", "file": "slow.yaml", "digest": "d"}
    started = {
        **named, "seed": 7, "targets": {"it": ["ml/pod/a"]}, "control": [], "burns": [],
        "duration_seconds": 60, "folder": "/nowhere",
    }  # fmt: skip
    journal.append("experiment.started", "experiment/exp-1", "ana", started)
    intended = {
        "fault": "it", "ends_at": "2026-01-01T00:01:00Z", "undo": [], "seconds": 60.0, "before": 3,
        "order": {
            "fault": "server-latency", "parameters": {}, "namespace": "ml", "workload": None,
            "selector": "a=b",
        },
        "targets": [{"ref": {"kind": "Pod", "namespace": "ml", "name": "a"}, "uid": "u", "where": ""}],
        "changes": ["chg-1"],
    }  # fmt: skip
    journal.append("experiment.intended", "experiment/exp-1", "ana", intended)
    journal.close()


def test_a_run_that_was_killed_reads_interrupted_and_holds_the_next_one_up(recorded: None) -> None:
    status = maestro("chaos", "status", "-o", "json")
    assert status.code == 75
    document = json.loads(status.out)
    assert document["status"] == "interrupted"
    assert [(one["name"], one["undone_at"]) for one in document["faults"]] == [("it", "")]
    history = json.loads(maestro("chaos", "history", "-o", "json").out)["items"]
    assert [(one["run"], one["status"]) for one in history] == [("exp-1", "interrupted")]
    assert "exp-1" in maestro("chaos", "plan", "pod-failure").out


def test_what_is_not_there_is_not_found(configured: Path) -> None:
    assert maestro("chaos", "status").code == 6
    assert maestro("chaos", "report", "exp-9").code == 6
    assert maestro("chaos", "show", "nothing").code == 6
    assert maestro("chaos", "sweep").out + maestro("chaos", "sweep").err


def test_a_sweep_removes_the_kubeconfig_of_a_run_that_was_killed_before_it_was_on_record(
    configured: Path,
) -> None:
    left = state_dir() / "experiments" / "prod" / "exp-1" / "kubeconfig.json"
    left.parent.mkdir(parents=True)
    left.write_text("{}")
    assert maestro("chaos", "sweep").code == 0
    assert not left.exists()


def test_a_killed_drill_that_cannot_be_put_away_is_in_the_table_and_ends_13(configured: Path) -> None:
    journal = Journal(
        state_dir() / "journal" / "prod.sqlite", clock=SystemClock(), projections=every_projection()
    )
    intent = {"target": "ml/deploy/fraud", "undo": {"weather": "rain"}}
    journal.append("drill.intended", "drill/drl-1", "ana", intent)
    journal.close()
    result = maestro("chaos", "sweep", "-o", "json")
    assert result.code == 13
    (swept,) = json.loads(result.out)["items"]
    assert (swept["run"], swept["faults"], len(swept["residue"])) == ("drl-1", [], 1)
    assert "--leave" not in result.err, "which is for runs alone"


@pytest.mark.parametrize("path", ["/proc/x.json", "nofolder/x.json"])
def test_where_a_journal_could_not_be_written_nothing_is_run(
    configured: Path, tmp_path: Path, path: str
) -> None:
    (tmp_path / "plain.yaml").write_text(PLAIN, encoding="utf-8")
    result = maestro("chaos", "run", "./plain.yaml", "--yes", "--journal-path", path, cwd=tmp_path)
    assert result.code == 12
    assert "cannot be written" in result.err
    assert not (tmp_path / "done").exists()
    assert not (tmp_path / "nofolder").exists()


def test_a_plan_and_a_run_of_a_file_that_only_looks_say_that_nothing_is_changed(
    configured: Path, tmp_path: Path
) -> None:
    file = tmp_path / "looks.yaml"
    file.write_text(looks())
    plan = maestro("chaos", "plan", str(file))
    assert plan.code == 0
    assert "nothing: the file only looks" in plan.out
    assert json.loads(maestro("chaos", "plan", str(file), "-o", "json").out)["only_looks"] is True
    assert "it only looks: nothing is changed" in maestro("chaos", "run", str(file)).err


def test_a_plan_of_what_acts_does_not_say_so(configured: Path) -> None:
    plan = maestro("chaos", "plan", "pod-failure")
    assert "only looks" not in plan.out
    assert json.loads(maestro("chaos", "plan", "pod-failure", "-o", "json").out)["only_looks"] is False

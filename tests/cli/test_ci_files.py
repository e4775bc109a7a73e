"""The files of `deploy/ci` run as their hosts run them, and no input of theirs is a command."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.chaos.ci.decision import decide
from maestro_cli.chaos.ci.variables import variables_of
from maestro_cli.config.strict import parse_yaml
from tests.cli.program import environment
from tests.cli.test_cli_chaos_gate import ACTS, CALLS
from tests.patience import wait_for
from tests.unit.chaos.ci.test_variables import read_github

CI = Path(__file__).resolve().parents[2] / "deploy" / "ci"
FILES = (
    "action.yml",
    "workflow.yaml",
    "gitlab.yaml",
    "tekton.yaml",
    "cost-workflow.yaml",
    "cost-gitlab.yaml",
)
HOSTILE = "\n".join(
    [
        "$(touch pwned)",
        "`touch pwned`",
        "'; touch pwned; '",
        '"; touch pwned; "',
        "| touch pwned",
        "& touch pwned",
        "*",
    ]
)


def read(name: str) -> Any:
    return parse_yaml((CI / name).read_text(encoding="utf-8"), name).data


def scripts_of(data: Any) -> list[str]:
    """Every text that a shell is given."""
    if isinstance(data, list):
        return [text for one in data for text in scripts_of(one)]
    if not isinstance(data, Mapping):
        return []
    found = [text for one in data.values() for text in scripts_of(one)]
    for key in ("run", "script", "after_script"):
        if key in data:
            found += [data[key]] if isinstance(data[key], str) else list(data[key])
    return found


class Runner:
    """A checkout with experiments, a home with settings, and the files that a host gives its jobs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "deploy").mkdir()
        (folder / "deploy" / "ci").symlink_to(CI)
        (folder / "looks.yaml").write_text(CALLS)
        (folder / "miss.yaml").write_text(CALLS.replace("tolerance: 0", "tolerance: 1"))
        (folder / "acts.yaml").write_text(ACTS)
        self.outputs, self.summary = folder / "output", folder / "summary"
        self.env = environment(
            {
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(self.outputs), "CI": "true",
                "GITHUB_STEP_SUMMARY": str(self.summary), "GITHUB_ACTION_PATH": str(CI),
            }
        )  # fmt: skip

    def bash(self, script: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder, env={**self.env, **env}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def action(self, **inputs: str) -> dict[str, int]:
        """Each step that a shell runs, with its code; after a failure only those that always run."""
        action, codes, failed = read("action.yml"), {}, False
        given = {name: one.get("default", "") for name, one in action["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        for step in action["runs"]["steps"]:
            condition = step.get("if", "success()")
            if "run" not in step or condition.startswith("inputs.") or (failed and condition != "always()"):
                continue
            env = {
                name: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: given[found[1]], text)
                for name, text in step.get("env", {}).items()
            }
            done = self.bash(step["run"], env)
            codes[step["name"]] = done.returncode
            failed = failed or done.returncode != 0
        return codes


@pytest.fixture
def runner(configured: Path, tmp_path: Path) -> Runner:
    configured.write_text(configured.read_text() + "  ci:\n    experiments: {namespaces: [ml]}\n")
    return Runner(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_no_script_holds_an_expression_and_what_is_used_is_pinned(name: str) -> None:
    data = read(name)
    for script in scripts_of(data):
        assert "${{" not in script
        assert "$(params" not in script
    for used in re.findall(r"uses: (\S+)", (CI / name).read_text(encoding="utf-8")):
        assert used.startswith("./") or re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", used)


def test_the_action_passes_on_outputs_that_the_gate_tells() -> None:
    names = {*variables_of([], decide([]), {"report": "gate.json"})}
    passed = {name: one["value"] for name, one in read("action.yml")["outputs"].items()}
    told = [re.search(r"gate\.outputs\.(\w+)", one) for one in passed.values()]
    assert {one[1] for one in told if one} <= names
    assert {"burn", "report"} <= set(passed)


def test_evidence_and_sweep_are_always_kept_and_runs_of_a_cluster_wait_for_one_another() -> None:
    steps = {step["name"]: step for step in read("action.yml")["runs"]["steps"]}
    assert [steps[name]["if"] for name in ("Sweep", "Keep the evidence")] == ["always()", "always()"]
    assert list(steps)[-1] == "Keep the evidence"
    job = read("workflow.yaml")["jobs"]["chaos"]
    assert job["concurrency"] == {"group": "chaos-staging", "cancel-in-progress": False}
    gitlab = read("gitlab.yaml")["chaos-gate"]
    assert (gitlab["artifacts"]["when"], gitlab["interruptible"]) == ("always", False)
    assert gitlab["resource_group"]
    assert gitlab["after_script"] == ["maestro chaos sweep"]


def test_the_action_tells_github_and_ends_with_the_code_of_the_gate(runner: Runner) -> None:
    assert runner.action(context="ci", experiments="./looks.yaml", seed="5") == {
        "Gate": 0, "Sweep": 0, "Name the evidence": 0,
    }  # fmt: skip
    told = runner.outputs.read_text(encoding="utf-8").splitlines(keepends=True)
    found = read_github("".join(line for line in told if not line.startswith("name=chaos-evidence")))
    assert (found["verdict"], found["code"], found["score"]) == ("PASS", "0", "100")
    codes = runner.action(context="ci", experiments="./looks.yaml\n./miss.yaml\n", evidence="second")
    assert codes == {"Gate": 11, "Sweep": 0, "Name the evidence": 0}
    assert (runner.folder / "second" / "junit.xml").exists()
    assert "## Chaos gate: FAIL" in runner.summary.read_text(encoding="utf-8")


def test_no_two_uses_of_the_action_keep_their_evidence_under_one_name(runner: Runner) -> None:
    (step,) = [one for one in read("action.yml")["runs"]["steps"] if one["name"] == "Name the evidence"]
    (kept,) = [one for one in read("action.yml")["runs"]["steps"] if one["name"] == "Keep the evidence"]
    assert kept["with"]["name"] == "${{ steps.evidence.outputs.name }}"
    host = {"GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "chaos"}
    names = []
    for wanted in ("", "", "of-my-own", "two\nsha=lines"):
        assert runner.bash(step["run"], {**host, "ARTIFACT": wanted}).returncode == 0
        names.append(runner.outputs.read_text(encoding="utf-8").splitlines()[-1])
    assert all(re.fullmatch(r"name=chaos-evidence-7-1-chaos-[0-9a-f]{8}", one) for one in names[:2])
    assert names[0] != names[1]
    assert names[2:] == ["name=of-my-own", "name=twosha=lines"]


def test_the_action_breaks_something_where_the_context_allows_it_and_nowhere_else(runner: Runner) -> None:
    assert runner.action(context="lab", experiments="./acts.yaml")["Gate"] == 20
    assert not (runner.folder / "done").exists()
    runner.action(context="ci", experiments="./acts.yaml")
    assert (runner.folder / "done").exists()


@pytest.mark.parametrize("name", ["experiments", "context", "seed", "fail_on", "timeout", "evidence"])
def test_an_input_is_data_and_never_a_command(runner: Runner, name: str) -> None:
    inputs = {"context": "ci", "experiments": "./looks.yaml", name: HOSTILE}
    codes = runner.action(**inputs)
    assert not list(runner.folder.rglob("pwned"))
    assert codes["Gate"] == (0 if name == "evidence" else codes["Gate"])
    assert name == "evidence" or codes["Gate"] in (2, 3, 6)


def test_an_experiment_that_looks_like_an_option_is_none(runner: Runner) -> None:
    assert runner.action(context="ci", experiments="--help")["Gate"] == 6
    assert runner.action(context="ci", experiments="")["Gate"] == 2


def test_gitlab_runs_the_gate_and_takes_its_variables(runner: Runner) -> None:
    job = read("gitlab.yaml")["chaos-gate"]
    env = {"MAESTRO_GATE_OUT": "chaos-evidence", "MAESTRO_CONTEXT": "ci"}
    (script,) = job["script"]
    assert runner.bash(script, {**env, "MAESTRO_GATE_EXPERIMENTS": "./miss.yaml"}).returncode == 11
    assert runner.bash(job["after_script"][0], env).returncode == 0
    reports = job["artifacts"]["reports"]
    assert (runner.folder / reports["junit"]).exists()
    assert "MAESTRO_CODE=11\n" in (runner.folder / reports["dotenv"]).read_text(encoding="utf-8")


def test_tekton_runs_the_gate_and_takes_its_results(runner: Runner) -> None:
    (step,) = read("tekton.yaml")["spec"]["steps"]
    given = {
        "params.context": "ci", "params.experiments": "./miss.yaml", "params.seed": "3",
        "params.fail-on": "10", "results.verdict.path": "verdict", "results.code.path": "code",
    }  # fmt: skip
    env = {
        one["name"]: re.sub(r"\$\(([a-z.-]+)\)", lambda found: given[found[1]], one["value"])
        for one in step["env"]
    }
    assert runner.bash(step["script"], env).returncode == 0
    told = [(runner.folder / name).read_text(encoding="utf-8") for name in ("verdict", "code")]
    assert told == ["FAIL", "11"]


def _costly(folder: Path, name: str, replicas: int) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    pod = "{containers: [{name: app, resources: {requests: {cpu: 1, memory: 1Gi}}}]}"
    spec = f"{{replicas: {replicas}, template: {{spec: {pod}}}}}"
    text = f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: fraud}}\nspec: {spec}\n"
    (folder / name / "all.yaml").write_text(text, encoding="utf-8")


def test_what_a_pull_request_costs_is_told_and_ends_with_the_code_of_the_gate(runner: Runner) -> None:
    steps = {
        step["name"]: step for step in read("cost-workflow.yaml")["jobs"]["cost"]["steps"] if "name" in step
    }
    assert [steps[name]["if"].split()[0] for name in ("Comment", "Keep the evidence")] == [
        "always()",
        "always()",
    ]
    gate = steps["Gate"]
    folder = gate["env"]["MAESTRO_COST_FOLDER"]
    base = runner.folder / "runner" / "base"
    _costly(base, folder, 1)
    _costly(runner.folder, folder, 2)
    _judges(base)
    (runner.folder / "prices.yaml").write_text("{currency: USD, CPU: 0, RAM: 0}", encoding="utf-8")
    env = {**gate["env"], "RUNNER_TEMP": str(runner.folder / "runner")}
    assert runner.bash(gate["run"], env).returncode == 0
    assert "increase_max" in runner.outputs.read_text(encoding="utf-8")
    assert "## Cost gate: PASS" in (runner.folder / "cost-evidence" / "summary.md").read_text(
        encoding="utf-8"
    )
    _costly(runner.folder, folder, 9)
    assert runner.bash(gate["run"], env).returncode == 11
    (base / folder / "all.yaml").unlink()
    (base / folder).rmdir()
    assert runner.bash(gate["run"], {**env, "MAESTRO_COST_MAX_INCREASE": "250"}).returncode == 0  # all is new


def _judges(base: Path) -> None:
    """What of the base judges a change of it."""
    (base / "prices.yaml").write_text("{currency: USD, CPU: 0.03, RAM: 0.004}", encoding="utf-8")
    (base / "deploy" / "ci").symlink_to(CI)


def test_a_merge_request_on_gitlab_is_judged_by_its_base_and_leaves_a_note_and_a_file_of_variables(
    runner: Runner,
) -> None:
    job = read("cost-gitlab.yaml")["cost-gate"]
    base = runner.folder / "builds" / "base-7"
    folder = job["variables"]["MAESTRO_COST_FOLDER"]
    _costly(base, folder, 1)
    _judges(base)
    _costly(runner.folder, folder, 9)
    assert job["script"][0].startswith("git worktree add --detach ")
    env = {**job["variables"], "CI_BUILDS_DIR": str(runner.folder / "builds"), "CI_JOB_ID": "7"}
    assert runner.bash("\n".join(job["script"][1:]), env).returncode == 11
    (dotenv,) = (job["artifacts"]["reports"]["dotenv"],)
    assert "MAESTRO_VERDICT=FAIL" in (runner.folder / dotenv).read_text(encoding="utf-8")
    assert job["artifacts"]["when"] == "always"
    (runner.folder / "curl").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > note\n', encoding="utf-8")
    (runner.folder / "curl").chmod(0o700)
    told = {"MAESTRO_COST_TOKEN": "x", "CI_API_V4_URL": "https://gitlab", "CI_PROJECT_ID": "1"}
    path = f"{runner.folder}:{runner.env['PATH']}"
    (script,) = job["after_script"]
    assert runner.bash(script, {**env, **told, "CI_MERGE_REQUEST_IID": "3", "PATH": path}).returncode == 0
    sent = (runner.folder / "note").read_text(encoding="utf-8").splitlines()
    assert sent[-2:] == [
        "body@cost-evidence/summary.md", "https://gitlab/projects/1/merge_requests/3/notes"
    ]  # fmt: skip


def test_what_an_earlier_run_or_a_change_left_is_not_taken_for_the_verdict(runner: Runner) -> None:
    """A pull request may hold a comment that says PASS, and a manifest that ends the gate."""
    evidence = runner.folder / "cost-evidence"
    evidence.mkdir()
    for name in ("summary.md", "gate.json", "outputs.env", "gitlab.env"):
        (evidence / name).write_text("PASS", encoding="utf-8")
    _costly(runner.folder, "side", 1)
    (runner.folder / "side" / "all.yaml").write_text("no manifest", encoding="utf-8")
    (runner.folder / "prices.yaml").write_text("{currency: USD, CPU: 0.03, RAM: 0.004}", encoding="utf-8")
    env = {f"MAESTRO_COST_{key}": value for key, value in {"BASE": "side", "HEAD": "side"}.items()}
    given = {**env, "MAESTRO_COST_PRICES": "prices.yaml"}
    assert runner.bash("exec sh deploy/ci/cost.sh", given).returncode == 3
    assert list(evidence.iterdir()) == []


@pytest.mark.parametrize(
    ("there", "gone", "verdict"),
    [
        (("new", "old"), "", 11),
        (("new", "old"), "1", 11),
        (("old",), "1", 0),
        (("old",), "", 6),
        (("new",), "", 11),
        ((), "", 6),
        ((), "1", 6),
    ],
)
def test_a_folder_that_is_added_or_said_to_be_deleted_is_judged_and_nothing_is_left_behind(
    runner: Runner, there: tuple[str, ...], gone: str, verdict: int
) -> None:
    for name in there:
        _costly(runner.folder, name, 1 if name == "old" else 9)
    (runner.folder / "prices.yaml").write_text("{currency: USD, CPU: 0.03, RAM: 0.004}", encoding="utf-8")
    (runner.folder / "tmp").mkdir()
    given = {"BASE": "old", "HEAD": "new", "PRICES": "prices.yaml", "MAX_INCREASE": "50", "GONE": gone}
    env = {f"MAESTRO_COST_{key}": value for key, value in given.items()}
    done = runner.bash("exec sh deploy/ci/cost.sh", {**env, "TMPDIR": str(runner.folder / "tmp")})
    assert done.returncode == verdict
    assert list((runner.folder / "tmp").iterdir()) == []
    assert (runner.folder / "cost-evidence" / "summary.md").exists() is (verdict != 6)
    assert ("set MAESTRO_COST_GONE=1" in done.stderr) is (there == ("old",) and not gone)


@pytest.mark.parametrize(
    "name",
    [
        "NODES",
        "JOB_HOURS",
        "IGNORE_UNKNOWN",
        "BASE",
        "HEAD",
        "GONE",
        "PRICES",
        "MAX_INCREASE",
        "BUDGET",
        "FAIL_ON",
    ],
)
def test_a_value_of_the_cost_gate_is_data_and_never_a_command(runner: Runner, name: str) -> None:
    _costly(runner.folder, "side", 1)
    (runner.folder / "prices.yaml").write_text("{currency: USD, CPU: 0.03, RAM: 0.004}", encoding="utf-8")
    given = {"BASE": "side", "HEAD": "side", "PRICES": "prices.yaml", name: HOSTILE}
    env = {f"MAESTRO_COST_{key}": value for key, value in given.items()}
    ends = (0,) if name in ("BASE", "GONE") else (2, 3, 6)  # a base that is not there is nothing
    assert runner.bash("exec sh deploy/ci/cost.sh", env).returncode in ends
    assert not list(runner.folder.rglob("pwned"))


def test_a_job_that_is_cancelled_is_waited_for_and_leaves_its_evidence(runner: Runner) -> None:
    slow = CALLS.replace('path: "true"', "path: sh, arguments: [-c, 'touch begun; sleep 60']")
    (runner.folder / "slow.yaml").write_text(slow)
    env = {**runner.env, "MAESTRO_CONTEXT": "ci", "MAESTRO_GATE_EXPERIMENTS": "./slow.yaml"}
    job = subprocess.Popen(
        ["sh", str(CI / "gate.sh")], cwd=runner.folder, env=env,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(lambda: (runner.folder / "begun").exists(), "the probe has begun")
        job.send_signal(signal.SIGTERM)
        assert job.wait(60) == 143
    finally:
        job.kill()
        job.wait()
    assert (runner.folder / "chaos-evidence" / "junit.xml").exists()

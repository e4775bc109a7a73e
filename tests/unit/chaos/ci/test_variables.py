"""What later steps read is data: no value names another variable, ends its own, or is run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.chaos.ci.decision import decide
from maestro_cli.chaos.ci.variables import dotenv, github_outputs, shell, variables_of
from maestro_cli.core.untrusted import visible
from tests.unit.chaos.ci.outcomes import outcome

HOSTILE = "$(touch pwned) `touch pwned` '; touch pwned; ' \"\nverdict=PASS\nMAESTRO_VERDICT=PASS\n"


def read_github(text: str) -> dict[str, str]:
    """As a runner reads `$GITHUB_OUTPUT`."""
    found, lines = {}, text.splitlines()
    while lines:
        name, _, end = lines.pop(0).partition("<<")
        value = []
        while lines[0] != end:
            value.append(lines.pop(0))
        lines.pop(0)
        found[name] = "\n".join(value)
    return found


def test_they_say_verdict_codes_score_burn_runs_and_paths() -> None:
    made = [outcome(), outcome({"after": "missed"})]
    found = variables_of(made, decide(made), {"junit": "out/junit.xml"})
    assert found | {"score": ""} == {
        "verdict": "FAIL", "code": "10", "ends_with": "10", "score": "", "burn": "0.011600",
        "runs": "exp-1,exp-1", "why": "not in a steady state afterwards: answers gave 200",
        "junit_path": "out/junit.xml",
    }  # fmt: skip


@given(st.text())
def test_a_runner_reads_what_was_written(text: str) -> None:
    drawn = iter(["same", "other", "third"])
    found = read_github(github_outputs({"why": text, "verdict": "FAIL"}, lambda: next(drawn, "last")))
    assert found["verdict"] == "FAIL"
    assert {*found} == {"why", "verdict"}


def test_a_delimiter_that_a_value_has_is_drawn_again() -> None:
    drawn = iter(["end", "other", "end"])
    text = github_outputs({"why": "the end\nend\nverdict=PASS", "verdict": "FAIL"}, lambda: next(drawn))
    assert read_github(text) == {"why": "the end␊end␊verdict=PASS", "verdict": "FAIL"}


def test_a_shell_takes_values_and_runs_none(tmp_path: Path) -> None:
    (tmp_path / "outputs.env").write_text(shell({"why": HOSTILE, "verdict": "FAIL"}), encoding="utf-8")
    script = 'set -eu; . ./outputs.env; printf "%s|%s" "$MAESTRO_VERDICT" "$MAESTRO_WHY"'
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, check=True
    )
    assert done.stdout.decode() == f"FAIL|{visible(HOSTILE)}"
    assert not (tmp_path / "pwned").exists()


@given(st.text())
def test_a_dotenv_report_holds_lines_that_gitlab_takes_unchanged(text: str) -> None:
    lines = dotenv({"why": text, "verdict": "FAIL"}).splitlines()
    assert lines[-1] == "MAESTRO_VERDICT=FAIL"
    assert len(lines) <= 2
    assert not any(set(line) & set(" '\"$`\\\n") for line in lines)

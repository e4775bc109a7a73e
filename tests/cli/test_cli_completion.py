"""Completion in bash, zsh and fish: the scripts, how they ask, and where they are installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from maestro_cli.cli.completion import SCRIPTS, install, script
from maestro_cli.cli.main import hoist_global_options
from maestro_cli.config.locations import cache_dir
from maestro_cli.core.errors import UsageError
from tests.cli.api import api_server
from tests.cli.program import maestro
from tests.cli.test_cli_changes import answers

MARKERS = {
    "bash": ("complete -o default -F _maestro_completion maestro", "=complete_bash", "COMP_WORDS="),
    "zsh": ("#compdef maestro", "=complete_zsh", "_TYPER_COMPLETE_ARGS="),
    "fish": ("complete --command maestro ", "=complete_fish", "_TYPER_COMPLETE_FISH_ACTION=get-args"),
}


@pytest.mark.parametrize("arguments", [("--show-completion", "{}"), ("--show-completion={}",)])
@pytest.mark.parametrize("shell", MARKERS)
def test_each_shell_gets_its_own_script(shell: str, arguments: tuple[str, ...]) -> None:
    result = maestro(*(argument.format(shell) for argument in arguments))
    assert (result.code, result.err) == (0, "")
    assert result.out == SCRIPTS[shell]
    for other, markers in MARKERS.items():
        assert all((marker in result.out) is (other == shell) for marker in markers[1:2]), other
    assert all(marker in result.out for marker in MARKERS[shell])
    assert maestro(env={"_MAESTRO_COMPLETE": f"source_{shell}"}).out == result.out
    program = shutil.which(shell)
    if program is not None:
        subprocess.run([program, "-n"], input=result.out, text=True, check=True, timeout=30)


def test_without_a_name_it_is_the_shell_that_asks(tmp_path: Path) -> None:
    found = maestro("--show-completion", env={"SHELL": "/usr/bin/fish"}).out
    assert found in SCRIPTS.values()  # the shell that runs these tests, or what $SHELL says
    assert hoist_global_options(["--show-completion"]) == ["--show-completion", "auto"]
    assert hoist_global_options(["--show-completion", "--plain"]) == ["--plain", "--show-completion", "auto"]
    assert hoist_global_options(["--install-completion", "zsh"]) == ["--install-completion", "zsh"]


@pytest.mark.parametrize("shell", ["/usr/bin/zsh", "/opt/bin/fish", "bash"])
def test_where_no_process_tells_the_variable_does(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer._completion_shared._get_shell_name", lambda: None)
    monkeypatch.setenv("SHELL", shell)
    assert script("auto") == SCRIPTS[Path(shell).name]


@pytest.mark.parametrize("shell", ["", "/bin/tcsh"])
def test_a_shell_that_cannot_be_told_has_to_be_named(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer._completion_shared._get_shell_name", lambda: None)
    monkeypatch.setenv("SHELL", shell)
    with pytest.raises(UsageError) as caught:
        script("auto")
    assert caught.value.why == "there are scripts for bash, zsh, fish"


def test_another_shell_is_a_usage_error() -> None:
    result = maestro("--show-completion", "tcsh")
    assert (result.code, result.out) == (2, "")
    assert "'tcsh' is not a shell" in result.error_lines[0]


@pytest.mark.parametrize(
    ("shell", "place", "start", "line"),
    [
        ("bash", ".bash_completions/maestro.sh", ".bashrc", "source '{home}/.bash_completions/maestro.sh'"),
        ("zsh", ".zfunc/_maestro", ".zshrc", "fpath+=~/.zfunc; autoload -Uz compinit; compinit"),
        ("fish", "config/fish/completions/maestro.fish", "", ""),
    ],
)
def test_it_is_installed_where_the_shell_looks(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, shell: str, place: str, start: str, line: str
) -> None:
    monkeypatch.delenv("ZDOTDIR", raising=False)
    rc = own_home / start
    if start:
        (own_home / "kept").write_bytes(b"# mine \xff, without a newline")
        rc.symlink_to(own_home / "kept")
    for _ in range(2):
        assert install(shell) == own_home / place
    assert (own_home / place).read_text(encoding="utf-8") == SCRIPTS[shell]
    if start:
        assert rc.is_symlink()
        wanted = b"# mine \xff, without a newline\n" + line.format(home=own_home).encode() + b"\n"
        assert rc.read_bytes() == wanted


def test_installing_says_where() -> None:
    result = maestro("--install-completion", "fish")
    assert (result.code, result.err) == (0, "")
    assert "completions/maestro.fish" in result.out


def complete_in_zsh(words: str) -> str:
    return maestro(env={"_MAESTRO_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": words}).out


def complete_in_bash(words: str) -> str:
    count = str(len(words.split(" ")) - 1)
    return maestro(env={"_MAESTRO_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": count}).out


def complete_in_fish(words: str) -> str:
    return maestro(
        env={
            "_MAESTRO_COMPLETE": "complete_fish",
            "_TYPER_COMPLETE_ARGS": words,
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        }
    ).out


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("cost show --by ", {"namespace", "model", "label:"}),
        ("cost top --by team,", {"team,model", "team,label:"}),
        ("cost show --share-idle ", {"row", "node", "cluster"}),
        ("cost show --share kube-system=", {"kube-system=cost", "kube-system=even", "kube-system=metric"}),
        ("cost show --share-overhead ", {"cost", "even", "metric"}),
        ("cost show --share-order idle,", {"idle,namespaces", "idle,overhead"}),
        ("cost show --picture ", {"treemap", "bars", "trend"}),
        ("cost rightsize --format ", {"kubectl", "kustomize", "vpa", "resize"}),
        ("cost gate --at ", {"min", "max"}),
        ("cost gate --ci ", {"auto", "github", "gitlab", "none"}),
    ],
)
def test_words_of_costs_are_completed(words: str, offered: set[str]) -> None:
    found = complete_in_bash(f"maestro {words}").split()
    assert offered <= set(found)
    assert "team,team" not in found


def test_workloads_are_those_that_were_changed() -> None:
    with api_server(answers("scale")) as asked:
        assert maestro("scale", "deploy/fraud", "--replicas", "0", "--dry-run").code == 0
        planned = list(asked)
        assert complete_in_bash("maestro cost what-if --cache-hits ml/").split() == ["ml/deploy/fraud="]
    assert asked == planned  # no cluster is asked to complete a word
    assert complete_in_bash("maestro cost rightsize apply ml/").split() == ["ml/deploy/fraud"]
    assert complete_in_bash("maestro cost what-if --replicas ml/").split() == ["ml/deploy/fraud="]


def test_workloads_of_right_sizing_are_those_that_it_measured_last_and_then_those_that_were_changed() -> None:
    with api_server(answers("scale")) as asked:
        assert maestro("scale", "deploy/fraud", "--replicas", "0", "--dry-run").code == 0
        planned = list(asked)
        kept = [["shop/deploy/api", "2026-03-01T00:00:00Z"], ["ml/deploy/batch", "2026-02-01T00:00:00Z"]]
        file = cache_dir() / "rightsizing" / "prod.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(kept), encoding="utf-8")
        words = "maestro cost rightsize apply "
        assert complete_in_bash(words).split() == ["shop/deploy/api", "ml/deploy/batch", "ml/deploy/fraud"]
        assert "measured until 2026-03-01" in complete_in_zsh(words)
        assert complete_in_bash("maestro cost rightsize --workload sh").split() == ["shop/deploy/api"]
        assert complete_in_bash("maestro cost what-if --replicas sh").split() == ["shop/deploy/api="]
        file.write_text("[[", encoding="utf-8")
        assert complete_in_bash(words).split() == ["ml/deploy/fraud"]
    assert asked == planned  # no cluster is asked to complete a word


@pytest.mark.parametrize("complete", [complete_in_bash, complete_in_zsh, complete_in_fish])
@pytest.mark.parametrize(
    ("words", "wanted", "unwanted"),
    [
        ("maestro jo", "journal", "drill"),
        ("maestro journal ", "verify", "drill"),
        ("maestro drill run ", "bad-release", "journal"),
        ("maestro help -o js", "jsonpath=", "csv"),
        ("maestro local kubeconfig --as ", "oncall", "drill"),
    ],
)
def test_words_are_completed(complete: object, words: str, wanted: str, unwanted: str) -> None:
    assert callable(complete)
    offered = complete(words)
    assert wanted in offered
    assert unwanted not in offered

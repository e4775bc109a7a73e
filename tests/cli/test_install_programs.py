"""What `make` runs to install the programs: what it does where, and what it says when it cannot."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "install_programs.sh"
MISSING = [
    "maestro: error: prometheus and alertmanager are not installed",
    "  why: the embedded platform runs the real programs, and this user cannot install them",
    "  fix: apt-get install prometheus prometheus-alertmanager, or brew install prometheus alertmanager",
]


def run(path: Path) -> subprocess.CompletedProcess[str]:
    """The script on a machine that has nothing but what the folder holds."""
    command = ["/bin/bash", str(SCRIPT)]
    return subprocess.run(
        command, env={"PATH": str(path)}, capture_output=True, text=True, timeout=60, check=False
    )


def program(folder: Path, name: str, script: str = "exit 0") -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


def test_where_both_are_nothing_is_done(tmp_path: Path) -> None:
    for name in ("prometheus", "alertmanager"):
        program(tmp_path, name)
    program(tmp_path, "brew", "exit 9")
    done = run(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_apt_and_brew_it_says_what_to_do_and_ends_4(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert (done.returncode, done.stdout, done.stderr.splitlines()) == (4, "", MISSING)


def test_one_of_the_two_is_not_enough(tmp_path: Path) -> None:
    program(tmp_path, "prometheus")
    done = run(tmp_path)
    assert (done.returncode, done.stderr.splitlines()) == (4, MISSING)


def test_apt_is_for_root_alone(tmp_path: Path) -> None:
    program(tmp_path, "apt-get", f"echo ran >>{tmp_path}/asked")
    program(tmp_path, "id", "echo 1000")
    done = run(tmp_path)
    assert (done.returncode, done.stderr.splitlines()) == (4, MISSING)
    assert not (tmp_path / "asked").exists()


def test_brew_installs_both_and_their_services_are_stopped(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("prometheus", "alertmanager"):
        program(tmp_path / "bin", name)
    copy = f"PATH={os.defpath} cp {tmp_path}/bin/* {tmp_path}"
    brew = f'echo "$@" >>{tmp_path}/asked; [ "$1" != install ] || {copy}'
    program(tmp_path, "brew", brew)
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "asked").read_text().splitlines() == [
        "install --quiet prometheus alertmanager",
        "services stop --quiet prometheus",
        "services stop --quiet alertmanager",
    ]


def test_an_installation_that_brings_nothing_is_no_success(tmp_path: Path) -> None:
    program(tmp_path, "brew")
    assert run(tmp_path).returncode == 4


def test_make_shows_the_message_and_nothing_of_its_own_before_it(tmp_path: Path) -> None:
    make = subprocess.run(
        ["make", "--no-print-directory", "programs", "SHELL=/bin/bash"],
        cwd=SCRIPT.parent.parent, env={"PATH": f"{tmp_path}:{make_only(tmp_path)}"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (make.returncode, make.stdout) == (2, "")
    assert make.stderr.splitlines()[:3] == MISSING
    assert "4" in make.stderr.splitlines()[-1]  # the code that make itself cannot end with


def make_only(folder: Path) -> Path:
    """A folder with make and bash and nothing that installs."""
    tools = folder / "tools"
    tools.mkdir()
    for name in ("make", "bash"):
        found = next(path / name for path in map(Path, os.defpath.split(":")) if (path / name).exists())
        (tools / name).symlink_to(found)
    return tools

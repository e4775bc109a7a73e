"""The frame of the command line: version, help, formats, usage errors, completion, streams and signals."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maestro_cli import __version__
from maestro_cli.cli.main import hoist_global_options
from maestro_cli.cli.registry import COMMANDS
from maestro_cli.core.errors import ExitCode
from tests.cli.program import COMMAND, check_golden, environment, maestro

FORMATS = {  # and the golden file of each
    "table": "table", "wide": "wide", "json": "json", "yaml": "yaml", "csv": "csv", "md": "md",
    "jsonpath={.items[*].code}": "jsonpath",
}  # fmt: skip
CLOSED_PIPE = [["help", "exit-codes"], ["help", "exit-codes", "-o", "json"], ["--help"], ["--version"]]


@pytest.mark.parametrize("arguments", [["--version"], ["-V"], ["--plain", "--version"]])
def test_the_version_is_one_line(arguments: list[str]) -> None:
    result = maestro(*arguments)
    assert (result.code, result.out, result.err) == (0, f"maestro {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["-h"]])
def test_help_lists_every_command_with_its_line(arguments: list[str]) -> None:
    result = maestro(*arguments, env={"COLUMNS": "120"})
    assert (result.code, result.err) == (0, "")
    for stub in COMMANDS:
        assert any(line.split()[:1] == [stub.name] for line in result.out.splitlines()), stub.name
        assert stub.help.rstrip(".")[:40] in result.out


@pytest.mark.parametrize("stub", COMMANDS, ids=lambda stub: stub.name)
def test_every_command_has_help_with_an_example(stub: object) -> None:
    name = getattr(stub, "name", "")
    result = maestro(name, "--help")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"Usage: maestro {name}")


@pytest.mark.parametrize("form", FORMATS)
def test_exit_codes_in_every_format_are_those_of_the_golden_file(form: str) -> None:
    result = maestro("help", "exit-codes", "-o", form)
    assert (result.code, result.err) == (0, "")
    check_golden(f"exit-codes.{FORMATS[form]}", result.out)


def test_the_printed_exit_codes_are_those_of_the_program() -> None:
    body = json.loads(maestro("help", "exit-codes", "-o", "json").out)
    assert body["schema"] == "maestro.dev/exit-codes/v1"
    assert [item["code"] for item in body["items"]] == [int(code) for code in ExitCode]


# Usage


@pytest.mark.parametrize(
    ("arguments", "what", "fix"),
    [
        (["nonsense"], "No such command 'nonsense'", "maestro --help"),
        (["contxt"], "Did you mean 'context'", "maestro --help"),
        (["--nonsense"], "No such option: --nonsense", "maestro --help"),
        (["journal", "sow"], "No such command 'sow'", "maestro journal --help"),
        (["journal", "show", "--nope"], "No such option: --nope", "maestro journal show --help"),
        (["journal", "show", "--limit", "x"], "Invalid value for '--limit'", "maestro journal show --help"),
        (["journal", "show", "--limit", "-1"], "Invalid value for '--limit'", "maestro journal show --help"),
        (["journal", "show", "--limit"], "requires an argument", "maestro journal show --help"),
        (["doctor", "extra"], "unexpected extra argument", "maestro doctor --help"),
    ],
)
def test_a_usage_error_ends_2_with_three_lines(arguments: list[str], what: str, fix: str) -> None:
    result = maestro(*arguments)
    assert (result.code, result.out) == (2, "")
    shown, why, remedy = result.error_lines
    assert what in shown
    assert why.startswith("the command is: maestro ")
    assert remedy == fix


@pytest.mark.parametrize(
    ("arguments", "what", "fix"),
    [
        (["help", "nothing"], "there is no help topic 'nothing'", "maestro help exit-codes"),
        (
            ["help", "-o", "xml"],
            "'xml' is not an output format",
            "-o table|wide|json|yaml|csv|md|html|jsonpath=",
        ),
        (["help", "-o", "jsonpath={.x"], "not closed", "{.items[*].name}"),
        (["doctor", "-o", "csv"], "no CSV form", "-o json"),
        (["drill", "run"], "no drill was named", "maestro drill list, or drill run --all"),
        (["drill", "run", "--all", "crash-loop"], "--all are all of them", "leave one out"),
        (["drill", "run", "crash-loop", "--seeds", "5-1"], "are no seeds", "such as 1-5 or 1,3,7"),
        (["drill", "run", "--resume", "--all"], "goes on with what was begun", "leave out names"),
        (["drill", "run", "--resume", "--seed", "2"], "goes on with what was begun", "leave out names"),
        (["drill", "run", "--all", "--seed", "1", "--seeds", "2"], "both say which seeds", "leave one out"),
        (["--context", "../x", "journal", "show"], "not", "use letters"),
    ],
)
def test_a_wrong_word_ends_2_and_says_what_there_is(arguments: list[str], what: str, fix: str) -> None:
    result = maestro(*arguments)
    assert (result.code, result.out) == (2, "")
    assert what in result.err.splitlines()[0]
    assert fix in result.err.splitlines()[-1]


@pytest.mark.parametrize("group", ["journal", "context", "drill"])
def test_a_group_without_a_command_shows_its_help_on_stderr(group: str) -> None:
    result = maestro(group)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"Usage: maestro {group} ")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["drill", "list", "--plain"], ["--plain", "drill", "list"]),
        (["a", "--context", "x", "b"], ["--context", "x", "a", "b"]),
        (["a", "--context=x"], ["--context=x", "a"]),
        (["a", "--read-only", "--", "--plain"], ["--read-only", "a", "--", "--plain"]),
        (["a", "--context"], ["a", "--context"]),
    ],
)
def test_global_options_may_stand_anywhere_before_two_dashes(before: list[str], after: list[str]) -> None:
    assert hoist_global_options(before) == after


# Streams


def test_a_pipe_gets_plain_text() -> None:
    out = maestro("drill", "list", env={"TERM": "xterm-256color"}).out
    assert "\x1b" not in out
    assert out == maestro("--plain", "drill", "list").out


def on_a_terminal(*arguments: str, env: dict[str, str]) -> str:
    """What a person sees, on a terminal of 60 columns."""
    control, user = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdin=user, stdout=user, stderr=user,
        env=environment({"COLUMNS": "60", **env}), cwd=os.environ["HOME"], start_new_session=True,
    )  # fmt: skip
    os.close(user)
    shown = b""
    try:
        while select.select([control], [], [], 60)[0]:
            try:
                part = os.read(control, 65536)
            except OSError:  # Linux says so when the last process has gone
                break
            if not part:
                break
            shown += part
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(control)
    return shown.decode()


def test_a_terminal_gets_colour_and_a_table_that_fits() -> None:
    shown = on_a_terminal("help", "exit-codes", env={"TERM": "xterm-256color"})
    assert "\x1b[" in shown


@pytest.mark.parametrize(
    ("arguments", "env"),
    [(["--plain"], {"TERM": "xterm-256color"}), ([], {"TERM": "dumb"})],
    ids=["--plain", "TERM=dumb"],
)
def test_a_plain_terminal_gets_no_escape(arguments: list[str], env: dict[str, str]) -> None:
    shown = on_a_terminal(*arguments, "help", "exit-codes", env=env)
    assert "\x1b" not in shown
    assert "CODE  MEANING" in shown


def test_no_color_is_honoured_on_a_terminal() -> None:
    shown = on_a_terminal("doctor", "-o", "wide", env={"TERM": "xterm-256color"})
    without = on_a_terminal("doctor", "-o", "wide", env={"TERM": "xterm-256color", "NO_COLOR": "1"})
    assert "\x1b[32m" in shown
    assert "\x1b[32m" not in without
    assert "ok" in without  # colour never carries meaning alone


@pytest.mark.parametrize("arguments", CLOSED_PIPE, ids=" ".join)
def test_a_reader_that_went_away_ends_it_like_a_filter(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*COMMAND, *arguments],
            stdout=writing,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_has_room_for_a_part_alone_is_no_success(tmp_path: Path, unbuffered: str) -> None:
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            ["bash", "-c", 'ulimit -f 1; exec "$0" -m maestro_cli help exit-codes -o json', sys.executable],
            stdout=out,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            text=True,
        )
    assert (tmp_path / "out").stat().st_size == 1024
    assert done.returncode == 12, done.stderr
    assert "cannot be written" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("arguments", CLOSED_PIPE, ids=" ".join)
def test_a_full_disk_ends_12_with_three_lines(arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=60,
            check=False,
        )
    assert done.returncode == 12
    assert done.stderr.decode().splitlines() == [
        "maestro: error: the output cannot be written",
        "  why: No space left on device",
        "  fix: free space where it goes",
    ]


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_closed_descriptor_is_borne(closed: str) -> None:
    redirect = ">&-" if closed == "stdout" else "2>&-"
    command = f'exec "$@" {redirect}'
    done = subprocess.run(
        ["sh", "-c", command, "sh", *COMMAND, "help", "exit-codes"],
        capture_output=True, env=environment(), timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


def test_output_is_utf_8_in_any_locale() -> None:
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    result = maestro("journal", "verify", "--help", env=ascii_only)
    assert (result.code, result.err) == (0, "")
    assert "--anchor 42:9f…" in result.out


# Signals

WAITER = """
import sys
from maestro_cli.cli import main
from maestro_cli.cli.signals import Signals
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.services import Services

def examine(self):
    if sys.argv[1] == "cooperative":
        cancellation = self.cancellation
        print("waiting", flush=True)
        cancellation.wait(60)
        print("in order", flush=True)
        if sys.argv[2:] == ["stubborn"]:
            Cancellation().wait(60)
        cancellation.raise_if_set()
    print("waiting", flush=True)
    Cancellation().wait(60)

Services.examine = examine
sys.exit(main.run(["doctor"]))
"""


def heed_hang_ups() -> None:
    """As in a terminal, though the tests themselves run under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def waiting(*mode: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WAITER, *mode], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(), preexec_fn=heed_hang_ups,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    return process


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=90)
    finally:
        process.kill()
        process.wait()
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 143),
    ],
)
@pytest.mark.parametrize(("mode", "out"), [("cooperative", "in order\n"), ("any", "")])
def test_a_signal_ends_a_command_with_its_code(
    number: signal.Signals, code: int, mode: str, out: str
) -> None:
    process = waiting(mode)
    process.send_signal(number)
    assert ended(process) == (code, out, "maestro: error: interrupted\n")


_WHILE_IMPORTED = """
import builtins, os, signal, sys
imported = builtins.__import__
def watched(name, *more):
    if name == {name!r}:
        builtins.__import__ = imported
        try:
            os.kill(os.getpid(), signal.SIGINT)
            imported("time").sleep(60)
        except BaseException:
            {instead}
    return imported(name, *more)
from maestro_cli.__main__ import main
sys.argv = ["maestro", "slo", "list"]
builtins.__import__ = watched
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("maestro_cli.cli.main", "raise"),
        ("typer", "raise"),
        ("typer", "pass"),  # a library that swallows it
        ("maestro_cli.core.errors", "raise"),
        ("maestro_cli.services", "raise"),
    ],
)
def test_ctrl_c_while_something_is_imported_ends_in_one_line(name: str, instead: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _WHILE_IMPORTED.format(name=name, instead=instead)],
        env=environment(), capture_output=True, text=True, timeout=90, check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background ignores it
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "maestro: error: interrupted\n")


def test_who_is_started_with_interrupts_ignored_keeps_ignoring_them_while_it_starts() -> None:
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    code += _WHILE_IMPORTED.format(name="typer", instead="raise").replace("sleep(60)", "sleep(0)")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code.replace('"slo", "list"', '"help", "exit-codes"')],
        env=environment(), capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_third_signal_ends_a_command_that_does_not_end_itself() -> None:
    process = waiting("cooperative", "stubborn")
    assert process.stdout is not None
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "in order\n"
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    code, _, err = ended(process)
    assert code in (130, 143)
    assert err.startswith("maestro: error: interrupted")

"""A process that is forked for some work: heard whole, and never left behind.

Each test forks from a program of its own, since a test run may have threads.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.patience import PATIENCE_SECONDS, wait_for

BEGIN = """
import os, signal, sys, threading
from maestro_cli.services.apart import begin_apart

def for_ever(tell):
    tell(str(os.getpid()).encode())
    threading.Event().wait()

def say(*words):
    print(*words, flush=True)
"""


def told(code: str, codes: tuple[int, ...] = (0,)) -> list[str]:
    """The lines that a program prints; nothing is on its stderr."""
    words = [sys.executable, "-c", BEGIN + code]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert (done.returncode in codes, done.stderr) == (True, "")
    return done.stdout.splitlines()


@contextmanager
def begun(code: str) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """A program that goes on, and the process whose number it prints."""
    words = [sys.executable, "-c", BEGIN + code]
    program = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert program.stdin is not None
    assert program.stdout is not None
    try:
        yield program, psutil.Process(int(program.stdout.readline()))
    finally:
        program.kill()
        program.wait(PATIENCE_SECONDS)
        program.stdin.close()
        program.stdout.close()


def is_over(process: psutil.Process) -> bool:
    """Whether it runs no more; who ought to wait for it may have been killed."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_messages_come_whole_and_in_order_and_the_process_is_waited_for() -> None:
    lines = told(
        """
def work(tell):
    for number in range(5):
        tell(bytes([number]) * 300_000 * number)

apart = begin_apart(work)
for one in apart.messages():
    say(len(one), *set(one))
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    say("none is left")
"""
    )
    assert lines == ["0", "300000 1", "600000 2", "900000 3", "1200000 4", "none is left"]


def test_it_ends_with_who_began_it_even_by_kill_9() -> None:
    code = "apart = begin_apart(for_ever); heard = apart.messages(); say(next(heard).decode()); input()"
    with begun(code) as (program, process):
        program.kill()
        wait_for(lambda: is_over(process), "its end")


def test_it_ends_when_it_is_not_heard_any_more() -> None:
    code = "apart = begin_apart(for_ever); say(next(heard := apart.messages()).decode()); input()"
    with begun(code + "; apart.hang_up(); say(list(heard)); input()") as (program, process):
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write("\n")
        program.stdin.flush()
        assert program.stdout.readline() == "[]\n"
        wait_for(lambda: not process.is_running(), "its end")
        assert program.poll() is None


def test_one_that_nobody_ever_hears_can_be_ended() -> None:
    assert told("apart = begin_apart(for_ever); apart.end(); apart.end(); say('ended')") == ["ended"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_nothing_that_was_set_up_before_hears_it(number: signal.Signals) -> None:
    code = f"signal.signal({int(number)}, lambda *_: print('heard'))\napart = begin_apart(for_ever)\n"
    code += "heard = apart.messages(); say(next(heard).decode()); say(list(heard)); input()"
    with begun(code) as (program, process):
        assert program.stdout is not None
        os.kill(process.pid, number)
        assert program.stdout.readline() == "[]\n"


def test_what_nobody_foresaw_ends_it_and_is_not_on_the_terminal() -> None:
    code = """
def work(tell):
    tell(b"so far")
    print("said", flush=True)
    os.write(2, b"said")
    raise KeyError("nobody expected it")

try:
    say(list(begin_apart(work).messages()))
finally:
    say("the end")
"""
    assert told(code) == ["[b'so far']", "the end"]


def test_what_is_cut_short_is_no_message() -> None:
    code = """
def work(tell):
    channel = tell.__closure__[0].cell_contents
    channel.sendall(bytes([0, 0, 0, 9]) + b"short")

say(list(begin_apart(work).messages()))
"""
    assert told(code) == ["[]"]


def test_nothing_is_forked_beside_threads_nor_where_that_is_not_safe() -> None:
    code = """
wait = threading.Event()
other = threading.Thread(target=wait.wait)
other.start()
say(begin_apart(for_ever))
wait.set(); other.join()
sys.platform = "darwin"
say(begin_apart(for_ever))
"""
    assert told(code) == ["None", "None"]

"""The spawner and its keepers: nothing of a container outlives it, whoever dies first."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from maestro_cli.local.kubelet import usage
from maestro_cli.local.kubelet.pipe import CapturePipe
from maestro_cli.local.kubelet.processes import Launch, LaunchFailed, Processes, Running

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(sys.platform != "linux", reason="subreapers and /proc are Linux'"),
]
# forks twice into a session of its own and forgets its environment: no group, no parent, no mark
ESCAPE = (
    "import os,signal,sys\n"
    "if os.fork()==0:\n"
    "    os.setsid()\n"
    "    if os.fork()==0:\n"
    "        os.execve(sys.executable,[sys.executable,'-S','-c',sys.argv[1]],{})\n"
    "    os._exit(0)\n"
    "os.wait()\n"
    "print('up',flush=True)\n"
    "signal.pause()\n"
)
DAEMON = "import signal;signal.pause()"


class Node:
    """A spawner and what runs under it."""

    def __init__(self, processes: Processes, folder: Path) -> None:
        self.processes = processes
        self.folder = folder
        self.pipes: list[CapturePipe] = []

    async def start(self, *argv: str) -> Running:
        pipe = CapturePipe()
        await pipe.open()
        self.pipes.append(pipe)
        try:
            launch = Launch(list(argv), dict(os.environ), self.folder)
            return await self.processes.start(launch, pipe.descriptor)
        finally:
            pipe.started()

    async def python(self, script: str, *arguments: str) -> Running:
        return await self.start(sys.executable, "-S", "-c", script, *arguments)

    def printed(self) -> str:
        return self.pipes[-1].text()


@asynccontextmanager
async def node(folder: Path) -> AsyncIterator[Node]:
    processes = Processes()
    work = asyncio.create_task(processes.run())
    made = Node(processes, folder)
    try:
        yield made
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        for pipe in made.pipes:
            await pipe.finish()


async def until(holds: Callable[[], object], what: str) -> None:
    async with asyncio.timeout(90):
        while not holds():
            await asyncio.sleep(0.02)
    assert holds(), what


def members(keeper: int) -> set[int]:
    """Everything below a process."""
    found, pending = set(), [keeper]
    while pending:
        try:
            text = Path(f"/proc/{pending[-1]}/task/{pending.pop()}/children").read_text()
        except OSError:
            continue
        children = [int(word) for word in text.split()]
        found |= set(children)
        pending += children
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that run; a zombie does not."""
    found = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            found.add(pid)
    return found


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.parametrize(
    ("script", "code"),
    [("", 0), ("import sys;sys.exit(7)", 7), ("import os;os.kill(os.getpid(),15)", 143)],
)
def test_an_exit_is_told_as_a_shell_would(tmp_path: Path, script: str, code: int) -> None:
    async def run() -> None:
        async with node(tmp_path) as made:
            assert await (await made.python(script)).wait() == code

    asyncio.run(run())


@pytest.mark.parametrize(("argv", "words"), [("/no/such", "No such file"), ("a\0b", "Invalid argument")])
def test_what_cannot_be_executed_says_why(tmp_path: Path, argv: str, words: str) -> None:
    async def run() -> None:
        async with node(tmp_path) as made:
            with pytest.raises(LaunchFailed, match=words):
                await made.start(argv)
            assert await (await made.python("")).wait() == 0, "the spawner goes on"

    asyncio.run(run())


def test_a_start_without_room_for_its_order_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def run() -> None:
        async with node(tmp_path) as made:
            with monkeypatch.context() as patched:
                patched.setattr(tempfile, "TemporaryFile", full)
                with pytest.raises(LaunchFailed, match="No space left"):
                    await made.python("")
            assert made.processes._starting == {}
            assert await (await made.python("")).wait() == 0, "the next one starts"

    asyncio.run(run())


def test_a_start_that_nobody_waits_for_any_more_is_ended_and_hurts_no_other(tmp_path: Path) -> None:
    async def run() -> None:
        async with node(tmp_path) as made:
            other = await made.python(DAEMON)
            spawner = parent_of(other.keeper)
            starting = asyncio.create_task(made.python(DAEMON))
            while not made.processes._starting:
                await asyncio.sleep(0)
            starting.cancel()  # it has asked, and has no answer yet
            await asyncio.gather(starting, return_exceptions=True)
            assert starting.cancelled()
            async with asyncio.timeout(90):
                assert await (await made.python("")).wait() == 0, "the spawner was heard"
            await until(lambda: alive(members(spawner)) == {other.keeper, other.pid}, "the other alone")
            assert not made.processes.lost.is_set()

    asyncio.run(run())


def test_an_answer_that_cannot_be_read_is_a_lost_spawner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with node(tmp_path) as made:
            running = await made.python(DAEMON)
            monkeypatch.setattr(made.processes, "_heard", lambda message: 1 / 0)
            running.signal(signal.SIGTERM)
            assert await running.wait() == 137, "whoever waits is told"
            assert made.processes.lost.is_set()

    asyncio.run(run())


def test_an_escaped_daemon_ends_with_its_container(tmp_path: Path) -> None:
    async def run() -> None:
        async with node(tmp_path) as made:
            running = await made.python(ESCAPE, DAEMON)
            await until(lambda: "up" in made.printed(), "a start")
            family = members(running.keeper)
            assert len(family) == 2, "the container's process and its daemon"
            running.signal(signal.SIGTERM)
            assert await running.wait() == 143
            assert alive(family) == set()

    asyncio.run(run())


def test_an_escaped_daemon_counts_against_the_memory_limit(tmp_path: Path) -> None:
    async def run() -> None:
        async with node(tmp_path) as made:
            running = await made.python(ESCAPE, "import signal;x=bytearray(120*2**20);signal.pause()")
            await until(lambda: usage.exceeds(running.keeper, 100 * 2**20), "the daemon to be counted")
            assert not usage.exceeds(running.keeper, 400 * 2**20)
            found = usage.of_container(running.keeper)
            assert found.processes == 2
            assert found.memory_bytes > 100 * 2**20

    asyncio.run(run())


def test_pages_that_forks_share_count_once(tmp_path: Path) -> None:
    script = (
        "import os,signal\nx=bytearray(60*2**20)\n"
        "for _ in range(3):\n    if os.fork()==0: signal.pause()\n"
        "print('up',flush=True)\nsignal.pause()\n"
    )

    async def run() -> None:
        async with node(tmp_path) as made:
            running = await made.python(script)
            await until(lambda: "up" in made.printed(), "a start")
            assert usage.of_container(running.keeper).processes == 4
            assert not usage.exceeds(running.keeper, 150 * 2**20), "four times 60 MiB would be more"
            assert usage.exceeds(running.keeper, 50 * 2**20)

    asyncio.run(run())


def test_the_time_of_processes_that_are_gone_still_counts(tmp_path: Path) -> None:
    burn = "n=0\nwhile n<4000000: n+=1"
    script = (
        "import subprocess,sys,signal;subprocess.run([sys.executable,'-S','-c',sys.argv[1]]);signal.pause()"
    )

    async def run() -> None:
        async with node(tmp_path) as made:
            running = await made.python(script, burn)
            await until(lambda: usage.of_container(running.keeper).cpu_seconds > 0.1, "the child's time")
            await until(lambda: usage.of_container(running.keeper).processes == 1, "its end")
            assert usage.of_container(running.keeper).cpu_seconds > 0.1

    asyncio.run(run())


def test_kill_nine_of_the_spawner_leaves_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with node(tmp_path) as made:
            running = await made.python(ESCAPE, DAEMON)
            await until(lambda: "up" in made.printed(), "a start")
            family = members(running.keeper) | {running.keeper}
            os.kill(parent_of(running.keeper), signal.SIGKILL)
            await until(lambda: not alive(family), "all of it to be gone")
            assert await running.wait() == 137
            assert made.processes.lost.is_set()

    asyncio.run(run())


def test_kill_nine_of_a_keeper_ends_its_container_only(tmp_path: Path) -> None:
    async def run() -> None:
        async with node(tmp_path) as made:
            other = await made.python(DAEMON)
            running = await made.python(ESCAPE, DAEMON)
            await until(lambda: "up" in made.printed(), "a start")
            family = members(running.keeper)
            os.kill(running.keeper, signal.SIGKILL)
            assert await running.wait() == 137
            await until(lambda: not alive(family), "all of it to be gone")
            assert alive({other.pid}) == {other.pid}

    asyncio.run(run())


def test_a_container_that_ends_its_keeper_ends_itself(tmp_path: Path) -> None:
    async def run() -> None:
        async with node(tmp_path) as made:
            running = await made.python("import os,signal;os.kill(os.getppid(),15);signal.pause()")
            assert await running.wait() == 137
            assert alive({running.pid, running.keeper}) == set()

    asyncio.run(run())


def test_a_long_answer_is_read_to_its_end_and_kept_in_part(tmp_path: Path) -> None:
    async def run() -> None:
        async with node(tmp_path) as made:
            running = await made.python("print('x'*3000000)")
            assert await running.wait() == 0, "not stuck in a full pipe"
            assert made.printed() == "x" * 10240

    asyncio.run(run())

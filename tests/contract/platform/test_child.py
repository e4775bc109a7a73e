"""One part as a real process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from maestro_cli.core.clock import SystemClock, to_rfc3339
from maestro_cli.core.errors import Unreachable
from maestro_cli.local.ports import Ports, free_port
from maestro_cli.local.process import PLATFORM_VARIABLE, announce
from maestro_cli.local.programs import Programs, find_programs
from maestro_cli.local.supervisor import pulse
from maestro_cli.local.supervisor.child import Child
from maestro_cli.local.supervisor.model import Facts, Part, Plan
from maestro_cli.local.supervisor.parts import parts_of
from maestro_cli.local.supervisor.readiness import announced

pytestmark = pytest.mark.contract
LIMIT_SECONDS = 90.0
SLEEPER = "import time; time.sleep(600)"
ANNOUNCER = (
    "import sys, time; from pathlib import Path; from maestro_cli.local.process import announce;"
    "announce(Path(sys.argv[1]), 'toy', url='http://x'); time.sleep(600)"
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path


@pytest.fixture
def children() -> Iterator[list[Child]]:
    """Children started by a test; killed and reaped when it ends."""
    made: list[Child] = []
    yield made
    for child in made:
        child.kill()
        asyncio.run(_until(lambda child=child: _gone(child)))  # type: ignore[misc]


async def _gone(child: Child) -> bool:
    child.reap()
    return not child.is_running


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LIMIT_SECONDS):
        while not await condition():
            await asyncio.sleep(0.01)


def _toy(state: Path, code: str, ports: Ports | None = None, needs: tuple[str, ...] = ()) -> Child:
    command = [sys.executable, "-c", code, str(state)]
    part = Part("toy", lambda facts: command, announced(state, "toy"), needs=needs)
    environment = {**os.environ, PLATFORM_VARIABLE: "test-child"}
    return Child(part, state, environment, ports or Ports(), SystemClock())


def test_an_announcement_of_an_earlier_process_does_not_count(state: Path, children: list[Child]) -> None:
    announce(state, "toy", url="http://stale")
    child = _toy(state, SLEEPER)
    children.append(child)
    child.start({})
    assert not asyncio.run(child.look())
    assert child.record({}, stopping=False).state == "starting"


def test_it_is_ready_once_it_announced_itself(state: Path, children: list[Child]) -> None:
    child = _toy(state, ANNOUNCER)
    children.append(child)
    child.start({})
    asyncio.run(_until(child.look))
    record = child.record({}, stopping=False)
    assert (record.state, record.facts) == ("ready", {"url": "http://x"})


def test_each_early_exit_is_counted_and_waits_longer(state: Path, children: list[Child]) -> None:
    child = _toy(state, "raise SystemExit(3)")
    children.append(child)
    waits = []
    for _ in range(3):
        child.start({})

        async def exited() -> bool:
            return child.reap()

        asyncio.run(_until(exited))
        waits.append(child.seconds_until_retry() or 0.0)
    record = child.record({}, stopping=False)
    assert (record.state, record.restarts, record.reason) == ("failed", 3, "exited with code 3")
    assert child.early_exits == 3
    assert waits == sorted(waits)
    assert waits[-1] > 2 * waits[0]


def test_what_cannot_be_executed_is_a_failed_part_not_a_traceback(state: Path) -> None:
    part = Part("toy", lambda facts: ["/nowhere/at/all"], announced(state, "toy"))
    child = Child(part, state, os.environ, Ports(), SystemClock())
    child.start({})
    assert child.record({}, stopping=False).reason == "cannot be started: No such file or directory"


KEEPER = (
    "import subprocess, sys; from maestro_cli.local.process import leashed;"
    "held = subprocess.Popen(leashed([sys.executable, '-S', '-c', sys.argv[1]]));"
    "print(held.pid, flush=True);"
    "held.wait()"
)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has gone")
def test_a_part_ends_with_its_supervisor_whatever_program_it_is() -> None:
    says_up = "import signal; print('up', flush=True); signal.pause()"
    with subprocess.Popen(
        [sys.executable, "-c", KEEPER, says_up], stdout=subprocess.PIPE, text=True
    ) as keeper:
        assert keeper.stdout is not None
        pid = int(keeper.stdout.readline())
        assert keeper.stdout.readline() == "up\n"
        keeper.kill()
        # the pipe ends with the last that holds it, the part
        assert keeper.stdout.read() == ""
    assert not Path(f"/proc/{pid}/exe").exists()


def test_it_waits_for_what_it_needs_and_follows_it(state: Path, children: list[Child]) -> None:
    child = _toy(state, SLEEPER, needs=("cluster",))
    children.append(child)
    assert not child.is_due({})
    assert child.record({}, stopping=False).reason == "waits for cluster"
    facts: Facts = {"cluster": {"pid": 1, "port": 80}}
    assert child.is_due(facts)
    child.start(facts)
    assert not child.outdated(facts)
    assert not child.outdated({})  # gone is not different: its successor may be the same
    assert not child.outdated({"cluster": {"pid": 2, "port": 80}})
    assert child.outdated({"cluster": {"pid": 1, "port": 81}})


def test_being_asked_to_stop_is_no_crash(state: Path, children: list[Child]) -> None:
    child = _toy(state, ANNOUNCER)
    children.append(child)
    child.start({})
    asyncio.run(_until(child.look))
    child.ask_to_stop()
    asyncio.run(_until(lambda: _gone(child)))
    assert child.restarts == 0
    assert child.is_due({})


SERVER = (
    "import sys; from http.server import *; from pathlib import Path;"
    "from maestro_cli.local.process import announce;"
    "server = HTTPServer(('127.0.0.1', 0), BaseHTTPRequestHandler);"
    "announce(Path(sys.argv[1]), 'toy', url=f'http://127.0.0.1:{server.server_port}');"
    "server.serve_forever()"
)


def test_one_that_hangs_is_killed_and_counted(
    state: Path, children: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "ASK_SECONDS", 0.01)
    answered = 0
    respond = pulse.responds

    async def counting(url: str) -> bool:
        nonlocal answered
        found = await respond(url)
        answered += found
        return found

    monkeypatch.setattr(pulse, "responds", counting)
    child = _toy(state, SERVER)
    children.append(child)
    child.start({})

    async def live() -> None:
        await _until(child.look)

        async def answers_on() -> bool:
            await child.look()
            return answered > 2 * pulse.MISSES_ALLOWED

        await _until(answers_on)
        assert (child.restarts, child.is_running) == (0, True)
        monkeypatch.setattr(pulse, "ANSWER_SECONDS", 0.05)
        os.kill(child.pid or 0, signal.SIGSTOP)

        async def ended() -> bool:
            await child.look()
            return child.reap()

        await _until(ended)

    asyncio.run(live())
    record = child.record({}, stopping=False)
    assert (record.state, record.restarts) == ("failed", 1)
    assert record.reason == "it answered no more and was killed"
    assert child.seconds_until_retry() is not None


def test_a_part_that_was_stopped_on_purpose_is_left_alone(
    state: Path, children: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def silent(url: str) -> bool:
        nonlocal asked
        asked += 1
        return False

    monkeypatch.setattr(pulse, "ASK_SECONDS", 0.0)
    monkeypatch.setattr(pulse, "responds", silent)
    child = _toy(state, SERVER)
    children.append(child)
    child.start({})
    (state / "stopped").mkdir()
    mark = state / "stopped" / child.part.name

    async def live() -> None:
        await _until(child.look)
        mark.touch()
        for _ in range(3 * pulse.MISSES_ALLOWED):
            await child.look()
            await asyncio.sleep(0)
        assert (asked, child.is_running, child.restarts) == (0, True, 0)
        mark.unlink()

        async def ended() -> bool:
            await child.look()
            return child.reap()

        await _until(ended)

    asyncio.run(live())
    assert child.record({}, stopping=False).reason == "it answered no more and was killed"


def test_a_part_that_was_stopped_for_a_time_goes_on_when_it_is_over(
    state: Path, children: list[Child]
) -> None:
    """Whoever stopped it may be gone: the supervisor sees to it."""
    child = _toy(state, ANNOUNCER)
    children.append(child)
    child.start({})
    (state / "stopped").mkdir()
    mark, clock = state / "stopped" / child.part.name, SystemClock()

    async def live() -> None:
        await _until(child.look)
        assert child.pid is not None
        process = psutil.Process(child.pid)
        mark.write_text(to_rfc3339(clock.now() + timedelta(hours=1)))
        os.kill(child.pid, signal.SIGSTOP)

        async def stopped() -> bool:
            await child.look()
            return bool(process.status() == psutil.STATUS_STOPPED)

        await _until(stopped)
        assert mark.exists()
        mark.write_text(to_rfc3339(clock.now()))

        async def goes_on() -> bool:
            await child.look()
            return bool(process.status() != psutil.STATUS_STOPPED)

        await _until(goes_on)
        assert not mark.exists()

    asyncio.run(live())


def _programs() -> Programs:
    try:
        return find_programs(os.environ)
    except Unreachable as missing:
        pytest.skip(missing.what)


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_a_taken_port_is_left_for_another(state: Path, children: list[Child], name: str) -> None:
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        taken = occupant.getsockname()[1]
        answers = iter([taken])
        ports = Ports(lambda: next(answers, None) or free_port())
        assert ports.of(name) == taken
        plan = Plan(state, "test", "drill", 1.0, "lite", 1, 50.0, _programs(), watch=False)
        (state / "config").mkdir()
        (state / "config" / "rules.yaml").write_text("{groups: []}", encoding="utf-8")
        part = next(part for part in parts_of(plan, ports) if part.name == name)
        child = Child(part, state, os.environ, ports, SystemClock())
        children.append(child)

        async def ready() -> bool:
            child.reap()
            child.configure({})
            if child.is_due({}):
                child.start({})
            return await child.look()

        asyncio.run(_until(ready))
        assert child.restarts == 1
        assert child.facts is not None
        assert child.facts["port"] != taken

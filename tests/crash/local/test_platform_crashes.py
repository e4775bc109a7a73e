"""Kill what can be killed, then look at what is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import Interrupted, Unreachable
from maestro_cli.core.progress import Quiet
from maestro_cli.local.instance import id_prefix
from maestro_cli.local.platform import EmbeddedPlatform
from maestro_cli.local.platform_status import PartStatus, PlatformStatus
from maestro_cli.local.process import PLATFORM_VARIABLE
from maestro_cli.local.programs import find_programs
from maestro_cli.local.sweep import survivors

pytestmark = [pytest.mark.crash, pytest.mark.e2e]
LIMIT_SECONDS = 90.0

UP = """
import signal, sys
from pathlib import Path
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import Interrupted
from maestro_cli.core.progress import Quiet
from maestro_cli.local.platform import EmbeddedPlatform
cancellation = Cancellation()
signal.signal(signal.SIGINT, lambda *_: cancellation.cancel())
platform = EmbeddedPlatform(Path(sys.argv[1]), clock=SystemClock())
try:
    platform.up(progress=Quiet(), cancellation=cancellation)
except Interrupted:
    sys.exit(130)
"""

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(flush=True)
time.sleep(600)
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """An empty state folder, whose processes are ended afterwards."""
    with _ended_afterwards(tmp_path / "maestro" / "local") as folder:
        yield folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of a platform that is up, for tests after which it is as it was."""
    with _ended_afterwards(tmp_path_factory.mktemp("kept") / "maestro" / "local") as folder:
        _up(folder)
        yield folder


@contextmanager
def _ended_afterwards(folder: Path) -> Iterator[Path]:
    try:
        find_programs(os.environ)
    except Unreachable as missing:
        pytest.skip(missing.what)
    try:
        yield folder
    finally:
        _platform(folder).down(progress=Quiet())


def _platform(state: Path) -> EmbeddedPlatform:
    home = state.parent.parent
    folders = {"HOME": home, "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home / "config"}
    environment = {**os.environ, **{name: str(folder) for name, folder in folders.items()}}
    return EmbeddedPlatform(state, clock=SystemClock(), environment=environment)


def _up(state: Path) -> PlatformStatus:
    return _platform(state).up(progress=Quiet(), cancellation=Cancellation())


def _until(condition: Callable[[], bool]) -> None:
    pause = Cancellation()
    for _ in range(int(LIMIT_SECONDS / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError("the condition did not come true")


def _part(state: Path, name: str) -> PartStatus:
    return next(part for part in _platform(state).status().parts if part.name == name)


def _answers(serving: str) -> bool:
    try:
        with urllib.request.urlopen(f"{serving}/v2/health/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _assert_nothing_left(state: Path) -> None:
    assert survivors(id_prefix(state)) == ()
    assert _platform(state).status().state == "down"
    assert not (state / "context.json").exists()
    assert list(state.glob("*.kubeconfig")) == []


def test_down_ends_everything_and_may_be_repeated(state: Path) -> None:
    _up(state)
    report = _platform(state).down(progress=Quiet())
    assert report.ended >= 15  # supervisor, parts, three replicas
    _assert_nothing_left(state)
    again = _platform(state).down(progress=Quiet())
    assert (again.was_up, again.ended) == (False, 0)


def test_down_where_nothing_ever_was(tmp_path: Path) -> None:
    report = _platform(tmp_path / "none").down(progress=Quiet())
    assert (report.was_up, report.ended) == (False, 0)
    assert not (tmp_path / "none").exists()


def test_nothing_is_left_of_a_killed_supervisor_after_down(state: Path) -> None:
    before = _up(state)
    assert before.supervisor_pid is not None
    os.kill(before.supervisor_pid, signal.SIGKILL)
    _until(lambda: not _platform(state).is_up())
    _platform(state).down(progress=Quiet())
    _assert_nothing_left(state)


def test_a_terminated_supervisor_takes_everything_with_it(state: Path) -> None:
    before = _up(state)
    assert before.supervisor_pid is not None
    os.kill(before.supervisor_pid, signal.SIGTERM)
    _until(lambda: survivors(id_prefix(state)) == ())
    _assert_nothing_left(state)


def test_a_stopped_supervisor_is_ended_all_the_same(state: Path) -> None:
    before = _up(state)
    assert before.supervisor_pid is not None
    os.kill(before.supervisor_pid, signal.SIGSTOP)
    _platform(state).down(progress=Quiet())
    _assert_nothing_left(state)


def test_a_killed_supervisor_does_not_keep_the_next_platform_from_coming_up(state: Path) -> None:
    before = _up(state)
    assert before.supervisor_pid is not None
    os.kill(before.supervisor_pid, signal.SIGKILL)
    _until(lambda: not _platform(state).is_up())
    after = _up(state)
    assert not after.already_up
    assert after.id != before.id
    assert after.state == "up"
    assert {survivor.pid for survivor in survivors(str(before.id))} == set()


@pytest.mark.parametrize("name", ["metrics", "prometheus", "load", "cluster", "kubelet-a", "watch"])
def test_a_killed_part_is_started_again(kept: Path, name: str) -> None:
    before = _part(kept, name)
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)

    def back() -> bool:
        part = _part(kept, name)
        return part.state == "ready" and part.pid != before.pid

    _until(back)
    after = _part(kept, name)
    assert after.restarts == before.restarts + 1
    assert after.reason == "killed by SIGKILL"
    _until_all_is_well(kept)


def test_nodes_and_the_load_balancer_go_on_when_the_api_server_is_killed(kept: Path) -> None:
    before = {part.name: part for part in _platform(kept).status().parts}
    cluster = before["cluster"]
    assert cluster.pid is not None
    os.kill(cluster.pid, signal.SIGKILL)
    _until(lambda: _part(kept, "cluster").restarts == cluster.restarts + 1)
    _until_all_is_well(kept)
    carry = {name for name in before if name.startswith("kubelet") or name == "balancer"}
    assert len(carry) == 4
    after = {part.name: part for part in _platform(kept).status().parts}
    assert {name: after[name].reason for name in carry if after[name].pid != before[name].pid} == {}


def _until_all_is_well(state: Path) -> None:
    _until(lambda: all(part.state == "ready" for part in _platform(state).status().parts))
    assert _platform(state).is_up()
    _until(lambda: _answers(_platform(state).status().endpoints["serving"]))


def test_two_at_once_make_one_platform(state: Path) -> None:
    found: list[PlatformStatus] = []
    threads = [threading.Thread(target=lambda: found.append(_up(state))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_SECONDS)
    assert sorted(status.already_up for status in found) == [False, True]
    assert found[0].id == found[1].id


def _interrupted_once(state: Path, moment: Callable[[], bool]) -> int:
    environment = {**os.environ, "XDG_STATE_HOME": str(state.parent.parent)}
    process = subprocess.Popen([sys.executable, "-c", UP, str(state)], env=environment)
    try:
        _until(moment)
        process.send_signal(signal.SIGINT)
        return process.wait(LIMIT_SECONDS)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("seen", ["logs/supervisor.log", "platform.json", "admin.kubeconfig", "pods"])
def test_an_interrupt_at_any_moment_of_up_leaves_nothing(state: Path, seen: str) -> None:
    assert _interrupted_once(state, (state / seen).exists) == 130
    _assert_nothing_left(state)


def test_an_up_cancelled_before_it_begins_leaves_nothing(state: Path) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Interrupted):
        _platform(state).up(progress=Quiet(), cancellation=cancellation)
    _assert_nothing_left(state)


def test_stale_files_of_another_age_are_no_platform(state: Path) -> None:
    (state / "run").mkdir(parents=True)
    record = {
        "schema": "maestro.local.platform/1",
        "id": "local-other",
        "supervisor_pid": os.getpid(),  # a pid that lives, and is somebody else
        "state": "ready",
        "started_at": "2020-01-01T00:00:00.000000Z",
        "profile": "drill",
        "cluster": "lite",
        "load_seed": 1,
        "ready_after_seconds": 1.0,
        "parts": [{"name": "cluster", "state": "ready", "pid": 1}],
        "failure": None,
    }
    (state / "platform.json").write_text(json.dumps(record), encoding="utf-8")
    (state / "run" / "cluster.json").write_text('{"pid": 1, "url": "http://127.0.0.1:1"}', encoding="utf-8")
    (state / "context.json").write_text("{", encoding="utf-8")
    assert not _platform(state).is_up()
    assert _platform(state).status().state == "abandoned"
    report = _platform(state).down(progress=Quiet())
    assert report.ended == 0
    _assert_nothing_left(state)


def test_survivors_without_any_file_are_found_by_their_marker(state: Path) -> None:
    environment = {**os.environ, PLATFORM_VARIABLE: f"{id_prefix(state)}-lost"}
    process = subprocess.Popen([sys.executable, "-c", STUBBORN], env=environment, stdout=subprocess.PIPE)
    stranger = subprocess.Popen(
        [sys.executable, "-c", STUBBORN],
        env={**environment, PLATFORM_VARIABLE: "local-00000000-x"},
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert stranger.stdout is not None
        process.stdout.readline()
        stranger.stdout.readline()
        state.mkdir(parents=True)
        report = _platform(state).down(progress=Quiet())
        assert (report.ended, report.killed) == (1, 1)
        assert process.wait(LIMIT_SECONDS) == -signal.SIGKILL
        assert stranger.poll() is None
    finally:
        for each in (process, stranger):
            each.kill()
            each.wait()
            if each.stdout is not None:
                each.stdout.close()

"""Kill the cluster's process under write load, start it again, and compare it with what it answered."""

from __future__ import annotations

import json
import os
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from maestro_cli.core.errors import ExitCode
from maestro_cli.local.cluster.disk import FILE
from maestro_cli.local.process import read_announcement, ready_file

pytestmark = pytest.mark.crash
ROUNDS, WRITERS, ACKNOWLEDGED = 12, 4, 60
LIMIT_SECONDS = 90.0
Start = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a cluster process on the one state folder `tmp_path`."""
    started: list[subprocess.Popen[str]] = []

    def run() -> subprocess.Popen[str]:
        ready_file(tmp_path, "cluster").unlink(missing_ok=True)
        command = [sys.executable, "-m", "maestro_cli.local.cluster", "--state", str(tmp_path)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        started.append(process)
        waiter = threading.Event()
        for _ in range(int(LIMIT_SECONDS * 100)):
            if read_announcement(tmp_path, "cluster") or process.poll() is not None:
                break
            waiter.wait(0.01)
        return process

    try:
        yield run
    finally:
        for process in started:
            process.kill()
            process.communicate()


def _client(state: Path) -> httpx.Client:
    user = json.loads((state / "admin.kubeconfig").read_text())["users"][0]["user"]
    facts = read_announcement(state, "cluster")
    assert facts is not None
    context = ssl.create_default_context(cafile=str(state / "pki" / "ca.crt"))
    headers = {"Authorization": f"Bearer {user['token']}"}
    return httpx.Client(base_url=facts["url"], headers=headers, verify=context, trust_env=False, timeout=20)


PATH = "/api/v1/namespaces/default/configmaps"


@dataclass
class Ledger:
    """What one writer was answered, and the write it got no answer to."""

    number: int
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    open: str = ""
    answers: int = 0

    def work(self, state: Path) -> None:
        """Create, change and delete until the connection breaks."""
        with _client(state) as client:
            step = 0
            while True:
                self.open = f"c{self.number}-{step % 7}"
                try:
                    self._write(client, self.open, step)
                except httpx.HTTPError:
                    return
                self.answers += 1
                step += 1

    def _write(self, client: httpx.Client, name: str, step: int) -> None:
        if name not in self.known:
            body = {"metadata": {"name": name}, "data": {"step": str(step), "fill": "x" * 2000}}
            answer = client.post(PATH, json=body)
        elif step % 5 == 4:
            answer = client.delete(f"{PATH}/{name}")
        else:
            merge = {"Content-Type": "application/merge-patch+json"}
            answer = client.patch(f"{PATH}/{name}", json={"data": {"step": str(step)}}, headers=merge)
        assert answer.status_code in (200, 201), answer.text
        if answer.request.method == "DELETE":
            del self.known[name]
        else:
            self.known[name] = answer.json()


def _watch(state: Path, seen: list[int]) -> None:
    """Note the resource version of every event that arrives."""
    try:
        with _client(state) as client, client.stream("GET", PATH, params={"watch": "true"}) as lines:
            for line in lines.iter_lines():
                seen.append(int(json.loads(line)["object"]["metadata"]["resourceVersion"]))
    except httpx.HTTPError:
        return


def _round(start: Start, state: Path, ledgers: list[Ledger]) -> int:
    """Write, kill in the middle; the newest resource version that anybody was told."""
    process, seen = start(), list[int]()
    for ledger in ledgers:
        ledger.answers = 0
    threads = [threading.Thread(target=ledger.work, args=(state,)) for ledger in ledgers]
    threads.append(threading.Thread(target=_watch, args=(state, seen)))
    for thread in threads:
        thread.start()
    waiter = threading.Event()
    for _ in range(int(LIMIT_SECONDS * 1000)):
        if sum(ledger.answers for ledger in ledgers) >= ACKNOWLEDGED:
            break
        waiter.wait(0.001)
    process.kill()
    for thread in threads:
        thread.join(LIMIT_SECONDS)
        assert not thread.is_alive()
    assert sum(ledger.answers for ledger in ledgers) >= ACKNOWLEDGED
    return max(seen)


def test_kill_9_loses_nothing_that_was_answered(start: Start, tmp_path: Path) -> None:
    ledgers = [Ledger(number) for number in range(WRITERS)]
    for _ in range(ROUNDS):
        told = _round(start, tmp_path, ledgers)
        process = start()
        with _client(tmp_path) as client:
            answer = client.get(PATH).json()
        process.kill()
        process.wait()
        found = {item["metadata"]["name"]: item for item in answer["items"]}
        assert int(answer["metadata"]["resourceVersion"]) > told
        for ledger in ledgers:
            mine = {name: item for name, item in found.items() if name.startswith(f"c{ledger.number}-")}
            # The write without an answer may have been done or not; nothing else may differ.
            unsure = mine.pop(ledger.open, None)
            known = {name: item for name, item in ledger.known.items() if name != ledger.open}
            assert mine == known
            ledger.known = known | ({ledger.open: unsure} if unsure else {})


def test_a_second_process_on_the_same_state_is_refused(start: Start) -> None:
    first = start()
    assert first.poll() is None
    state = Path(first.args[-1])  # type: ignore[index, arg-type]
    command = [sys.executable, "-m", "maestro_cli.local.cluster", "--state", str(state)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    assert second.returncode == ExitCode.BUSY
    assert "another cluster process has the state" in second.stderr
    assert second.stderr.count("\n") == 1


def test_a_broken_file_is_told_and_left_alone(start: Start, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, for sure" * 100)
    process = start()
    assert process.wait(LIMIT_SECONDS) == ExitCode.INVALID_FILE
    assert process.stderr is not None
    assert FILE in process.stderr.read()
    assert (tmp_path / FILE).read_bytes().startswith(b"not a database")


def test_the_file_is_private_and_holds_the_objects(start: Start, tmp_path: Path) -> None:
    process = start()
    assert {os.stat(path).st_mode & 0o077 for path in tmp_path.glob(f"{FILE}*")} == {0}
    process.terminate()
    assert process.wait(LIMIT_SECONDS) == 0
    with sqlite3.connect(tmp_path / FILE) as db:
        kinds = {row[0] for row in db.execute("SELECT kind FROM objects")}
    db.close()
    assert kinds == {"namespaces"}

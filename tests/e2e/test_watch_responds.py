"""Nobody is at the keyboard: a bad release is answered by watchers, one of which is killed at it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.session import Session, eventually
from tests.e2e.test_kept_platform import serving, ship_bad_release

pytestmark = pytest.mark.e2e


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(tmp_path)
    try:
        up = session.run("local", "up")
        assert up.returncode == 0, up.stderr
        yield session
    finally:
        session.run("local", "down")
        assert session.survivors() == []


def watcher(session: Session, name: str) -> subprocess.Popen[str]:
    """`maestro watch --respond`, which dies at the first change, after the cluster was asked."""
    with (session.home / f"{name}.log").open("w") as log:
        return subprocess.Popen(
            session.command("watch", "--poll", "1s", "--respond"),
            stdin=subprocess.DEVNULL, stderr=log, text=True, cwd=session.home,
            env={**session.environment, "MAESTRO_ACTOR": name, "MAESTRO_CRASH_AT": "change.after-call"},
        )  # fmt: skip


def test_of_two_watchers_one_is_killed_between_call_and_result_and_the_other_ends_the_incident(
    session: Session,
) -> None:
    with ExitStack() as stack:
        watchers = {name: stack.enter_context(watcher(session, name)) for name in ("one", "other")}
        for process in watchers.values():
            stack.callback(process.kill)
        ship_bad_release(session)
        logs = [session.home / f"{name}.log" for name in watchers]
        try:
            eventually(lambda: any(process.poll() is not None for process in watchers.values()), 300)
        except AssertionError as error:
            raise AssertionError("\n".join(log.read_text() for log in logs)) from error
        (dead,) = [name for name, process in watchers.items() if process.poll() is not None]
        assert watchers[dead].returncode == -signal.SIGKILL, (session.home / f"{dead}.log").read_text()
        (alive,) = set(watchers) - {dead}
        log = session.home / f"{alive}.log"

        def is_over() -> bool:
            assert watchers[alive].poll() is None, log.read_text()
            return "; post-mortem " in log.read_text()

        eventually(is_over, 300)
        watchers[alive].send_signal(signal.SIGTERM)
        assert watchers[alive].wait(180) == 143

    assert serving(session) == "fraud=1"
    (incident,) = session.json("incident", "list", "--all")["items"]
    assert (incident["state"], incident["owner"], incident["drill"]) == (
        "resolved", f"watch, {alive}", False
    )  # fmt: skip
    events = session.json("journal", "show")["items"]
    assert [event["actor"] for event in events if event["kind"] == "incident.response_begun"] == [
        f"watch, {dead}", f"watch, {alive}"
    ]  # fmt: skip
    applied = [event for event in events if event["kind"] == "change.applied"]
    assert len(applied) == 1, json.dumps(applied)
    assert [event["kind"] for event in events if event["kind"] == "run.started"] == ["run.started"]
    assert session.run("journal", "verify").returncode == 0
    text = next(session.state.glob("postmortems/local/*.md")).read_text(encoding="utf-8")
    assert "automatic response begun, by playbook high-error-rate" in text

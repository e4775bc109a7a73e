"""The first list of pods, read by another process: what is told is what one process alone would tell.

The server is real; so is the program that lists, since a test run may have threads.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest

from maestro_cli.tui.keys.remembered import Remembered, remember
from tests.patience import PATIENCE_SECONDS, wait_for

AT = "2026-11-27T03:00:00Z"
FOLLOW = """
import sys
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.services import GlobalOptions, Services
from maestro_cli.services.inventory import told_without_secrets
from maestro_cli.services.pods_ahead import read_pods_ahead, watched_pods
from maestro_cli.core.facts.live import Begun, Changed, Listed, Lost, Restored

class Signals:
    def cooperative(self):
        return Cancellation()

def words(news):
    match news:
        case Begun(lines, is_anew):
            return "begun", is_anew, lines
        case Listed(lines, _):
            return "listed", sorted(lines, key=lambda line: line.name)
        case Lost(error, _):
            return "lost", type(error).__name__, error.what, error.why, error.fix
        case Restored():
            return ("restored",)
        case changes:
            return "changed", changes

services, over = Services(GlobalOptions(), Signals()), Cancellation()
if sys.argv[1] == "ahead":
    services.pods_ahead = read_pods_ahead(services, "prod", "")
    assert services.pods_ahead is not None
for news in told_without_secrets(services, watched_pods(services, "", over)):
    print(*words(news), flush=True)
    if isinstance(news, tuple):
        break
over.cancel()
services.close()
"""


def pod(name: str, version: int = 1) -> dict[str, Any]:
    waiting = {
        "waiting": {"reason": "CrashLoopBackOff", "message": "back-off\u202e of hunter22 \ud83d\ude80"}
    }
    meta = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": str(version)}
    labels = {"app": "\u200bmodel"}
    return {
        "metadata": {**meta, "creationTimestamp": AT, "labels": labels},
        "spec": {"nodeName": "node-1", "containers": [{"name": "server"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "server", "state": waiting}]},
    }


Answer = tuple[int, Any]
Answering = Callable[[str, int], Answer | None]  # of a list, by its token and which question that is


class Api:
    """Three pages of pods, then a change; `answers` may answer a list otherwise, None by hanging up."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: Answering = lambda token, number: self.page(token)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
                if path == "/api/v1/nodes":
                    zone = {"topology.kubernetes.io/zone": "zone-a"}
                    self.answer(
                        200, {"metadata": {}, "items": [{"metadata": {"name": "node-1", "labels": zone}}]}
                    )
                elif "watch" in query:
                    outer.asked.append(f"watch {query['resourceVersion'][0]}")
                    event = {"type": "MODIFIED", "object": pod("d", 9)}
                    self.answer(200, event)
                else:
                    token = query.get("continue", [""])[0]
                    outer.asked.append(f"list {token}".strip())
                    number = sum(one == outer.asked[-1] for one in outer.asked)
                    answer = outer.answers(token, number)
                    if answer is None:
                        self.close_connection = True
                    else:
                        self.answer(*answer)

            def answer(self, code: int, body: object) -> None:
                text = json.dumps(body).encode() + b"\n"
                self.send_response(code)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *arguments: Any) -> None:
                """Nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Who asked has gone."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @staticmethod
    def page(token: str) -> Answer:
        names, rest = {"": ("ab", "2"), "2": ("cd", "4"), "4": ("e", "")}[token]
        meta = {"resourceVersion": "7", **({"continue": rest} if rest else {})}
        return 200, {"metadata": meta, "items": [pod(name) for name in names]}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def api(own_home: Path) -> Iterator[Api]:
    server = Api()
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "maestro"
    config.mkdir(parents=True)
    kubeconfig(own_home, server.url, {"token": "none"})
    cluster = json.dumps({"kubeconfig": str(own_home / "kubeconfig")})
    prod = f"{{cluster: {cluster}, redact: [env:WORD]}}"
    text = f"current_context: prod\ncontexts: {{prod: {prod}}}\n"
    (config / "config.yaml").write_text(text, encoding="utf-8")
    yield server
    server.close()


def kubeconfig(home: Path, url: str, user: object) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "clusters": [{"name": "one", "cluster": {"server": url}}],
        "users": [{"name": "one", "user": user}],
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
    }
    (home / "kubeconfig").write_text(json.dumps(body), encoding="utf-8")


def told(how: str) -> list[str]:
    """What a program tells until a pod changed."""
    own = {**os.environ, "WORD": "hunter22"}
    done = subprocess.run(
        [sys.executable, "-c", FOLLOW, how], env=own, capture_output=True, text=True,
        timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def both(api: Api) -> tuple[list[str], list[str]]:
    """What is told by one process alone and with another; both are told all, and by as many questions."""
    alone = told("alone")
    asked, api.asked = api.asked, []
    return alone, told("ahead") if asked else []


def kinds(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines]


def test_the_list_and_what_follows_it_are_those_of_one_process(api: Api) -> None:
    alone, ahead = both(api)
    assert ahead == alone
    assert kinds(ahead) == ["begun", "begun", "listed", "changed"]
    assert "hunter22" not in " ".join(ahead)
    assert "zone-a" in ahead[-1]
    assert api.asked == ["list", "list 2", "list 4", "watch 7"]


def test_a_list_whose_snapshot_expires_begins_anew(api: Api) -> None:
    expired = 410, {"kind": "Status", "code": 410, "reason": "Expired"}
    api.answers = lambda token, number: expired if (token, number) == ("4", 1) else api.page(token)
    alone, ahead = both(api)
    assert ahead == alone
    assert kinds(ahead) == ["begun", "begun", "begun", "begun", "listed", "changed"]
    assert [line.split()[1] for line in ahead[:4]] == ["True", "False", "True", "False"]


@pytest.mark.parametrize(
    "answer",
    [
        (401, {"kind": "Status", "code": 401, "message": "not you"}),
        (403, {"kind": "Status", "code": 403, "message": "pods is forbidden"}),
        (500, {"kind": "Status", "code": 500, "message": "etcd is away"}),
        (200, {"metadata": "no list"}),
        None,
    ],
)
def test_an_error_is_told_in_the_same_words_and_then_it_is_tried_again_here(
    api: Api, answer: Answer | None
) -> None:
    answered: list[str] = []

    def first_fails(token: str, number: int) -> Answer | None:
        answered.append(token)
        fails = len(answered) <= (2 if answer is None else 1)  # a connection that breaks off is tried again
        return answer if fails else (200, {**api.page("4")[1]})

    api.answers = first_fails
    alone = told("alone")
    answered.clear()
    ahead = told("ahead")
    assert ahead == alone
    assert kinds(ahead) == ["lost", "restored", "listed", "changed"]


def test_what_is_not_told_to_the_end_is_read_here(api: Api) -> None:
    """As when that process is killed: its last page never comes."""
    killed = threading.Event()

    def kill(token: str, number: int) -> Answer | None:
        if token == "4" and not killed.is_set():
            killed.set()
            for one in psutil.Process().children(recursive=True):
                if one.parent() is not None and one.parent().pid != os.getpid():
                    one.kill()
        return api.page(token)

    api.answers = kill
    ahead = told("ahead")
    assert killed.is_set()
    begun = [line.split()[1] for line in ahead[:-2]]
    assert begun in (["True", "True", "False"], ["True", "False", "True", "False"])
    assert kinds(ahead[-2:]) == ["listed", "changed"]


def test_a_plugin_for_credentials_is_asked_once(api: Api, own_home: Path) -> None:
    script, log = own_home / "plugin", own_home / "asked"
    credential = {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
                  "status": {"token": "none"}}  # fmt: skip
    script.write_text(f"#!/bin/sh\necho asked >> '{log}'\necho '{json.dumps(credential)}'\n")
    script.chmod(0o755)
    exec_ = {"apiVersion": credential["apiVersion"], "command": str(script), "interactiveMode": "Never"}
    kubeconfig(own_home, api.url, {"exec": exec_})
    ahead = told("ahead")
    assert kinds(ahead) == ["begun", "begun", "listed", "changed"]
    assert log.read_text() == "asked\n"


@contextmanager
def console(*words: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`maestro tui` on a terminal, and that terminal's other end."""
    person, program = pty.openpty()
    fcntl.ioctl(program, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    remember(Remembered(has_seen_tour=True))
    own = {**os.environ, "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-m", "maestro_cli", "tui", *words],
        stdin=program, stdout=program, stderr=program, env=own, start_new_session=True,
    )  # fmt: skip
    os.close(program)
    try:
        yield process, person
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)
        os.close(person)


def is_over(process: psutil.Process) -> bool:
    """Whether it runs no more; who ought to wait for it was killed."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="on one core nothing is forked")
def test_a_console_that_is_killed_leaves_no_process_that_reads_for_it(api: Api) -> None:
    asked, over = threading.Event(), threading.Event()

    def never(token: str, number: int) -> Answer | None:
        asked.set()
        over.wait(PATIENCE_SECONDS)
        return None

    api.answers = never
    with console("--screen", "pods") as (process, _):
        assert asked.wait(PATIENCE_SECONDS)
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 1
        assert "none" not in " ".join(children[0].cmdline())  # the token
        process.kill()
        wait_for(lambda: is_over(children[0]), "the end of what read for it")
    over.set()


def test_the_rows_of_a_console_are_there_and_the_other_process_is_gone(api: Api) -> None:
    with console("--screen", "pods") as (process, person):
        shown = b""
        while b"CrashLoopBackOff" not in shown:
            assert select.select([person], [], [], PATIENCE_SECONDS)[0], shown
            shown += os.read(person, 65_536)
        wait_for(lambda: not psutil.Process(process.pid).children(), "the end of the other process")
    assert api.asked[:3] == ["list", "list 2", "list 4"]

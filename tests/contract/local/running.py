"""The processes of a platform under test, stock kubectl on it, and things to run there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from maestro_cli.local.process import read_announcement

KUBECTL = Path(sys.executable).with_name("kubectl")
_PACE = threading.Event()
# every period short, so that a test of a back-off or of a lost node takes seconds
NODE_GRACE, EVICT_AFTER = 4, 1
CONTROLLERS = ("--node-grace", str(NODE_GRACE), "--evict-after", str(EVICT_AFTER))
KUBELET = (
    "--backoff-initial", "0.5", "--backoff-max", "4", "--volume-refresh", "0.3", "--lease-renew", "0.5",
    "--shutdown-grace", "0.5",
)  # fmt: skip


def until(holds: Callable[[], Any], what: str, seconds: float = 15.0) -> Any:
    """The first true answer, or a failure that says what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        answer = holds()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds:g} s for: {what}"
        _PACE.wait(0.05)


class Platform:
    """The processes of one cluster; `kind` is lite or kubernetes."""

    def __init__(self, state: Path, kind: str = "lite") -> None:
        self.state = state
        self.kind = kind
        self.marker = f"test-{uuid.uuid4().hex}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        (state / "logs").mkdir(parents=True)

    def start(self, name: str, module: str, *options: str) -> None:
        """Start one part and wait until it has announced itself."""
        (self.state / "run" / f"{name}.json").unlink(missing_ok=True)
        self.spawn(
            name, sys.executable, "-m", f"maestro_cli.local.{module}", "--state", str(self.state), *options
        )
        process = self.processes[name]
        until(lambda: read_announcement(self.state, name) or process.poll() is not None, f"{name}", 90)
        assert process.poll() is None, self.log(name)[-3000:]

    def spawn(self, name: str, *command: str) -> None:
        """Start one process, its output in the log of that name."""
        with (self.state / "logs" / f"{name}.log").open("ab") as log:
            environment = {**os.environ, "MAESTRO_LOCAL_PLATFORM": self.marker}
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def start_node(self, letter: str) -> None:
        index = str("abc".index(letter) + 1)
        place = ("--node", f"node-{letter}", "--zone", f"zone-{letter}", "--index", index)
        self.start(f"kubelet-{letter}", "kubelet", *place, *KUBELET)

    def log(self, name: str) -> str:
        return (self.state / "logs" / f"{name}.log").read_text()

    def announced(self, name: str) -> dict[str, Any]:
        facts = read_announcement(self.state, name)
        assert facts is not None
        return facts

    def stop(self) -> None:
        """Stop all, the cluster last."""
        for process in reversed(self.processes.values()):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)

    def survivors(self) -> list[int]:
        """Pids of live processes that carry this platform's marker."""
        found = []
        mark = f"MAESTRO_LOCAL_PLATFORM={self.marker}".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found


class Kubectl:
    """Stock kubectl in one namespace."""

    def __init__(self, state: Path, home: Path, namespace: str, program: Path = KUBECTL) -> None:
        self.namespace = namespace
        self._program = program
        self._environment = {
            **os.environ,
            "KUBECONFIG": str(state / "admin.kubeconfig"),
            "KUBECACHEDIR": str(home / "kube-cache"),
            "HOME": str(home),
        }

    def __call__(self, *words: str, given: str = "", fails: bool = False, seconds: float = 40) -> str:
        """Its output; `fails` expects a non-zero exit."""
        done = subprocess.run(
            [str(self._program), "--namespace", self.namespace, *words],
            env=self._environment, input=given, capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        told = done.stdout + done.stderr
        assert (done.returncode != 0) is fails, f"kubectl {' '.join(words)}: {told}"
        return told

    def popen(self, *words: str) -> subprocess.Popen[str]:
        """A kubectl that goes on in the background."""
        return subprocess.Popen(
            [str(self._program), "--namespace", self.namespace, *words],
            env=self._environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def apply(self, *things: dict[str, Any]) -> None:
        self("apply", "--validate=false", "-f", "-", given="\n---\n".join(map(json.dumps, things)))

    def refused(self, thing: dict[str, Any]) -> str:
        """What is said when the server does not take it."""
        return self("create", "-f", "-", given=json.dumps(thing), fails=True)

    def get(self, *words: str) -> Any:
        """The JSON behind `get`."""
        return json.loads(self("get", *words, "-o", "json"))

    def items(self, *words: str) -> list[dict[str, Any]]:
        return list(self.get(*words)["items"])

    def events(self, reason: str) -> list[str]:
        """The messages of all events with this reason."""
        return [event["message"] for event in self.items("events") if event["reason"] == reason]


SERVE = (
    "import http.server,os,signal,sys;"
    "signal.signal(signal.SIGTERM,lambda *_:sys.exit(0));"
    "S=http.server.ThreadingHTTPServer;S.daemon_threads=True;"
    "H=type('H',(http.server.BaseHTTPRequestHandler,),{'protocol_version':'HTTP/1.1',"
    "'log_message':lambda *a:None,"
    "'do_GET':lambda s:(lambda b:(s.send_response(int(os.path.exists('broken')) and 500 or 200),"
    "s.send_header('Content-Length',str(len(b))),s.end_headers(),s.wfile.write(b)))"
    "(os.environ['HOSTNAME'].encode())});"
    "print('serving',flush=True);"
    "S((os.environ['POD_IP'],8080),H).serve_forever()"
)


def container(script: str = SERVE, **more: Any) -> dict[str, Any]:
    """A container that runs this Python."""
    made = {"name": "c", "image": "example.test/app:1", "command": ["python", "-u", "-S", "-c", script]}
    return made | more


def pod(
    name: str, script: str = SERVE, *, container_fields: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    """A bare pod."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container(script, **(container_fields or {}))], **spec},
    }


def deployment(
    name: str, replicas: int = 3, *, container_fields: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    """A Deployment of servers with a readiness probe."""
    fields = {
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
    }
    template_spec = {
        "containers": [container(**(fields | (container_fields or {})))],
        "terminationGracePeriodSeconds": 2,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": template_spec},
            **spec,
        },
    }


def conditions(thing: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Condition types with (status, reason)."""
    found = thing.get("status", {}).get("conditions", [])
    return {entry["type"]: (entry["status"], entry.get("reason", "")) for entry in found}

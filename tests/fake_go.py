"""A fake of the Go tool chain: a script that answers as `go` does and "builds" in a moment.

What it makes is a script too, which answers `version` as the real binary would. Everything around it is
real: processes, signals, locks, files. Building with the real Go is `make test-kubernetes`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """#!{python} -IS
import json, os, subprocess, sys, time
from pathlib import Path
folder = Path({folder!r})
answers = json.loads((folder / "answers.json").read_text())
words = sys.argv[1:]
with (folder / "calls.jsonl").open("a") as calls:
    settings = {{name: os.environ.get(name) for name in (
        "GOOS", "GOARCH", "CGO_ENABLED", "GOTOOLCHAIN", "GOWORK", "GOCACHE", "GOMODCACHE", "GOFLAGS",
        "GOPROXY", "GOTMPDIR", "GOROOT", "GOENV", "XDG_CONFIG_HOME",
    )}}
    calls.write(json.dumps({{"words": words, "folder": os.getcwd(), "settings": settings}}) + "\\n")
if words == ["version"]:
    print(answers["version"])
elif words[:2] == ["env", "GOMODCACHE"]:
    print(os.environ.get("GOMODCACHE") or answers["modules"])
elif words[0] == "list":
    sys.stderr.write("go: downloading k8s.io/api v0.37.2\\n")
    sys.stderr.write(answers["list_error"])
    if answers["list_error"]:
        sys.exit(1)
    print("fmt\\nk8s.io/api\\nmaestro.dev/controlplane")
elif words[0] == "build":
    Path(os.environ["GOCACHE"]).mkdir(exist_ok=True)
    Path(os.environ["GOCACHE"], "object").write_text("x")
    Path("go.sum").write_text("")
    sys.stderr.write("fmt\\nk8s.io/api\\n")
    sys.stderr.flush()
    if answers["gate"]:
        compiler = subprocess.Popen(["sleep", "1000"])
        (folder / "compiling").write_text(f"{{os.getpid()}} {{compiler.pid}}")
        while not Path(answers["gate"]).exists():
            time.sleep(0.01)
        compiler.kill()
        compiler.wait()
    sys.stderr.write(answers["build_error"])
    if answers["build_error"]:
        sys.exit(1)
    target = Path(words[words.index("-o") + 1])
    flags = next(word for word in words if word.startswith("-ldflags="))
    said = dict(answers["said"])
    said["sources"] = flags.split("main.sources=")[1]
    said["kubernetes"] = flags.split("gitVersion=")[1].split()[0]
    target.write_text("#!/bin/sh\\necho '" + json.dumps(said) + "'\\n")
    target.chmod(0o755)
else:
    sys.exit(f"the fake go does not know {{words}}")
"""


@dataclass(frozen=True)
class GoScript:
    """One fake `go`, first on a path of its own."""

    folder: Path

    @property
    def program(self) -> Path:
        return self.folder / "bin" / "go"

    @property
    def gate(self) -> Path:
        """A build that was told to wait goes on once this exists."""
        return self.folder / "gate"

    @property
    def environment(self) -> dict[str, str]:
        """The test's own, with this `go` and the system's programs alone on the path."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith("GO")}
        mine.pop("MAESTRO_KUBERNETES_BINARY", None)
        return {**mine, "PATH": f"{self.program.parent}:/usr/bin:/bin"}

    def answers(self, **changed: object) -> None:
        """Set what it does from now on."""
        file = self.folder / "answers.json"
        old = json.loads(file.read_text(encoding="utf-8")) if file.exists() else _ANSWERS
        file.write_text(json.dumps({**old, **changed}), encoding="utf-8")

    def calls(self, verb: str) -> list[dict[str, object]]:
        """How it was called with this first word."""
        file = self.folder / "calls.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [call for call in map(json.loads, lines) if call["words"][0] == verb]

    @property
    def compiling(self) -> list[int]:
        """The pids of a `go build` that waits and of its compiler; none before."""
        file = self.folder / "compiling"
        return [int(pid) for pid in file.read_text(encoding="utf-8").split()] if file.exists() else []


_ANSWERS = {
    "version": "go version go1.26.8 linux/amd64",
    "modules": "/nonexistent",
    "list_error": "",
    "build_error": "",
    "gate": "",
    "said": {"etcd": "3.7.0", "go": "go1.26.8"},
}


def make_go(folder: Path) -> GoScript:
    """Write the script under `folder`."""
    go = GoScript(folder)
    go.program.parent.mkdir(parents=True)
    go.program.write_text(_SCRIPT.format(python=sys.executable, folder=str(folder)), encoding="utf-8")
    go.program.chmod(0o755)
    go.answers()
    return go


def is_alive(pid: int) -> bool:
    """Whether a process with this pid runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True

"""What decodes manifests by the Go types of their APIs: where it is, how it is built, what it said.

`python -m tests.peers.manifests.program` builds it (minutes) and keeps in `decoded.json` the digest of each
manifest that it took, with the versions of the types; a test compares the digests in any case.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from maestro_cli.config.locations import cache_dir

HERE = Path(__file__).resolve().parent
MANIFESTS = HERE.parents[2] / "deploy" / "optimization"
DECODED = HERE / "decoded.json"
VARIABLE = "MAESTRO_MANIFESTS_BINARY"
_MADE_OF = ("go.mod", "go.sum", "main.go")
_MODULES = (
    "github.com/aws/karpenter-provider-aws", "k8s.io/api", "k8s.io/autoscaler/vertical-pod-autoscaler",
    "sigs.k8s.io/karpenter",
)  # fmt: skip


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def place() -> Path:
    """Where the program of these sources is, built or not."""
    named = os.environ.get(VARIABLE)
    made_of = digest(b"".join((HERE / name).read_bytes() for name in _MADE_OF))
    return Path(named) if named else cache_dir() / "peers" / f"manifests-{made_of[:12]}"


def found_program() -> Path | None:
    path = place()
    return path if path.is_file() else None


def build() -> Path:
    """Build it where it is not; raises CalledProcessError, and FileNotFoundError without Go."""
    built = place()
    if built.is_file():
        return built
    built.parent.mkdir(parents=True, exist_ok=True)
    words = [
        "nice",
        "-n",
        "15",
        shutil.which("go") or "go",
        "build",
        "-buildvcs=false",
        "-o",
        str(built),
        ".",
    ]
    environment = {**os.environ, "GOTOOLCHAIN": "auto", "GOFLAGS": "-mod=readonly"}
    subprocess.run(words, cwd=HERE, env=environment, check=True)
    return built


def decode(program: Path, content: bytes) -> str:
    """Why it is refused; empty when each document is what its type says."""
    done = subprocess.run([str(program)], input=content, capture_output=True, timeout=60, check=False)
    return "" if done.returncode == 0 else done.stderr.decode(errors="replace").strip() or "it broke"


def versions() -> dict[str, str]:
    """Of the modules whose types decode."""
    lines = (HERE / "go.mod").read_text(encoding="utf-8")
    return {
        name: match[1] for name in _MODULES if (match := re.search(rf"\s{re.escape(name)} (v\S+)", lines))
    }


def main() -> None:
    program = build()
    files = {}
    for file in sorted(MANIFESTS.glob("*.yaml")):
        content = file.read_bytes()
        if why := decode(program, content):
            raise SystemExit(f"{file.name}: {why}")
        files[file.name] = digest(content)
    DECODED.write_text(json.dumps({"types": versions(), "files": files}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

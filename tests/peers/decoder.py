"""What decodes manifests by the Go types of their APIs: where it is, how it is built, what it said.

A folder of peers has its own module, `main.go` with a table of types, and `decoded.json`: the digest of each
manifest that was taken, with the versions of the types. A test compares the digests in any case.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from maestro_cli.config.locations import cache_dir

PEERS = Path(__file__).resolve().parent
_MADE_OF = ("go.mod", "go.sum", "main.go", "../decode/go.mod", "../decode/decode.go")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Decoder:
    """One folder of peers, the manifests that it decodes, and the modules whose types do.

    `variable` of the environment may name its program.
    """

    name: str
    manifests: Path
    modules: tuple[str, ...]
    variable: str

    @property
    def here(self) -> Path:
        return PEERS / self.name

    @property
    def files(self) -> list[Path]:
        return sorted(self.manifests.glob("*.yaml"))

    def place(self) -> Path:
        """Where the program of these sources is, built or not."""
        named = os.environ.get(self.variable)
        made_of = digest(b"".join((self.here / name).read_bytes() for name in _MADE_OF))
        return Path(named) if named else cache_dir() / "peers" / f"{self.name}-{made_of[:12]}"

    def found_program(self) -> Path | None:
        path = self.place()
        return path if path.is_file() else None

    def build(self) -> Path:
        """Build it where it is not; raises CalledProcessError, and FileNotFoundError without Go."""
        built = self.place()
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
        subprocess.run(words, cwd=self.here, env=environment, check=True)
        return built

    def decode(self, program: Path, content: bytes) -> str:
        """Why it is refused; empty when each document is what its type says."""
        done = subprocess.run([str(program)], input=content, capture_output=True, timeout=60, check=False)
        return "" if done.returncode == 0 else done.stderr.decode(errors="replace").strip() or "it broke"

    def names(self, program: Path) -> dict[str, list[str]]:
        """What it knows of its types besides: names by what they are."""
        done = subprocess.run([str(program), "names"], capture_output=True, text=True, timeout=60, check=True)
        found: dict[str, list[str]] = defaultdict(list)
        for line in done.stdout.splitlines():
            key, _, value = line.partition("\t")
            found[key].append(value)
        return dict(found)

    def versions(self) -> dict[str, str]:
        """Of the modules whose types decode."""
        lines = (self.here / "go.mod").read_text(encoding="utf-8")
        return {
            name: match[1]
            for name in self.modules
            if (match := re.search(rf"\s{re.escape(name)} (v\S+)", lines))
        }

    def is_current(self) -> bool:
        """Whether these very manifests were decoded by these versions."""
        kept = json.loads((self.here / "decoded.json").read_text(encoding="utf-8"))
        files = {file.name: digest(file.read_bytes()) for file in self.files}
        return bool(kept == {"types": self.versions(), "files": files})

    def keep(self) -> None:
        """Build it, decode all of them and keep that; raises SystemExit with what it refuses."""
        program = self.build()
        files = {}
        for file in self.files:
            content = file.read_bytes()
            if why := self.decode(program, content):
                raise SystemExit(f"{file.name}: {why}")
            files[file.name] = digest(content)
        told = json.dumps({"types": self.versions(), "files": files}, indent=1)
        (self.here / "decoded.json").write_text(f"{told}\n", encoding="utf-8")

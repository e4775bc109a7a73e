"""What is built and for which machine: the Go module that ships with maestro, and its digests.

Invariant: all versions come from the module's own `go.mod`; two binaries with the same key were made
from the same files by the same recipe for the same system and processor.
"""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from maestro_cli.config.explanation import choice
from maestro_cli.core.errors import UsageError

MODULE = Path(__file__).resolve().parent / "controlplane"
NAME = "maestro-kubernetes"
TARGETS = ("linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64")
_PROCESSORS = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_VERSION = "k8s.io/component-base/version"
_DIGEST_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Target:
    """A system and a processor, in Go's words."""

    system: str
    processor: str

    def __str__(self) -> str:
        return f"{self.system}/{self.processor}"


def this_machine() -> Target:
    """The target of the machine this runs on."""
    processor = platform.machine().lower()
    return Target(sys.platform, _PROCESSORS.get(processor, processor))


def parse_target(text: str) -> Target:
    """Read `linux/arm64`; raises UsageError for what the control plane is not built for."""
    if text not in TARGETS:
        raise UsageError(f"there is no target {text!r}", **choice(text, TARGETS))
    system, _, processor = text.partition("/")
    return Target(system, processor)


@dataclass(frozen=True)
class Module:
    """The Go module in a folder."""

    folder: Path = MODULE

    @cached_property
    def files(self) -> tuple[Path, ...]:
        names = [*self.folder.glob("*.go"), self.folder / "go.mod", self.folder / "go.sum"]
        return tuple(sorted(names))

    @cached_property
    def kubernetes(self) -> str:
        """The version of Kubernetes, with its `v`."""
        return self._required("k8s.io/kubernetes")

    @cached_property
    def etcd(self) -> str:
        """The version of etcd, without a `v`."""
        return self._required("go.etcd.io/etcd/server/v3").removeprefix("v")

    @cached_property
    def oldest_go(self) -> tuple[int, int]:
        """The oldest version of Go that can build it."""
        major, minor = self._find(r"^go (\d+)\.(\d+)")
        return int(major), int(minor)

    @cached_property
    def sources(self) -> str:
        """Digest of every file of the module and of the recipe; the same for all targets."""
        digest = hashlib.sha256()
        for path in self.files:
            content = path.read_bytes()
            digest.update(f"{path.name} {len(content)}\n".encode())
            digest.update(content)
        digest.update("\n".join((*BUILD_FLAGS, *self._linker_variables())).encode())
        return digest.hexdigest()[:_DIGEST_CHARACTERS]

    @property
    def linker_flags(self) -> str:
        """No symbols, and the versions: without them kubectl cannot read the server's."""
        variables = (*self._linker_variables(), f"main.sources={self.sources}")
        return " ".join(["-s -w", *(f"-X {variable}" for variable in variables)])

    def key(self, target: Target) -> str:
        """The name of the folder a binary is kept in."""
        return f"{self.kubernetes}-{target.system}-{target.processor}-{self.sources}"

    def _linker_variables(self) -> tuple[str, ...]:
        major, minor, _ = self.kubernetes.removeprefix("v").split(".", 2)
        return (
            f"{_VERSION}.gitVersion={self.kubernetes}",
            f"{_VERSION}.gitMajor={major}",
            f"{_VERSION}.gitMinor={minor}",
        )

    def _required(self, name: str) -> str:
        return self._find(rf"^\s*{re.escape(name)} (v\S+)")[0]

    def _find(self, pattern: str) -> tuple[str, ...]:
        found = re.search(pattern, (self.folder / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
        if found is None:
            raise AssertionError(f"go.mod has no line {pattern}")
        return found.groups()


# A module copied into a folder of its own is under nobody's version control.
BUILD_FLAGS = ("-trimpath", "-buildvcs=false")

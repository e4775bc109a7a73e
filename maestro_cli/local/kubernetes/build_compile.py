"""Compile the Go module into a binary: download what it requires, then build, telling what and how far.

Invariant: everything that is made lives in the folder of this build; only downloaded modules are
shared, and only where Go keeps some already.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ActionFailed, MaestroError, Unreachable
from maestro_cli.core.progress import Progress
from maestro_cli.local.kubernetes.build_go import Go, without_traces
from maestro_cli.local.kubernetes.build_run import run_go
from maestro_cli.local.kubernetes.build_target import BUILD_FLAGS, Module, Target

FAILED_LOG = "build.log"
_CACHE_GIB, _MODULES_GIB = 8.0, 0.7  # measured: 3.7 of cache and as much of intermediate files; 0.6
_LAST_LINES = 12
_ANSWER_SECONDS = 60.0
_DOWNLOADING = "go: downloading "
_USER = re.compile(r"//[^/@,|]*@")  # a proxy's URL may hold a password


@dataclass
class Compilation:
    """One build in a folder of its own."""

    module: Module
    target: Target
    go: Go
    folder: Path
    environment: Mapping[str, str]
    progress: Progress
    cancellation: Cancellation

    def run(self, into: Path) -> None:
        """Build the module into the file `into`.

        Raises Unreachable (modules cannot be had), ActionFailed (no room, it does not compile), Interrupted.
        """
        environment = self._environment()
        self._require_room(environment)
        copy = self.folder / "module"  # Go may want to write there, and what is installed stays as it is
        copy.mkdir()
        for path in self.module.files:
            shutil.copy(path, copy / path.name)
        self.progress.phase("download", f"modules of Kubernetes {self.module.kubernetes}")
        packages = self._go(["list", "-deps", "."], environment, _Downloads(self.progress).tell, _no_modules)
        total = len(packages.splitlines())
        self.progress.phase("compile", f"{total} packages for {self.target}, once")
        self.progress.note("about ten minutes on two processors; the binary is kept, the rest is removed")
        told = _Packages(self.progress, total)
        flags = [*BUILD_FLAGS, f"-ldflags={self.module.linker_flags}"]
        self._go(["build", "-v", *flags, "-o", str(into), "."], environment, told.tell, _no_build)
        self.progress.update(f"{told.count} packages for {self.target}, with Go {self.go.version}")

    def _environment(self) -> dict[str, str]:
        """The user's settings of Go (proxy, flags, caches), and ours for what is built and where.

        A GOCACHE that the user names is used and kept; else there is one for this build only.
        """
        own = {
            **without_traces(self.environment),
            **self.go.environment,
            "GOOS": self.target.system,
            "GOARCH": self.target.processor,
            "CGO_ENABLED": "0",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
            "GOTMPDIR": str(self.folder / "tmp"),
        }
        (self.folder / "tmp").mkdir()
        own["GOCACHE"] = self.environment.get("GOCACHE") or str(self.folder / "cache")
        if not self._has_modules(own):
            own["GOMODCACHE"] = str(self.folder / "modules")
            own["GOFLAGS"] = f"{own.get('GOFLAGS', '')} -modcacherw".strip()  # else they cannot be removed
        return own

    def _has_modules(self, environment: Mapping[str, str]) -> bool:
        """Whether this user keeps Go modules; who does not, need not keep ours."""
        answer = subprocess.run(
            [self.go.program, "env", "GOMODCACHE"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=dict(environment),
            timeout=_ANSWER_SECONDS,
            check=False,
        )
        folder = answer.stdout.strip()
        return bool(folder) and Path(folder).is_dir()

    def _require_room(self, environment: Mapping[str, str]) -> None:
        if self.environment.get("GOCACHE"):
            return  # it may be on another disk, and hold most of it already
        needed = _CACHE_GIB + (_MODULES_GIB if "GOMODCACHE" in environment else 0.0)
        free = shutil.disk_usage(self.folder).free / 2**30
        if free < needed:
            raise ActionFailed(
                f"there is no room to build in {self.folder.parent}",
                why=f"{free:.1f} GiB are free, and building takes {needed:.1f} GiB (135 MiB stay)",
                fix="free some, or set XDG_CACHE_HOME to a folder on a larger disk",
            )

    def _go(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        tell: Callable[[str], None],
        failure: Callable[[str, Mapping[str, str]], MaestroError],
    ) -> str:
        """Run `go` and return what it wrote to stdout; on failure show the end of its log and keep it."""
        output, log = self.folder / "output", self.folder / FAILED_LOG
        status = run_go(
            [self.go.program, *arguments],
            folder=self.folder / "module",
            environment=environment,
            output=output,
            log=log,
            on_line=tell,
            cancellation=self.cancellation,
        )
        if status == 0:
            return output.read_text(encoding="utf-8", errors="replace")
        said = [
            line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()
        ]
        for line in said[-_LAST_LINES:]:
            self.progress.note(line)
        kept = self.folder.parent / FAILED_LOG
        log.replace(kept)
        last = said[-1] if said else f"go ended with status {status} and said nothing"
        if "no space left on device" in "\n".join(said[-_LAST_LINES:]):
            raise ActionFailed(
                "the disk became full while building", why=last, fix=f"free some of {kept.parent}"
            )
        error = failure(last, environment)
        error.fix += f"; all that go said is in {kept}"
        raise error


@dataclass
class _Downloads:
    progress: Progress
    count: int = 0

    def tell(self, line: str) -> None:
        if line.startswith(_DOWNLOADING):
            self.count += 1
            self.progress.update(f"{self.count} modules: {line.removeprefix(_DOWNLOADING)}")


@dataclass
class _Packages:
    progress: Progress
    total: int
    count: int = 0

    def tell(self, line: str) -> None:
        if line and " " not in line:  # `go build -v` names each package alone; messages are sentences
            self.count += 1
            self.progress.update(f"{self.count} of {self.total} packages: {line}")


def _no_modules(last: str, environment: Mapping[str, str]) -> MaestroError:
    proxy = _USER.sub("//", environment.get("GOPROXY", "")) or "Go's default"
    return Unreachable(
        "the Go modules of the Kubernetes control plane cannot be downloaded",
        why=last,
        fix=f"check the network or set GOPROXY (it is {proxy})",
    )


def _no_build(last: str, environment: Mapping[str, str]) -> MaestroError:
    fix = "it needs 3 GiB of memory: GOFLAGS=-p=1 takes less" if "killed" in last else "run it again"
    return ActionFailed("the Kubernetes control plane does not compile", why=last, fix=fix)

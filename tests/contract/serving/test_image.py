"""What deploy/serving/Containerfile builds, as far as it can be seen without a container engine.

The wheel is built from the files that the Containerfile copies and served from where it was unpacked, in a
mount namespace in which every file system is read-only. Not seen here: the base image, and another user's id
(the interpreter of a developer's machine may lie in a home folder that nobody else may enter).
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.contract.cluster.running import until

ROOT = Path(__file__).resolve().parents[3]
SERVING = ROOT / "deploy" / "serving"
ENTER = ["unshare", "--mount", "--", "bash", "-c"]
READ_ONLY = """
set -eu
mount --make-rprivate /
while read -r _ place _; do
    case "$place" in /proc*|/sys*|/dev*) ;; *) mount -o remount,bind,ro "$place" 2>/dev/null || true ;; esac
done < /proc/self/mounts
if touch "$0/x" 2>/dev/null || touch /tmp/x 2>/dev/null; then echo "a folder can be written" >&2; exit 9; fi
exec "$@"
"""
SERVE = (
    "import sys, runpy\nsys.path.insert(0, sys.argv.pop(1))\n"
    "runpy.run_module('maestro_cli.serving', alter_sys=True, run_name='__main__')\n"
)


def _may_enter() -> bool:
    try:
        done = subprocess.run([*ENTER, "mount --make-rprivate /"], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(not _may_enter(), reason="no mount namespace may be made here (root on Linux may)"),
]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `site`, the wheel unpacked, and `models`, as the Containerfile copies them."""
    folder = tmp_path_factory.mktemp("image")
    source = folder / "src"
    text = (SERVING / "Containerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        *names, target = line.split()
        for name in names:
            place = folder / "models" if target == "/models" else source / name
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            place.parent.mkdir(parents=True, exist_ok=True)
            copy(ROOT / name, place)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = folder.glob("maestro_cli-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder


@pytest.fixture
def server(image: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path, str]]:
    """The server on the base's routing and a key: the process, its log, the key."""
    keys, log = tmp_path / "keys.yaml", tmp_path / "log"
    add = [sys.executable, "-m", "maestro_cli", "serve", "keys", "add", str(keys), "--id", "shop"]
    told = subprocess.run([*add, "--role", "predictor"], capture_output=True, text=True, check=True).stdout
    key = next(word for word in told.split() if word.startswith("mk_"))
    options = [
        "--models", str(image / "models"), "--host=127.0.0.1", "--port=0", "--serve=fraud=1",
        "--serve=fraud=2", f"--routing={SERVING / 'base' / 'routing.yaml'}", f"--keys={keys}",
        "--drain-seconds=0",
    ]  # fmt: skip
    serve = [sys.executable, "-I", "-B", "-c", SERVE, str(image / "site"), *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*ENTER, READ_ONLY, str(tmp_path), *serve], cwd=tmp_path, stderr=output, env={"HOME": "/"}
        )
    try:
        yield process, log, key
    finally:
        process.kill()
        process.wait(60)


def test_the_wheel_serves_where_nothing_can_be_written(
    image: Path, server: tuple[subprocess.Popen[bytes], Path, str]
) -> None:
    process, log, key = server
    until(lambda: '"serving"' in log.read_text() or process.poll() is not None, "the server")
    assert process.poll() is None, log.read_text()
    lines = [json.loads(line) for line in log.read_text().splitlines()]  # nothing else is printed
    port = next(line["port"] for line in lines if line["message"] == "serving")
    traffic = json.loads((image / "models" / "fraud" / "traffic.json").read_text())
    inputs = [one | {"data": traffic["rows"][0][one["name"]]} for one in traffic["inputs"]]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        assert client.get("/v2/health/ready").status_code == 200
        answer = client.post("/v2/models/fraud/infer", json={"inputs": inputs}, headers={"x-api-key": key})
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-maestro-served"].startswith("fraud@1#")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, log.read_text()


def test_the_wheel_has_the_manifests(image: Path) -> None:
    shipped = image / "site" / "maestro_cli" / "shipped" / "deploy" / "serving"
    files = {str(path.relative_to(SERVING)) for path in SERVING.rglob("*") if path.is_file()}
    assert {str(path.relative_to(shipped)) for path in shipped.rglob("*") if path.is_file()} == files

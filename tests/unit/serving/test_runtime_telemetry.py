"""What runs the models tells nobody about them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MODELS = Path(__file__).resolve().parents[3] / "deploy" / "models"
LOAD = (
    "import sys, pathlib\n"
    "from maestro_cli.serving.models.artefact import load\n"
    "print(load(pathlib.Path(sys.argv[1]), 'fraud', 1).manifest.name)\n"
)


def test_loading_a_model_leaves_no_trace_in_the_home_folder(tmp_path: Path) -> None:
    """onnxruntime keeps an id of the machine and what it has yet to send below the cache folder."""
    home = tmp_path / "a-home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    command = [sys.executable, "-c", LOAD, str(MODELS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["fraud"], done.stderr
    assert [str(path) for path in home.rglob("*")] == []

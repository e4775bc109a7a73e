"""The real Sloth: where it is, and what it writes for a case."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

from maestro_cli.config.locations import cache_dir
from maestro_cli.config.strict import dump_yaml
from tests.contract.slo.sloth.cases import SLOTH_PERIODS, Case, spec_of, windows_of

VERSION = "v0.16.0"  # as tests/peers/sloth/go.mod has it
VARIABLE = "MAESTRO_SLOTH_BINARY"
RULES = Path(__file__).with_name("rules.json")


def found_program() -> Path | None:
    """The binary that the variable names, or the one in the cache folder."""
    named = os.environ.get(VARIABLE)
    path = Path(named) if named else cache_dir() / "peers" / f"sloth-{VERSION}"
    return path if path.is_file() else None


def written_by(program: Path, case: Case) -> dict[str, Any]:
    """The rules of a case, counting events over the period too. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "spec.yaml").write_text(dump_yaml(spec_of(case)), encoding="utf-8")
        period = ["--default-slo-period", f"{case.days}d"]
        if case.days not in SLOTH_PERIODS:
            (folder / "windows").mkdir()
            (folder / "windows" / "own.yaml").write_text(dump_yaml(windows_of(case.days)), encoding="utf-8")
            period += ["--slo-period-windows-path", str(folder / "windows")]
        done = subprocess.run(
            [str(program), "generate", "--no-log", *period, "-i", "spec.yaml"],
            cwd=folder, capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found

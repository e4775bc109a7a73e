"""promtool, which comes with Prometheus, as a parser of PromQL.

Invariant: what is parsed reaches it in a file, never on a command line; it evaluates nothing.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from maestro_cli.core.errors import ActionFailed, TimedOut

_SECONDS = 30.0
_PROBLEM = re.compile(r"rule \d+, \"parsed:(\d+)\": could not parse expression: (.*)")


def find_promtool() -> str | None:
    """Its path, where there is one."""
    return shutil.which("promtool")


def parse_with(program: str, expressions: Sequence[str]) -> Sequence[str]:
    """What it says of each expression: "" where it is PromQL. Raises ActionFailed, TimedOut."""
    rules = [{"record": f"parsed:{number}", "expr": one} for number, one in enumerate(expressions)]
    with tempfile.TemporaryDirectory(prefix="maestro-promql-") as folder:
        file = Path(folder) / "rules.yaml"
        file.write_text(json.dumps({"groups": [{"name": "parsed", "rules": rules}]}), encoding="utf-8")
        try:
            done = subprocess.run(
                [program, "check", "rules", "--lint=none", str(file)],
                capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise TimedOut(f"{program} did not answer within {_SECONDS:.0f} s") from error
        except OSError as error:
            raise ActionFailed(f"{program} cannot be run", why=error.strerror or "") from error
    said = {int(match[1]): match[2] for match in _PROBLEM.finditer(done.stdout + done.stderr)}
    if done.returncode and not said:
        raise ActionFailed(f"{program} cannot check rules", why=(done.stderr or done.stdout).strip()[-300:])
    return [said.get(number, "") for number in range(len(expressions))]

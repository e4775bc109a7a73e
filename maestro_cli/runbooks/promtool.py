"""Prometheus's own parser of queries. Invariant: without it a query is not called good."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from maestro_cli.core.errors import ActionFailed
from maestro_cli.core.untrusted import visible

_LIMIT_SECONDS = 30
_FAULT = re.compile(r'group "g", rule (\d+), "r\d+": (?:could not parse expression: )?(.*)')


def faults_of(queries: Sequence[str]) -> dict[int, str] | None:
    """What is wrong with which query, by its number; None where there is no promtool.

    Raises ActionFailed when promtool does not answer.
    """
    program = shutil.which("promtool")
    if program is None:
        return None
    if not queries:
        return {}
    rules = [{"record": f"r{number}", "expr": query} for number, query in enumerate(queries)]
    with tempfile.TemporaryDirectory(prefix="maestro-lint-") as folder:
        path = Path(folder) / "rules.json"  # rules are where promtool parses without a server; JSON is YAML
        path.write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}, ensure_ascii=False))
        try:
            done = subprocess.run(
                [program, "check", "rules", "--lint=none", str(path)],
                capture_output=True,
                text=True,
                timeout=_LIMIT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ActionFailed("promtool does not answer", why=str(error), fix="is it installed?") from error
    found = {int(match.group(1)) - 1: visible(match.group(2), 300) for match in _FAULT.finditer(done.stderr)}
    if done.returncode != 0 and not found:
        raise ActionFailed("promtool cannot check the queries", why=visible(done.stderr.strip(), 300))
    return found

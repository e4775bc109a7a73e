"""The page of signals says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from maestro_cli.incidents.intake.warnings import TABLE

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "signals.md").read_text(encoding="utf-8")


def test_the_table_of_warnings_is_the_programs() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (sev\d) \| (\d+) \| (\d+) s \| (\d+) s \|$", PAGE, re.MULTILINE)
    assert rows == [
        (
            reason,
            rule.severity.value,
            str(rule.threshold),
            f"{rule.window_seconds:g}",
            f"{rule.quiet_seconds:g}",
        )
        for reason, rule in TABLE.items()
    ]

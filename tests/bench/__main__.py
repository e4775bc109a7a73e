"""`python -m tests.bench [ROOM…]`: measure, keep the run, and say whether the budgets are met.

Invariant: the last line is the verdict; the exit code is 10 when a budget is missed and 1 when a room could
not be measured, which is never a pass.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from maestro_cli.core.errors import ExitCode
from tests.bench.figures import Figure, spell
from tests.bench.machine import load_average, machine
from tests.bench.terminal import KEPT, Failed

ROOMS = (
    "cli",
    "journal",
    "incidents",
    "runbooks",
    "local",
    "lite",
    "cluster",
    "serving",
    "drill",
    "table",
    "slo",
    "cost",
    "console",
    "soak",
    "soak-console",
)


def main(arguments: Sequence[str]) -> int:
    """Measure the named rooms, all of them without a name."""
    if unknown := set(arguments) - set(ROOMS):
        sys.stderr.write(f"no such room: {', '.join(sorted(unknown))}; there are {', '.join(ROOMS)}\n")
        return int(ExitCode.USAGE)
    rooms = [room for room in ROOMS if not arguments or room in arguments]
    started, where = datetime.now(UTC), machine()
    _say(f"{where['processor']}, {where['cores']} cores, {where['file_system']}, {where['system']}")
    _say(f"Python {where['python']}, SQLite {where['sqlite']}, maestro {where['maestro']} {where['commit']}")
    figures: list[Figure] = []
    failures: dict[str, str] = {}
    kept: dict[str, Any] = {}
    for room in rooms:
        before = load_average()
        _say(f"\n{room}  (load average {before})")
        try:
            found: list[Figure] = import_module(f"tests.bench.{room.replace('-', '_')}").measure()
        except Failed as error:
            failures[room] = str(error)
            _say(f"  not measured: {error}")
            continue
        for figure in found:
            _say(figure.line())
        kept[room] = {
            "load_average": [before, load_average()],
            "figures": [figure.data() for figure in found],
        }
        figures += found
    KEPT.mkdir(exist_ok=True)
    path = KEPT / f"{started:%Y%m%dT%H%M%SZ}-{'-'.join(rooms) if arguments else 'all'}.json"
    run = {"date": f"{started:%Y-%m-%dT%H:%M:%SZ}", "machine": where, "rooms": kept, "failures": failures}
    path.write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _say(f"\nkept as {path.relative_to(KEPT.parent)}")
    return _judge(figures, failures)


def _judge(figures: Sequence[Figure], failures: dict[str, str]) -> int:
    budgets = [figure for figure in figures if figure.limit is not None]
    missed = [
        f"{figure.name}: {spell(figure.value, figure.unit)}, budget {figure.budget()}"
        for figure in budgets
        if not figure.met
    ]
    words = [f"{len(budgets) - len(missed)} of {len(budgets)} budgets met"]
    words += [f"missed {text}" for text in missed]
    words += [f"{room} not measured: {why}" for room, why in failures.items()]
    _say("; ".join(words).replace("\n", " "))
    if failures:
        return int(ExitCode.INTERNAL)
    return int(ExitCode.CONDITION_NOT_MET if missed else ExitCode.OK)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Log lines as they come: text on stdout, what is told of them on stderr.

Invariant: one line of a container is one line of output, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Iterable

from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.live import Lost
from maestro_cli.core.facts.logs import Dropped, Left, LogLine, LogSeen
from maestro_cli.core.quantities import counted
from maestro_cli.core.untrusted import visible
from maestro_cli.output.diagnostics import note, warn
from maestro_cli.output.views import SCHEMA_PREFIX
from maestro_cli.output.writer import OutputOptions, compact_json, emit_lines

SCHEMA = f"{SCHEMA_PREFIX}log-line/v1"
_FORMS = ("table", "wide", "json")


def print_logs(
    batches: Iterable[tuple[LogSeen, ...]], options: OutputOptions, *, named: bool, stamped: bool
) -> None:
    """Write each batch as it comes; with `-o json` a document a line.

    `named`: the pod and container stand before each line; `wide` and `stamped` put the instant there too.
    Raises UsageError for another format.
    """
    kind = options.format.kind
    if kind not in _FORMS:
        raise UsageError(f"a log has no {kind} form", fix="-o table, wide or json")
    is_wide = kind == "wide"
    for batch in batches:
        lines = [one for one in batch if isinstance(one, LogLine)]
        if kind == "json":
            emit_lines(compact_json({"schema": SCHEMA, **plain(line)}) for line in lines)
        else:
            emit_lines(_text(line, named=named or is_wide, stamped=stamped or is_wide) for line in lines)
        for one in batch:
            _tell(one)


def _text(line: LogLine, *, named: bool, stamped: bool) -> str:
    instant = f"{to_rfc3339(line.at)} " if stamped else ""
    name = f"{line.pod} {line.container} " if named else ""
    return f"{instant}{name}{visible(line.text.replace(chr(9), '    '))}" + ("…" if line.is_cut else "")


def _tell(seen: LogSeen) -> None:
    if isinstance(seen, Left):
        note(f"{seen.pod} {seen.container}: no more lines: {seen.why}")
    elif isinstance(seen, Dropped):
        warn(
            f"{counted(seen.count, 'line')} dropped since {to_rfc3339(seen.since)}: nobody took them in time"
        )
    elif isinstance(seen, Lost):
        warn(f"new pods are not seen: {seen.error.what}")

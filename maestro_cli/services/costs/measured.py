"""Which workloads right-sizing measured last, kept on this machine for completion.

Invariant: a report is the same whether they can be kept or not, and nobody is asked for them. Their names
come from metrics: what could not be the name of an object is neither kept nor read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.config.locations import cache_dir, make_private
from maestro_cli.core.clock import to_rfc3339
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.files import write_atomically

if TYPE_CHECKING:
    from maestro_cli.cost.rightsizing.report import Rightsizing

_MOST = 2_000  # of a context, the latest
_MOST_BYTES = 1_000_000
_NAME = re.compile(r"[a-z0-9-]{1,63}/[A-Za-z0-9.-]{1,253}/[a-z0-9.-]{1,253}")


def keep_measured(found: Rightsizing, whole: str | None) -> None:
    """Keep the names of a report, the others after them.

    `whole`: the report is about all workloads of this namespace ("" of all of them), so that what was there
    before and is not in it is gone; None: about some that were named.
    """
    at = to_rfc3339(found.end)
    now = {str(one.workload): at for one in found.items}
    gone = None if whole is None else f"{whole}/" if whole else ""
    before = {name: at for name, at in measured(found.context) if gone is None or not name.startswith(gone)}
    kept = [*now.items(), *(one for one in before.items() if one[0] not in now)]
    text = json.dumps([one for one in kept if _NAME.fullmatch(one[0])][:_MOST])
    with suppress(MaestroError, OSError, RuntimeError):  # the last: no home; whoever completes has to type it
        path = _path(found.context)
        make_private(path.parent)
        write_atomically(path, text, mode=0o600)


def measured(context: str) -> Iterator[tuple[str, str]]:
    """Each workload with when it was measured, the latest report first; none where that is not known."""
    kept: object = None
    with suppress(OSError, ValueError, RuntimeError):
        path = _path(context)
        if path.is_file() and path.stat().st_size <= _MOST_BYTES:
            kept = json.loads(path.read_text("utf-8"))
    yield from _pairs(kept if isinstance(kept, list) else ())


def _pairs(kept: Iterable[object]) -> Iterator[tuple[str, str]]:
    for one in kept:
        match one:
            case [str(name), str(at)] if _NAME.fullmatch(name):
                yield name, at


def _path(context: str) -> Path:
    return cache_dir() / "rightsizing" / f"{context}.json"

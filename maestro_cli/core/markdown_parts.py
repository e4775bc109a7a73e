"""What every section of a document is made of. Invariant: a text that came from outside passes through `text`
or `core.untrusted.markdown_code`; times are UTC."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from maestro_cli.core.untrusted import markdown_text

# What may stand in a link's address as it is; anything else makes the address plain text.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9\-._~:/?#@!$&'*+,;=%]{1,1000}", re.IGNORECASE)


def text(value: object, limit: int = 300) -> str:
    return markdown_text(str(value), limit)


def at(instant: datetime | None) -> str:
    return "–" if instant is None else instant.strftime("%Y-%m-%d %H:%M:%S UTC")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def link(words: str, address: str) -> str:
    """A link to http or https; the words alone where the address is anything else."""
    return f"[{text(words, 80)}](<{address}>)" if _ADDRESS.fullmatch(address) else text(words, 80)

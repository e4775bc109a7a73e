"""Amounts of resources as words: `server/requests.cpu=500m`, `limits.memory-`; and who was killed for one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from maestro_cli.changes.model import KILLED_FOR_MEMORY

RESOURCE_WORD = re.compile(r"(?:([^/=]{1,63})/)?(requests|limits)\.(cpu|memory)(?:=(.{1,40})|(-))", re.DOTALL)
_KILLED = re.compile(rf"{KILLED_FOR_MEMORY} \(([a-z0-9-]+(?:, [a-z0-9-]+)*)\)")

Amounts = Mapping[tuple[str, str, str], str | None]  # by container, side and resource; None: to be removed


def amounts_in(parameters: Mapping[str, Any]) -> Amounts:
    """What a change of resources set, as its words are recorded; what is no such word is left out."""
    words = parameters.get("resources")
    matches = (
        RESOURCE_WORD.fullmatch(str(word)) for word in (words if isinstance(words, list | tuple) else ())
    )
    return {(of[1], of[2], of[3]): of[4] for of in matches if of is not None and of[1]}


def killed_text(pod: object, containers: Iterable[str]) -> str:
    """What a verification says of a pod of which containers were killed for their memory."""
    return f"{pod} {KILLED_FOR_MEMORY} ({', '.join(sorted(containers))})"


def killed_containers(text: str) -> frozenset[str]:
    """The containers that such a text names; none in the records of before they were named."""
    return frozenset(name for names in _KILLED.findall(text) for name in names.split(", "))

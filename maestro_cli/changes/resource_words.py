"""Amounts of resources as words: `server/requests.cpu=500m`, `limits.memory-`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

RESOURCE_WORD = re.compile(r"(?:([^/=]{1,63})/)?(requests|limits)\.(cpu|memory)(?:=(.{1,40})|(-))", re.DOTALL)

Amounts = Mapping[tuple[str, str, str], str | None]  # by container, side and resource; None: to be removed


def amounts_in(parameters: Mapping[str, Any]) -> Amounts:
    """What a change of resources set, as its words are recorded; what is no such word is left out."""
    words = parameters.get("resources")
    matches = (
        RESOURCE_WORD.fullmatch(str(word)) for word in (words if isinstance(words, list | tuple) else ())
    )
    return {(of[1], of[2], of[3]): of[4] for of in matches if of is not None and of[1]}

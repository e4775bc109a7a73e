"""Who is who. Invariant: a name written another way is no second person."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Who:
    """A name, and as whom the cluster knows them by their credentials; empty where nothing tells."""

    name: str
    identity: str = ""


def is_same_person(one: str, other: str) -> bool:
    """Whether two names are of one person: whatever their case, spaces around them and form of letters."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def why_no_second(first: Who, second: Who) -> str:
    """Why the second is not taken for somebody else than the first, as the second is told; else empty."""
    if is_same_person(first.name, second.name):
        return f"you are {second.name}, who asked for it"
    if second.identity and second.identity == first.identity:
        return f"you and {first.name} use the same credentials, those of {second.identity}"
    if first.identity and not second.identity:
        return f"{first.name} is {first.identity} to the cluster, and nothing tells who you are to it"
    return ""

"""Who is who. Invariant: a name written another way is no second person."""

from __future__ import annotations

import unicodedata


def is_same_person(one: str, other: str) -> bool:
    """Whether two names are of one person: whatever their case, spaces around them and form of letters."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())

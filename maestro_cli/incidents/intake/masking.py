"""The shape of a text: what stays when numbers, ids and quoted words are masked.

Invariant: two texts that differ only in masked parts have the same shape; masking twice changes nothing.
Linear time on any input: no nested repetition, and a text is cut before it is matched.
"""

from __future__ import annotations

import re

MAX_CHARACTERS = 2000

_MASKS = (
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "<uuid>"),
    (
        re.compile(
            r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?(?![0-9])", re.ASCII
        ),
        "<time>",
    ),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b", re.ASCII), "<addr>"),
    (re.compile(r'"[^"\n]{0,1000}"'), "<text>"),
    (re.compile(r"(?<!\w)'[^'\n]{0,1000}'(?!\w)"), "<text>"),
    (re.compile(r"\b0[xX][0-9a-fA-F]+\b"), "<hex>"),
    # What Kubernetes makes of names: <name>-<hash>-<5 characters>.
    (re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b"), "-<pod>"),
    # Hex needs a digit and a letter: `deadbeef` may be a word, `1234567890` is a number.
    (re.compile(r"\b(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{6,64}\b"), "<hex>"),
    (re.compile(r"(?<![A-Za-z<])[+-]?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII), "<n>"),
)
_SPACE = re.compile(r"\s+")


def shape(text: str) -> str:
    """The text with uuids, times, addresses, quoted strings, hex, pod names and numbers masked.

    One line, at most MAX_CHARACTERS of the input looked at.
    """
    masked = text[:MAX_CHARACTERS]
    for pattern, mask in _MASKS:
        masked = pattern.sub(mask, masked)
    return _SPACE.sub(" ", masked).strip()

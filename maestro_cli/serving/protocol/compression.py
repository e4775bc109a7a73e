"""Compressed request bodies.

Invariant: what is expanded is never larger than the limit, however little was sent.
"""

from __future__ import annotations

import zlib

from maestro_cli.serving.errors import RequestError, quoted

# Content-Encoding → window bits of zlib: `gzip` is RFC 1952, `deflate` the zlib format (RFC 9110, 8.4.1)
_CODINGS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
ACCEPTED = "gzip, deflate"


def expand(content: bytes, coding: str, limit_bytes: int) -> bytes:
    """The body as it was before it was compressed; `coding` is the header Content-Encoding.

    Raises RequestError: 415 for another coding, 413 beyond the limit, 400 for what is broken or followed by
    more.
    """
    name = coding.strip().lower()
    if name in ("", "identity"):
        return content
    if name not in _CODINGS:
        raise RequestError(
            f"Content-Encoding {quoted(coding)} is not read, only {ACCEPTED}", status=415, accept=ACCEPTED
        )
    reader = zlib.decompressobj(_CODINGS[name])
    try:
        expanded = reader.decompress(content, limit_bytes + 1)
    except zlib.error as error:
        raise RequestError(f"the body is not {name}") from error
    if len(expanded) > limit_bytes:
        raise RequestError(f"the body is larger than {limit_bytes} bytes once expanded", status=413)
    if not reader.eof:
        raise RequestError(f"the {name} body is cut short")
    if reader.unused_data:
        raise RequestError(f"bytes follow the end of the {name} body")
    return expanded

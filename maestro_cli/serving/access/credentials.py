"""What a request carries to say who sends it.

Invariant: a request says it once and plainly or is refused; nothing of a credential goes into an error.
"""

from __future__ import annotations

from maestro_cli.serving.access.keys import KEY_TEXT
from maestro_cli.serving.errors import ServingError
from maestro_cli.serving.protocol.http import Scope

CERTIFICATE = "maestro.certificate"  # of a scope: the common name in the client's verified certificate
_REALM = 'Bearer realm="maestro"'


class Unauthenticated(ServingError):
    """401: nobody we know, or nobody at all."""

    def __init__(self, text: str, *, was_given: bool = True) -> None:
        challenge = f'{_REALM}, error="invalid_token"' if was_given else _REALM
        super().__init__(401, text, www_authenticate=challenge)


class Forbidden(ServingError):
    """403: somebody we know, who may not."""

    def __init__(self, text: str) -> None:
        super().__init__(403, text)


def key_of(scope: Scope) -> tuple[str, str] | None:
    """Id and secret of the one key in the headers, None without one; raises Unauthenticated."""
    found = {_key_in(name, value) for name, value in scope["headers"] if name in _HEADERS}
    if len(found) > 1:
        raise Unauthenticated("more than one key was sent; send one")
    if not found:
        return None
    match = KEY_TEXT.fullmatch(found.pop())
    if match is None:
        raise Unauthenticated("what was sent is not a key: mk_<id>_<secret>")
    return match.group(1), match.group(2)


_HEADERS = (b"authorization", b"x-api-key")


def _key_in(name: bytes, value: bytes) -> str:
    text = value.decode("latin-1").strip(" \t")
    if name == b"x-api-key":
        return text
    scheme, _, rest = text.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("send the key as 'Authorization: Bearer mk_<id>_<secret>' or as 'x-api-key'")
    return rest.strip(" \t")

"""What a request or a model can do wrong. Invariant: each fault knows its HTTP status and one plain text."""

from __future__ import annotations

from maestro_cli.core.untrusted import visible


class ServingError(Exception):
    """An answer other than 200; `text` becomes the body's `error`."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = {name.replace("_", "-"): value for name, value in headers.items() if value}


class RequestError(ServingError):
    """The client's fault: 4xx."""

    def __init__(self, text: str, *, status: int = 400, allow: str = "", accept: str = "") -> None:
        # the Allow header of a 405, the Accept-Encoding of a 415
        super().__init__(status, text, allow=allow, accept_encoding=accept)


class ModelError(ServingError):
    """The model or the server failed on a request that its contract allows: 500, or 503 while not ready."""

    def __init__(self, text: str, *, status: int = 500) -> None:
        super().__init__(status, text)


class Overloaded(ServingError):
    """More is asked than can be done: 429, or 503 when it could not be done in time."""

    def __init__(self, text: str, *, status: int, retry_after_seconds: int) -> None:
        super().__init__(status, text, retry_after=str(retry_after_seconds))


class StartRefused(Exception):
    """The server cannot be what its options ask for; the text is the reason."""


class ArtefactRefused(Exception):
    """A model artefact was not loaded; the text is the reason the repository index shows."""


def quoted(text: str, limit: int = 64) -> str:
    """A client's string inside an error text: visible characters, capped, in quotes."""
    return f"'{visible(text, limit)}'"

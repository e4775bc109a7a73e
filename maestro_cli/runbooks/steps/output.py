"""Output of a process, kept small and clean.

Invariant: memory stays bounded whatever a process writes; a secret is replaced before the text is cut,
and a cut never leaves a part of one: what lies within MARGIN of a cut is dropped with it.
"""

from __future__ import annotations

from maestro_cli.core.redaction import Redactor

HEAD = TAIL = 4096  # characters kept of each end
RECENT = 5  # lines
MARGIN = 8192  # longer than any spelling of a secret


class Kept:
    """The first and the last bytes of a stream."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._seen = 0

    def add(self, data: bytes) -> None:
        self._seen += len(data)
        room = HEAD + MARGIN - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        if len(self._tail) > 2 * (TAIL + MARGIN):
            del self._tail[: -(TAIL + MARGIN)]

    def text(self, redactor: Redactor) -> str:
        """All of it when it is short, else head, a line that says how much is missing, and tail."""
        if self._seen <= len(self._head) + len(self._tail):
            whole = redactor.clean(_decode(self._head + self._tail))
            if len(whole) <= HEAD + TAIL:
                return whole
            head, tail = whole[:HEAD], whole[-TAIL:]
        else:
            head = redactor.clean(_decode(self._head))[:-MARGIN][:HEAD]
            tail = redactor.clean(_decode(self._tail[-(TAIL + MARGIN) :]))[MARGIN:][-TAIL:]
        missing = self._seen - len(head.encode("utf-8", "replace")) - len(tail.encode("utf-8", "replace"))
        return f"{head}\n… {missing} bytes not kept …\n{tail}"

    def recent(self, redactor: Redactor) -> str:
        """The last lines that are whole, for who watches. A line that still grows may hold half a secret."""
        data = bytes(self._head + self._tail)[-(TAIL + MARGIN) :]
        text = redactor.clean(_decode(data).replace("\r", "\n"))
        text = text[MARGIN:] if self._seen > len(data) else text
        return "\n".join(
            [line for line in text[: text.rfind("\n") + 1].split("\n") if line.strip()][-RECENT:]
        )

    def whole(self) -> str | None:
        """All of it as it was written, or None when it is longer than the head."""
        return _decode(self._head) if self._seen <= HEAD else None


def _decode(data: bytes | bytearray) -> str:
    return bytes(data).decode("utf-8", "replace")

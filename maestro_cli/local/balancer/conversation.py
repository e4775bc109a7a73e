"""Where a client and an endpoint stand in HTTP/1.1.

Invariant: `is_over` is True only between one whole answer and the next request; what cannot be read as
HTTP is never over, so nothing is concluded from it. `to_repeat` is all that was said of one request, and only
while asking it twice does what asking it once does, and no byte of its answer has passed.
"""

from __future__ import annotations

import httptools

# RFC 9110 section 9.2.2, without HEAD (see below); no proxy may ask anything else again by itself
_IDEMPOTENT = frozenset({b"GET", b"PUT", b"DELETE", b"OPTIONS", b"TRACE"})
_KEPT_BYTES = 65536


class Conversation:
    """Told the bytes of both sides, in the order they pass."""

    def __init__(self) -> None:
        self._asked = 0
        self._answered = 0
        self._is_opaque = False
        self._method = b""  # of the last request whose head is whole
        self._unheard: bytearray | None = bytearray()  # None: an answer has begun, or it is too much to keep
        self._requests = _Requests(self)
        self._answers = _Answers(self)
        self.says_goodbye = False  # an answer said that its connection ends with it

    @property
    def is_over(self) -> bool:
        """Everything that was asked is answered: whoever answers next need not be who answered before."""
        return not self._is_opaque and self._asked == self._answered

    @property
    def to_repeat(self) -> bytes:
        """What another endpoint may be asked when this one is gone; empty when it may not."""
        if self._is_opaque or self._asked - self._answered != 1 or self._method not in _IDEMPOTENT:
            return b""
        return bytes(self._unheard or b"")

    def ask(self, data: bytes) -> None:
        """Bytes of the client."""
        if self.is_over:
            self._unheard = bytearray()
        if self._unheard is not None:
            self._unheard += data
            if len(self._unheard) > _KEPT_BYTES:
                self._unheard = None
        self._read(self._requests.parser, data)

    def answer(self, data: bytes) -> None:
        """Bytes of the endpoint."""
        self._unheard = None
        self._read(self._answers.parser, data)

    def _read(self, parser: httptools.HttpRequestParser | httptools.HttpResponseParser, data: bytes) -> None:
        if self._is_opaque:
            return
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._is_opaque = True

    def request_began(self) -> None:
        self._asked += 1
        self._method = b""

    def head_is_whole(self, method: bytes) -> None:
        self._method = method
        if method == b"HEAD":  # its answer has a length and no body, which cannot be told from outside
            self._is_opaque = True

    def answer_is_whole(self, status: int, *, keeps: bool) -> None:
        if status < 200:  # «continue»: the answer is still to come
            return
        self._answered += 1
        self.says_goodbye = self.says_goodbye or not keeps


class _Requests:
    """What httptools calls while it reads the client."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self.parser = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self._conversation.request_began()

    def on_headers_complete(self) -> None:
        self._conversation.head_is_whole(self.parser.get_method())


class _Answers:
    """What httptools calls while it reads the endpoint."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self.parser = httptools.HttpResponseParser(self)

    def on_message_complete(self) -> None:
        keeps = self.parser.should_keep_alive()
        self._conversation.answer_is_whole(self.parser.get_status_code(), keeps=keeps)

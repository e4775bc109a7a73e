"""Where a client and an endpoint stand in HTTP/1.1.

Invariant: `is_over` is True only between one whole answer and the next request; what cannot be read as
HTTP is never over, so nothing is concluded from it.
"""

from __future__ import annotations

import httptools


class Conversation:
    """Told the bytes of both sides, in the order they pass."""

    def __init__(self) -> None:
        self._asked = 0
        self._answered = 0
        self._is_opaque = False
        self._requests = _Requests(self)
        self._answers = _Answers(self)
        self.says_goodbye = False  # an answer said that its connection ends with it

    @property
    def is_over(self) -> bool:
        """Everything that was asked is answered: whoever answers next need not be who answered before."""
        return not self._is_opaque and self._asked == self._answered

    def ask(self, data: bytes) -> None:
        """Bytes of the client."""
        self._read(self._requests.parser, data)

    def answer(self, data: bytes) -> None:
        """Bytes of the endpoint."""
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

    def request_is_whole(self, method: bytes) -> None:
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
        self._conversation.request_is_whole(self.parser.get_method())


class _Answers:
    """What httptools calls while it reads the endpoint."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self.parser = httptools.HttpResponseParser(self)

    def on_message_complete(self) -> None:
        keeps = self.parser.should_keep_alive()
        self._conversation.answer_is_whole(self.parser.get_status_code(), keeps=keeps)

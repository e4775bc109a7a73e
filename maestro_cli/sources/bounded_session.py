"""The requests session that prometheus-api-client talks through.

Invariant: every request has time-outs, no redirect is followed, bodies are read here up to a limit and a
deadline, and netrc credentials are never sent. A query too long for a URL goes as a form.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

MAX_QUERY_IN_URL = 6000
_CHUNK = 65_536


class HeaderAuth(AuthBase):
    """Adds headers made for each request; being an `auth`, it also keeps requests from reading netrc."""

    def __init__(self, headers: Callable[[], Mapping[str, str]]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers())
        return request


class BoundedSession(requests.Session):
    """Raises TimeoutError when the answer does not end in time, OverflowError when it is too large.

    `latest` is the latest answer in the calling thread: the library drops status, warnings and types.
    """

    def __init__(self, auth: HeaderAuth, *, timeouts: tuple[float, float], max_bytes: int) -> None:
        super().__init__()
        self.auth = auth
        self.headers["Accept"] = "application/json"
        self._timeouts = timeouts
        self._max_bytes = max_bytes
        self._answers = threading.local()
        self._surroundings: dict[tuple[Any, ...], Mapping[str, Any]] = {}

    @property
    def latest(self) -> requests.Response:
        """Raises AttributeError in a thread that asked nothing."""
        response: requests.Response = self._answers.latest
        return response

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As requests does it, within time and size."""
        deadline = time.monotonic() + self._timeouts[1]
        params = kwargs.get("params") or {}
        if method == "GET" and len(str(params.get("query", ""))) > MAX_QUERY_IN_URL:
            method, kwargs = "POST", {**kwargs, "params": None, "data": params}
        kwargs = {**kwargs, "timeout": self._timeouts, "allow_redirects": False, "stream": True}
        response = super().request(method, url, *args, **kwargs)
        try:
            body = self._read(response, deadline)
        finally:
            response.close()
        response._content = body  # what requests itself does when it does not stream
        self._answers.latest = response
        return response

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """The URL of a query is written here: it is no other's to quote, which takes as long as the rest."""
        told: Any = request.params
        if not isinstance(told, dict) or not told or "?" in str(request.url) or "#" in str(request.url):
            return super().prepare_request(request)
        request.params = {}
        prepared = super().prepare_request(request)
        prepared.url = f"{prepared.url}?{urlencode(told, doseq=True)}"
        return prepared

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """The proxies and certificates of the environment, looked up once a host: a fifth of each request."""
        if proxies:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        asked = (*urlsplit(str(url))[:2], stream, verify, cert)
        if asked not in self._surroundings:
            found = super().merge_environment_settings(url, {}, stream, verify, cert)
            self._surroundings[asked] = found
        return dict(self._surroundings[asked])

    def close(self) -> None:
        """Close the connections now; requests leaves them to the garbage collector."""
        for adapter in self.adapters.values():
            if isinstance(adapter, HTTPAdapter):
                pools = adapter.poolmanager.pools
                for key in pools.keys():  # noqa: SIM118 - not a dict
                    pools[key].close()
        super().close()

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > self._max_bytes:
                raise OverflowError(f"the answer is larger than {self._max_bytes} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError("the answer trickles in too slowly")
        return bytes(body)

"""Values put into requests: into URLs, headers and JSON.

Invariant: a value stays where it was put. In the host it is a host name, in the path and the query it is
percent-encoded, in a header it is one line, in JSON it is inside a string or a number; anything else is
refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import quote

from maestro_cli.core.errors import UsageError
from maestro_cli.runbooks.substitution import refused, replace

_URL = re.compile(r"(?P<scheme>https?://)(?P<host>[^/?#\s@]+)(?P<rest>[/?#]\S*)?")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_HOST_VALUE = re.compile(rf"{_HOST.pattern}|[0-9]{{1,5}}")
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")


def into_url(text: str, values: Mapping[str, str]) -> str:
    """The URL with its variables replaced; raises UsageError when it is none."""
    match = _URL.fullmatch(text)
    if match is None:
        raise UsageError("the address is not an http or https URL", fix="write https://HOST/PATH")
    host = replace(match.group("host"), values, _host)
    if not _HOST.fullmatch(host):
        raise UsageError(f"{host!r} is not a host", fix="write HOST or HOST:PORT")
    return match.group("scheme") + host + replace(match.group("rest") or "/", values, _part)


def into_header(text: str, values: Mapping[str, str]) -> str:
    """One header's value with its variables replaced; raises UsageError when it cannot be sent."""
    return replace(text, values, _line)


def into_json(text: str, values: Mapping[str, str]) -> str:
    """A JSON text with its variables replaced; raises UsageError when it is no JSON then."""
    parts, end = [], 0
    for match in _JSON_STRING.finditer(text):
        parts += [replace(text[end : match.start()], values, _number)]
        parts += [replace(match.group(0), values, lambda _, value: json.dumps(value)[1:-1])]
        end = match.end()
    whole = "".join(parts) + replace(text[end:], values, _number)
    try:
        json.loads(whole)
    except (ValueError, RecursionError) as error:
        raise UsageError("the body is not JSON", why=str(error)) from error
    return whole


def _host(name: str, value: str) -> str:
    if not _HOST_VALUE.fullmatch(value):
        raise refused(name, value, "here only a host, or a host and port, may stand")
    return value


def _part(name: str, value: str) -> str:
    if value in (".", ".."):
        raise refused(name, value, "it would lead to another path")
    return quote(value, safe="")


def _line(name: str, value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise refused(name, value, "a header holds one line of plain characters")
    return value


def _number(name: str, value: str) -> str:
    if not _NUMBER.fullmatch(value):
        raise refused(name, value, 'outside quotes only a number may stand; write "$' + name + '"')
    return value

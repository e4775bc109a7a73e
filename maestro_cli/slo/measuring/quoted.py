"""Selectors with names in quotes, as Prometheus 3 has them: which series have the labels they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from maestro_cli.slo.measuring.selectors import METRIC, QUOTED

_NAME = re.compile(rf"\s*(?:(?P<plain>{METRIC})\s*\{{|\{{\s*(?P<quoted>{QUOTED})\s*(?=[,}}]))")
_MATCHER = re.compile(
    rf"(?P<label>{QUOTED}|[a-zA-Z_][a-zA-Z0-9_]*)\s*(?P<sign>=~|!~|!=|=)\s*(?P<value>{QUOTED})"
)


def labelled(selector: str) -> Iterator[tuple[str, str]]:
    """Each label that a series has to have, as it is written, and a selector of the series that have it.

    Nothing for what names no metric.
    """
    name = _NAME.match(selector)
    if name is None:
        return
    metric = name["quoted"] or name["plain"]
    for match in _MATCHER.finditer(selector, name.end()):
        if match["sign"].startswith("=") and match["value"][1:-1]:
            has = f'{match["label"]}!=""'
            yield match["label"], f"{{{metric},{has}}}" if name["quoted"] else f"{metric}{{{has}}}"

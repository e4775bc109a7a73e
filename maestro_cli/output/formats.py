"""The choices after `-o`. Invariant: one word, one writer; a wrong word says what there is."""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.core.errors import UsageError

KINDS = ("table", "wide", "json", "yaml", "csv", "md", "html")


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of output; `path` is the template after `jsonpath=`."""

    kind: str = "table"
    path: str = ""


def parse_format(text: str) -> Format:
    """Read `table`, `wide`, `json`, `yaml`, `csv`, `md`, `html` or `jsonpath=TEMPLATE`; raises UsageError."""
    if text in KINDS:
        return Format(text)
    if text.startswith("jsonpath="):
        return Format("jsonpath", text.removeprefix("jsonpath="))
    raise UsageError(f"{text!r} is not an output format", fix=f"-o {'|'.join(KINDS)}|jsonpath=TEMPLATE")

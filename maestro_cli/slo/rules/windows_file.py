"""Burn windows that people chose, as Sloth's AlertWindows v1.

Invariant: a short window is inside its long one.

Format: https://sloth.dev/slo-period-windows/, `apiVersion: sloth.slok.dev/v1`, `kind: AlertWindows`; a folder
has one file a period.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from maestro_cli.config.strict import Document, parse_yaml_all, read_text
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.slo.windows import BurnWindow

_ENDINGS = (".yaml", ".yml")


class _Window(msgspec.Struct, forbid_unknown_fields=True):
    errorBudgetPercent: float
    shortWindow: str
    longWindow: str


class _Pair(msgspec.Struct, forbid_unknown_fields=True):
    quick: _Window
    slow: _Window


class _Spec(msgspec.Struct, forbid_unknown_fields=True):
    sloPeriod: str
    page: _Pair
    ticket: _Pair


class WindowsFile(msgspec.Struct, forbid_unknown_fields=True):
    """A file of windows for one period."""

    apiVersion: Literal["sloth.slok.dev/v1"]
    kind: Literal["AlertWindows"]
    spec: _Spec


def read_windows(path: Path) -> dict[float, tuple[BurnWindow, ...]]:
    """By period in seconds. Raises InvalidFile, also for a period that comes twice."""
    try:
        files = sorted(one for one in path.iterdir() if one.suffix in _ENDINGS) if path.is_dir() else [path]
    except OSError as error:
        raise InvalidFile("cannot be read", file=str(path), why=error.strerror or "") from error
    found: dict[float, tuple[BurnWindow, ...]] = {}
    for file in files:
        for document in parse_yaml_all(read_text(file), str(file)):
            spec = document.decode(WindowsFile).spec
            period = _seconds(document, spec.sloPeriod, ("spec", "sloPeriod"))
            if period in found:
                raise document.fail("has windows already", ("spec", "sloPeriod"))
            found[period] = tuple(_windows(document, spec, period))
    if not found:
        raise InvalidFile("has no windows", file=str(path), fix="kind: AlertWindows")
    return found


def _windows(document: Document, spec: _Spec, period: float) -> Iterator[BurnWindow]:
    for severity, pair in (("page", spec.page), ("ticket", spec.ticket)):
        for speed, one in (("quick", pair.quick), ("slow", pair.slow)):
            at = ("spec", severity, speed)
            long = _seconds(document, one.longWindow, (*at, "longWindow"))
            short = _seconds(document, one.shortWindow, (*at, "shortWindow"))
            if short >= long or long > period:
                raise document.fail(
                    "is not inside the longer one", (*at, "shortWindow" if short >= long else "longWindow")
                )
            if not 0 < one.errorBudgetPercent <= 100:
                raise document.fail("is not above 0 and at most 100", (*at, "errorBudgetPercent"))
            factor = one.errorBudgetPercent / 100 * period / long
            yield BurnWindow(severity, round(factor, 12), long, short)


def _seconds(document: Document, text: str, at: tuple[str, ...]) -> float:
    try:
        seconds = parse_duration_seconds(text)
    except ValueError as error:
        raise document.fail(str(error), at) from error
    if seconds <= 0 or seconds % 1:
        raise document.fail("is not a whole number of seconds", at)
    return seconds

"""Amounts as Kubernetes takes them: whole millicores, whole MiB, never less than was meant."""

from __future__ import annotations

import math

from maestro_cli.cost.rightsizing.model import MIB

_NOISE = 1e-9  # relative: 0.1 · 1.15 · 1000 is 115.00000000000001 as floats have it, and means 115


def whole_millicores(cores: float, least: float) -> float:
    """Up to a whole millicore, at least `least` cores."""
    return max(_up(cores * 1000) / 1000, least)


def whole_mebibytes(size: float, least: float) -> float:
    """Up to a whole MiB, at least `least` bytes."""
    return max(_up(size / MIB) * MIB, least)


def _up(value: float) -> int:
    return math.ceil(value - abs(value) * _NOISE)

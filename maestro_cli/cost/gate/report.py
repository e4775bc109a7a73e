"""What a gate decided about a change of manifests, with all that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from maestro_cli.core.errors import ExitCode
from maestro_cli.core.verdict import Verdict
from maestro_cli.cost.gate.model import Assumed, Comparison, Judged, Scale


@dataclass(frozen=True, slots=True)
class GateReport:
    """`exit_code` is true, `ends_with` what was not waived of it; `files` were written, by what they are."""

    comparison: Comparison
    judged: tuple[Judged, ...]
    verdict: Verdict | None
    exit_code: ExitCode
    ends_with: ExitCode
    scale: Scale
    currency: str
    old: str
    new: str
    prices: str
    prices_since: datetime
    assumed: Assumed
    files: Mapping[str, str]

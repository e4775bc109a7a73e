"""The seal of a truth: what was decided before anything broke, and that it was not changed afterwards.

Invariant: pure; nobody can tell the truth from the digest, for its secret is not known before it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maestro_cli.core.canonical import digest


@dataclass(frozen=True, slots=True)
class Opened:
    """What was under a seal: the truth as plain data, and the secret that it was sealed with."""

    truth: Mapping[str, Any]
    secret: str

    @property
    def digest(self) -> str:
        """What the seal of this truth has to be."""
        return digest({"secret": self.secret, "truth": self.truth})

"""The pods that a fault met beside those that were left alone, by the same counts over the same time. Pure.

Invariant: the hour was bad where the control arm was bad for certain, and the treated one not told from it.
What cannot be told blames and excuses nobody.

An arm is bad where even the lower bound of its share of bad requests is more than `most` (bounds of both arms
together hold with 1 − ALPHA, however often one looks: core.sequential). The treated arm is worse where the
test that takes a canary back says so: three times the control's share of bad requests (changes.canary).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from maestro_cli.changes.canary.decision import no_worse
from maestro_cli.changes.canary.model import Rules
from maestro_cli.core.quantities import format_share
from maestro_cli.core.sequential import bounds
from maestro_cli.core.verdict import Verdict

ALPHA = 0.05
TIMES = Rules(worse=3.0)


class Blame(Enum):
    """What the two arms together say of a deviation."""

    FAULT = "the fault: the treated pods alone were bad, or far worse"
    HOUR = "the hour: pods that were left alone were as bad"
    NOBODY = "neither arm was bad for certain"
    UNKNOWN = "not known: an arm was not counted"


@dataclass(frozen=True, slots=True)
class Arm:
    """Pods, and how many of their requests were bad; None: nobody counted."""

    pods: tuple[str, ...]
    bad: float | None
    of: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """An arm with the bounds of its share of bad requests (0 to 1)."""

    pods: tuple[str, ...]
    bad: float | None
    of: float | None
    low: float = 0.0
    high: float = 1.0

    @property
    def counts(self) -> str:
        """In few characters, for a line that is redrawn."""
        return "not counted" if self.bad is None or not self.of else f"{self.bad:.0f}/{self.of:.0f} bad"

    @property
    def words(self) -> str:
        if self.bad is None or not self.of:
            return "not counted"
        share = f"{format_share(self.low)} to {format_share(self.high)}"
        return f"{self.bad:.0f} of {self.of:.0f} bad ({share})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both arms over `seconds`; an arm is bad above `most` (0 to 1)."""

    blame: Blame
    treated: Figures
    control: Figures
    most: float
    seconds: float

    @property
    def words(self) -> str:
        return f"treated {self.treated.words}; left alone {self.control.words}; {self.blame.value}"


def compare(treated: Arm, control: Arm, most: float, seconds: float) -> Comparison:
    """What a deviation in that time is to be blamed on; an arm is well up to a share of `most` bad."""
    ours, others = _figures(treated), _figures(control)
    return Comparison(_blame(ours, others, most), ours, others, most, seconds)


def _blame(treated: Figures, control: Figures, most: float) -> Blame:
    if not treated.of or not control.of or treated.bad is None or control.bad is None:
        return Blame.UNKNOWN
    test = no_worse(treated.bad, treated.of, control.bad, control.of, TIMES)
    if test.verdict is Verdict.FAIL:
        return Blame.FAULT
    if control.low > most:
        return Blame.HOUR
    return Blame.FAULT if treated.low > most else Blame.NOBODY


def _figures(arm: Arm) -> Figures:
    """Increases are extrapolated: a part may come out larger than its whole."""
    if arm.bad is None or arm.of is None or arm.of <= 0:
        return Figures(arm.pods, arm.bad, arm.of)
    bad = min(max(arm.bad, 0.0), arm.of)
    return Figures(arm.pods, bad, arm.of, *bounds(bad, arm.of, ALPHA / 2))

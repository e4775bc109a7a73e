"""What a canary is, what was counted of it, and what is decided about it.

Invariant: frozen. A criterion without enough data is INDETERMINATE, and one such criterion makes the decision
`hold`: nothing is promoted or taken back on a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from maestro_cli.core.refs import ObjectRef, WorkloadRef
from maestro_cli.core.verdict import Judgement


@dataclass(frozen=True, slots=True)
class Tally:
    """What one version did since the canary began; None is what nobody knows.

    `bad_lately` of `requests_lately` are those of the last five minutes. `right` of `judged` answers turned
    out right, where something judges them. `seconds` is what its requests took, summed.
    """

    requests: float | None
    errors: float | None
    slow: float | None = None
    measured: float | None = None  # requests whose time was measured
    seconds: float | None = None
    requests_lately: float | None = None
    bad_lately: float | None = None
    right: float | None = None
    judged: float | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """By what a canary is judged.

    `worse`: so many times the stable version's share of errors, or of slow requests, is too bad. `alpha` is
    the chance to take back one that is no worse, `beta` to let one pass that is. `target`: the share of
    requests that may not fail (its objective). `margin`: of the stable version's share of right answers.
    `most_per_million` is in the currency of the context's prices, None for no such criterion.
    """

    worse: float = 3.0
    alpha: float = 0.01
    beta: float = 0.05
    target: float = 0.999
    slow_seconds: float = 0.2
    margin: float = 0.95
    deadline_seconds: float = 3600.0
    right: str = ""
    judged: str = ""
    most_per_million: float | None = None

    @property
    def alpha_each(self) -> float:
        """Of each test, so that all of them together take back at most `alpha` of those that are no worse."""
        return self.alpha / (3 if self.right and self.judged else 2)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else counts: pods that crash again and again, and what a million predictions of each cost now."""

    crashing: tuple[str, ...] = ()
    per_million: float | None = None
    stable_per_million: float | None = None


class Verb(Enum):
    """What to do with a canary now."""

    PROMOTE = "promote"
    ABORT = "abort"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Criterion:
    name: str
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Decision:
    """`why` is the criterion that decided, in words."""

    verb: Verb
    why: str
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a decision is expected to take, None where it cannot be told: `if_bad`, `if_good`, in seconds.

    `why` says from what, or why it cannot be told.
    """

    if_bad: float | None
    if_good: float | None
    why: str


@dataclass(frozen=True, slots=True)
class Canary:
    """One canary as the journal has it; `change` gave it its share, `ending` is the change that ends it.

    A version of a model beside the stable one, by the routing of `ref`; or, when `beside` names the stable
    Deployment, the Deployment `ref` as a whole: then there is no model, and both versions are 0.
    """

    id: str
    ref: ObjectRef
    model: str
    version: int
    stable: int
    share: float
    actor: str
    rules: Rules
    change: str
    started_at: datetime
    ending: str = ""
    ended_as: str = ""
    beside: str = ""

    @property
    def name(self) -> str:
        return str(self.ref) if self.beside else f"{self.model}@{self.version}"

    @property
    def stable_ref(self) -> WorkloadRef:
        """The stable Deployment, of a canary that is one."""
        return WorkloadRef("Deployment", self.ref.namespace, self.beside)

    @property
    def stable_name(self) -> str:
        return str(self.stable_ref) if self.beside else f"{self.model}@{self.stable}"

    @property
    def arms(self) -> tuple[str, str]:
        """The canary and the stable one, by the names that their requests are counted by."""
        return (self.ref.name, self.beside) if self.beside else (str(self.version), str(self.stable))

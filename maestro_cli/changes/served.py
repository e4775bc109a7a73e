"""What a change does to those who are served, as a plan tells it. Invariant: what is not known is None."""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.core.refs import ObjectRef

_GRAVE = ("sev1", "sev2")


@dataclass(frozen=True, slots=True)
class Traffic:
    """How much of a Service's traffic ends at most (0 to 1), and the zones that still have a ready endpoint.

    `zones_left` is None when nobody knows which endpoints end.
    """

    service: str
    share: float
    zones_left: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class BudgetTouched:
    """An objective of the target: the shares of its error budget that are left, and burnt at worst.

    None where that is not known. `low` and `high` are what is left of the budget of `window` at least and at
    most, by what was not seen; None in old records, and where nothing is known.
    """

    objective: str
    left: float | None
    burn: float | None
    low: float | None = None
    high: float | None = None
    window: str = ""


@dataclass(frozen=True, slots=True)
class Impact:
    """What the change does to those who are served, and the open incidents that concern its target."""

    traffic: tuple[Traffic, ...] = ()
    budgets: tuple[BudgetTouched, ...] = ()
    incidents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that people respond to; `workload` as it prints, or empty. `severity`: `sev1` and so on."""

    name: str
    namespace: str
    workload: str
    severity: str = ""

    @property
    def words(self) -> str:
        return f"{self.name} ({self.severity})" if self.severity else self.name

    def hurts(self, ref: ObjectRef) -> bool:
        """Whether it is about that workload, or is grave and may be: in its namespace, or nowhere named."""
        if self.workload == str(ref):
            return True
        return self.severity in _GRAVE and self.namespace in ("", ref.namespace)

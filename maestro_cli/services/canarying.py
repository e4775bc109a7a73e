"""Canaries of a context: its routing, its Prometheus, its prices, its journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.changes.canary import register
from maestro_cli.changes.canary.decision import told
from maestro_cli.changes.canary.examination import Examination, examine, expected
from maestro_cli.changes.canary.model import Canary, Rules, Verb
from maestro_cli.core.errors import GateNotMet, MaestroError, TimedOut, UsageError
from maestro_cli.core.quantities import format_duration, parse_duration_seconds

if TYPE_CHECKING:
    from maestro_cli.changes.model import Plan
    from maestro_cli.core.progress import Progress
    from maestro_cli.core.refs import ObjectRef
    from maestro_cli.services.root import Services


def start_plan(services: Services, ref: ObjectRef, asked: dict[str, object], rules: Rules) -> Plan:
    """Plan the start, and say how long a decision needs at this traffic."""
    from maestro_cli.output.diagnostics import note

    if not asked["share"]:
        raise UsageError("a canary without traffic decides nothing", fix="--share 10%")
    plan = services.changes.plan("set-traffic", ref, asked)
    share, model = plan.parameters["share"], plan.parameters["model"]
    found = expected(services, ref, model, share, rules, services.clock.now())
    note(f"a decision needs {told(found)}")
    longest = max(filter(None, (found.if_bad, found.if_good)), default=None)
    if longest is None or longest > rules.deadline_seconds:
        deadline = format_duration(rules.deadline_seconds)
        note(f"it may still be undecided after {deadline}, and is held then: give it a larger share")
    return plan


def running(services: Services, ref: ObjectRef, model: str) -> Canary:
    return register.get_running(services.journal, ref, model)


def look(services: Services, ref: ObjectRef, model: str) -> Examination:
    """The canary and the decision about it, now."""
    canary = running(services, ref, model)
    return examine(services, canary, services.clock.now(), _per_million(services, canary))


def promote_plan(services: Services, ref: ObjectRef, model: str, *, anyway: bool) -> Plan:
    """Plan the promotion; raises GateNotMet when the decision is another, unless that is passed over."""
    found = look(services, ref, model)
    if found.decision.verb is not Verb.PROMOTE and not anyway:
        raise GateNotMet(
            f"the decision about {model}@{found.canary.version} is to {found.decision.verb.value} it",
            why=found.decision.why,
            fix="wait (maestro canary watch), abort it, or promote it --anyway",
        )
    return services.changes.plan("promote", ref, {"model": model, "version": found.canary.version})


def abort_plan(services: Services, ref: ObjectRef, model: str) -> Plan:
    """Plan to have the stable version answer all requests again; needs no metrics."""
    canary = running(services, ref, model)
    asked = {"model": model, "version": canary.version, "share": 0.0}
    return services.changes.plan("set-traffic", ref, asked)


def watch(services: Services, ref: ObjectRef, model: str, every: str, progress: Progress) -> Examination:
    """Look until it is decided; raises TimedOut at the canary's deadline, Interrupted. Ends nothing."""
    seconds = _seconds(every, "--every")
    while True:
        found = look(services, ref, model)
        progress.update(f"{found.decision.verb.value}: {found.decision.why}")
        if found.decision.verb is not Verb.HOLD:
            return found
        if found.overdue:
            raise TimedOut(
                f"{model}@{found.canary.version} is undecided after"
                f" {format_duration(found.canary.rules.deadline_seconds)}, and is held",
                why=found.decision.why,
                fix="give it a larger share, promote it --anyway, or abort it",
            )
        services.cancellation.pause(seconds)


def rules_of(
    worse: float, objective: float, slow: str, deadline: str, margin: float, right: str, judged: str,
    most_per_million: float | None,
) -> Rules:  # fmt: skip
    """The rules as people write them; raises UsageError."""
    for value, name, low, high in (
        (worse, "--worse", 1, 1000), (objective, "--objective", 0, 100), (margin, "--margin", 0, 1),
    ):  # fmt: skip
        if not low < value < high and not (name == "--margin" and value == 1):
            raise UsageError(f"{value:g} makes no sense for {name}", fix=f"above {low}, below {high}")
    if bool(right) is not bool(judged):
        raise UsageError("accuracy needs both counters", fix="--right SELECTOR --judged SELECTOR")
    return Rules(
        worse=worse,
        target=objective / 100,
        slow_seconds=_seconds(slow, "--slow"),
        deadline_seconds=_seconds(deadline, "--deadline"),
        margin=margin,
        right=right,
        judged=judged,
        most_per_million=most_per_million,
    )


def _seconds(text: str, option: str) -> float:
    try:
        seconds = parse_duration_seconds(text)
    except ValueError as error:
        raise UsageError(str(error), fix=f"{option} 5m") from error
    if seconds <= 0:
        raise UsageError(f"{option} is to be above 0")
    return seconds


def _per_million(services: Services, canary: Canary) -> float | None:
    """What a million predictions cost now, of the namespace's one service that is known; None without."""
    if canary.rules.most_per_million is None or not canary.ref.namespace:
        return None
    from maestro_cli.services.costing import UnitCostWanted, find_unit_costs

    try:
        found = find_unit_costs(services, UnitCostWanted(namespace=canary.ref.namespace, window="10m"))
    except MaestroError:
        return None
    known = [item.per_million for item in found.items if item.per_million is not None]
    return known[0] if len(known) == 1 else None

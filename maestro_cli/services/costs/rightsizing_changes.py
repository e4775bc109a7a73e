"""Right-sizing as a change: what may be set next of one workload, planned as every other change is."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from maestro_cli.changes.history import last_applied
from maestro_cli.changes.kinds.set_resources import WATCH_SECONDS
from maestro_cli.changes.model import Risk, plan_digest
from maestro_cli.changes.offering import offered
from maestro_cli.core.errors import GateNotMet, UsageError
from maestro_cli.core.quantities import format_duration, parse_duration_seconds
from maestro_cli.core.refs import ref_of
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.rightsizing.advice import Advice, AutoscalerStep, ContainerAdvice
from maestro_cli.cost.rightsizing.amounts import cores, size

if TYPE_CHECKING:
    from maestro_cli.changes.model import Plan
    from maestro_cli.changes.offering import Plans
    from maestro_cli.services.costs.rightsizing import RightsizingWanted
    from maestro_cli.services.costs.root import CostServices


NO_OBJECTIVE = "no-objective"
RESIZED_LATELY = "resized-lately"


def plans_rightsizing(services: CostServices, workload: str, wanted: RightsizingWanted) -> Plans:
    """The next step of one workload, and then the target of its autoscaler, each planned once the one before
    is done. Raises GateNotMet where nothing may be set, with all reasons."""
    return Course(services, (workload,), wanted).plans()


class Course:
    """The next step of each of several workloads, one after the other, each with that of its autoscaler.

    Each change is planned once those before it are done. In this order a cut that is taken back leaves the
    autoscaler as it is, and until its target moves there are too many pods at most and never too few: it
    adds pods at once, and takes some away after minutes. Invariant: every workload is known, and there once,
    before anything is set.
    """

    def __init__(self, services: CostServices, workloads: Sequence[str], wanted: RightsizingWanted) -> None:
        """Raises UsageError, NotFound."""
        refs = [services.workload_ref(one, wanted.namespace) for one in workloads]
        if twice := next((str(ref) for ref in refs if refs.count(ref) > 1), ""):
            why = "one step is made of each"
            raise UsageError(f"{twice} is named twice", why=why, fix="leave one of them out")
        for ref in refs if len(refs) > 1 else ():
            services.cluster.get_workload(ref)
        self._services, self._wanted, self._left = services, wanted, [str(ref) for ref in refs]
        self._target = ""
        self._advice: Advice | None = None

    def plans(self) -> Plans:
        """Raises GateNotMet where nothing of one may be set, with all reasons."""
        while self._left:
            yield from self._of(self._left[0])
            self._target = ""
            del self._left[0]

    def _of(self, workload: str) -> Plans:
        yield from offered(partial(self._sizes, workload))
        advice = self._advice
        scaler = None if advice is None else advice.autoscaler
        if advice is None or scaler is None:
            return
        namespace = advice.workload.namespace
        self._target = shlex.join(
            ("maestro", "set", "hpa", "-n", namespace, scaler.name, "--cpu", f"{scaler.next}")
        )
        yield from offered(partial(self._new_target, advice, scaler))

    def _sizes(self, workload: str) -> Plan:
        advice = self._advice = _advice(self._services, workload, self._wanted)
        check_settable(advice)
        plan = partial(_resources, self._services, workload, self._wanted, advice)
        scaler = advice.autoscaler
        if scaler is None:
            return plan()
        _check_target(self._services, advice, scaler)
        return _with_note(plan(), scaler)

    def _new_target(self, advice: Advice, scaler: AutoscalerStep) -> Plan:
        """The bounds stay, whoever moved them; a target that somebody moved meanwhile is not moved again."""
        _check_target(self._services, advice, scaler)
        ref = ref_of("HorizontalPodAutoscaler", advice.workload.namespace, scaler.name)
        return self._services.changes.plan("scale-hpa", ref, {"cpu": scaler.next})

    def rest(self) -> str:
        """The commands for what is not done; the target that goes with resources that are set comes first."""
        wanted, left = self._wanted, self._left[1:] if self._target else self._left
        look = ("--window", wanted.window, "--least-history", wanted.least_history)
        commands = [self._target] if self._target else []
        if left:
            commands.append(shlex.join(("maestro", "cost", "rightsize", "apply", *left, *look)))
        return " && ".join(commands)


def _check_target(services: CostServices, advice: Advice, scaler: AutoscalerStep) -> None:
    """Before anything is done: its target is what the metrics said, and one that can be set."""
    found = services.cluster.get_autoscaler(advice.workload.namespace, scaler.name)
    if found.cpu_target is None:
        raise GateNotMet(
            f"the target of {found.ref} cannot be set with the resources",
            why="it has no metric of the share of the CPU request, as the metrics say it has",
            fix=f"maestro cost rightsize --workload {advice.workload} --format kubectl",
        )
    if found.cpu_target != scaler.now:
        raise GateNotMet(
            f"{found.ref} scales at {found.cpu_target} % and not at {scaler.now:g} %, as the metrics say",
            why="what goes with the new requests is reckoned from there",
            fix="in a minute, when the metrics tell it too",
        )


def _with_note(plan: Plan, scaler: AutoscalerStep) -> Plan:
    text = (
        f"after it the target of its autoscaler {visible(scaler.name, 60)} goes from {scaler.now:g} % to "
        f"{scaler.next} % of the CPU request; until then it may want more pods"
    )
    made = replace(plan, notes=(*plan.notes, text))
    return replace(made, digest=plan_digest(made))


def _advice(services: CostServices, workload: str, wanted: RightsizingWanted) -> Advice:
    found = services.rightsizing(replace(wanted, workloads=(workload,)))
    (advice,) = found.items
    return advice


def _resources(services: CostServices, workload: str, wanted: RightsizingWanted, advice: Advice) -> Plan:
    ref = services.workload_ref(workload, wanted.namespace)
    words = [word for one in advice.containers for word in _words(one)]
    timeout = services.policy.verify_timeout_seconds + WATCH_SECONDS
    plan = services.changes.plan("set-resources", ref, {"resources": words}, timeout_seconds=timeout)
    return _with_risks(plan, (*_unguarded(advice), *_resized_lately(services, plan, wanted, advice)))


def _with_risks(plan: Plan, risks: Sequence[Risk]) -> Plan:
    """Each has to be accepted by its name."""
    if not risks:
        return plan
    made = replace(plan, risks=(*plan.risks, *risks))
    return replace(made, digest=plan_digest(made))


def _unguarded(advice: Advice) -> Iterator[Risk]:
    """A cut that no objective watches: that it hurts would show to nobody."""
    if advice.cuts and not advice.budgets:
        yield Risk(
            NO_OBJECTIVE,
            f"no objective guards {advice.workload}",
            "a size that is too small shows in errors and slow answers, and nothing would tell or undo it",
        )


def _resized_lately(
    services: CostServices, plan: Plan, wanted: RightsizingWanted, advice: Advice
) -> Iterator[Risk]:
    """A cut by what was measured under another size: a change halves at most, and so many do not."""
    if not advice.cuts:
        return
    now, target = services.clock.now(), plan.target
    since = now - timedelta(seconds=parse_duration_seconds(wanted.least_history))
    last = last_applied(services.journal, target.ref, target.uid, plan.kind, since)
    if last is not None:
        yield Risk(
            RESIZED_LATELY,
            f"{target.ref} was resized {format_duration((now - last.at).total_seconds())} ago ({last.id})",
            f"less than {wanted.least_history} was measured since: the rest was used under another size",
        )


def check_settable(advice: Advice) -> None:
    """Raises GateNotMet where nothing may be set."""
    if not advice.changes:
        steps = [step for one in advice.containers for step in (one.cpu, one.memory)]
        reasons = dict.fromkeys(reason.text for step in steps for reason in step.reasons)
        raise GateNotMet(
            f"nothing of {advice.workload} may be set",
            why="; ".join(reasons) or "its size is right within 5 %",
            fix=f"maestro cost rightsize --workload {advice.workload} -o json has the evidence",
        )


def _words(one: ContainerAdvice) -> Iterator[str]:
    """Of what differs, and nothing else."""
    for side in ("requests", "limits"):
        field = side.removesuffix("s")
        for resource, shown in (("cpu", cores), ("memory", size)):
            now, next_ = (getattr(of, f"{resource}_{field}") for of in (one.now, one.next))
            if next_ is not None and next_ != now:
                yield f"{one.container.container}/{side}.{resource}={shown(next_)}"

"""Right-sizing of one workload whole: every step, what each rule says, and the evidence with its queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maestro_cli.core.money import money
from maestro_cli.core.quantities import format_duration, format_share
from maestro_cli.cost.rightsizing.amounts import cores, mebibytes, size
from maestro_cli.output.renderers.cost_rightsize import STEP_TONES
from maestro_cli.output.views import Column, Fields, Heading, Lines, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.cost.rightsizing.advice import Advice, ContainerAdvice, Step
    from maestro_cli.cost.rightsizing.facts import Fact
    from maestro_cli.cost.rightsizing.model import Amount
    from maestro_cli.cost.rightsizing.report import Rightsizing


@dataclass(frozen=True, slots=True)
class _Line:
    """One resource of one container, and what each rule wants of it."""

    container: str
    resource: str
    step: Step
    own: Amount
    krr: Amount
    vpa: Amount
    shown: Callable[[float | None], str | None]
    about: Callable[[float | None], str | None]  # of a rule whose amounts are not whole


def sizing_view(found: Rightsizing) -> Report:
    """Of the workloads that were looked at, usually one."""
    blocks: list[Fields | Heading | Lines | Listing[Any]] = []
    for advice in found.items:
        lines = [line for one in advice.containers for line in _lines(one)]
        blocks += [
            Fields(list(_head(found, advice))),
            _steps(lines),
            *_prose("Why", list(dict.fromkeys(_reasons(lines)))),
            *_prose("Suggested", [one.text for one in advice.suggestions]),
            *_prose("Evidence", list(map(_evidence, dict.fromkeys(_facts(advice))))),
        ]
    blocks += _prose("Notes", list(found.notes))
    document = {"context": found.context, "workloads": [str(one.workload) for one in found.items]}
    return Report("sizing/v1", document, tuple(blocks))


def _lines(one: ContainerAdvice) -> Iterator[_Line]:
    name = one.container.container
    yield _Line(name, "cpu", one.cpu, one.own.cpu, one.krr.cpu, one.vpa.cpu, cores, cores)
    yield _Line(name, "memory", one.memory, one.own.memory, one.krr.memory, one.vpa.memory, size, mebibytes)


def _head(found: Rightsizing, advice: Advice) -> Iterator[tuple[str, object]]:
    yield "workload", str(advice.workload)
    yield "replicas", advice.replicas
    yield "from", found.start
    yield "to", found.end
    yield "window", format_duration((found.end - found.start).total_seconds())
    yield "enough", f"{format_duration(found.least_seconds)} of history"
    hours = [one.pod_hours for one in advice.containers]
    yield "measured", f"{max(hours):,.1f} hours of pods" if hours else None
    saving = found.saving
    claim = None if saving is None else saving.claims.get(advice.workload)
    if saving is None:
        yield "claimable", "not known: nothing prices the machines"
    elif claim is None or claim.monthly is None:
        yield "claimable", "not known: nothing prices its nodes"
    else:
        yield "claimable", f"{money(claim.monthly, saving.currency)} a month, of requests"
    yield "sets", ", ".join(word for one in advice.containers for word in _set_words(one)) or "nothing now"
    scaler = advice.autoscaler
    if scaler is not None:
        yield "autoscaler", f"{scaler.name}: its CPU target goes from {scaler.now:g} % to {scaler.next} %"
    for fact in advice.budgets:
        left = "not known" if fact.value is None else f"{format_share(fact.value)} left"
        yield "error budget", f"{left}: {fact.what}"


def _set_words(one: ContainerAdvice) -> Iterator[str]:
    """Requests and limits that are other next, as the change names them."""
    for side in ("request", "limit"):
        for resource, shown in (("cpu", cores), ("memory", size)):
            now, later = (getattr(of, f"{resource}_{side}") for of in (one.now, one.next))
            if later is not None and later != now:
                was = shown(now) or "none"
                yield f"{one.container.container} {resource} {side} {was} → {shown(later)}"


def _steps(lines: list[_Line]) -> Listing[_Line]:
    columns: tuple[Column[_Line], ...] = (
        Column("container", lambda line: line.container),
        Column("resource", lambda line: line.resource, priority=1),
        Column("step", lambda line: line.step.decision.value, tone=_tone, priority=1),
        Column("now", lambda line: line.shown(line.step.now), right=True, priority=1),
        Column("next", lambda line: line.shown(line.step.next), right=True, priority=1),
        Column("in the end", lambda line: line.shown(line.step.goal), right=True, priority=1),
        Column("own rule", lambda line: line.shown(line.own.request), right=True),
        Column("krr", lambda line: line.shown(line.krr.request), right=True),
        Column("vpa", lambda line: line.about(line.vpa.request), right=True),
    )
    return Listing("sizing-steps/v1", columns, lines, empty="no container was seen")


def _tone(line: _Line) -> str:
    return STEP_TONES.get(line.step.decision, "")


def _reasons(lines: list[_Line]) -> Iterator[str]:
    for line in lines:
        for reason in line.step.reasons:
            yield f"{line.container} {line.resource}: {reason.text}"


def _facts(advice: Advice) -> Iterator[Fact]:
    for one in advice.containers:
        yield from one.facts
        for step in (one.cpu, one.memory):
            for reason in step.reasons:
                yield from reason.facts
    for told in advice.suggestions:
        yield from told.facts
    yield from advice.budgets


def _evidence(fact: Fact) -> str:
    """What was observed, and below it the query that tells it again."""
    value = "not measured" if fact.value is None else f"{fact.value:,.6g}"
    return f"{fact.what}: {value}\n    {fact.query}"


def _prose(title: str, lines: list[str]) -> list[Heading | Lines]:
    return [Heading(title), Lines("\n".join(lines))] if lines else []

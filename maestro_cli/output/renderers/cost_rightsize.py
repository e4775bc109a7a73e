"""Right-sizing as a view: one row a container, what each rule says, what is refused and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from maestro_cli.core.quantities import counted, format_duration, format_share
from maestro_cli.cost.rightsizing.advice import Advice, ContainerAdvice, Decision, Reason, Step, Suggestion
from maestro_cli.cost.rightsizing.amounts import cores, mebibytes, monthly, size
from maestro_cli.output.money import amount_cell
from maestro_cli.output.renderers.cost_autoscalers import set_command
from maestro_cli.output.renderers.cost_pictures import saving_picture
from maestro_cli.output.views import Block, Column, Fields, Heading, Lines, Listing, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from maestro_cli.cost.rightsizing.facts import Fact
    from maestro_cli.cost.rightsizing.model import Amount, Proposal, Size, WorkloadId
    from maestro_cli.cost.rightsizing.report import Rightsizing
    from maestro_cli.cost.rightsizing.saving import Realised, Saving

Row = tuple[Advice, ContainerAdvice]
STEP_TONES = {
    Decision.CUT: "good",
    Decision.RAISE: "warn",
    Decision.REFUSED: "bad",
    Decision.INSUFFICIENT: "dim",
}


def rightsizing_view(found: Rightsizing) -> Report:
    """JSON has every workload with its steps, rules, reasons and facts, and both savings apart."""
    rows = [(advice, one) for advice in found.items for one in advice.containers]
    listing = _containers(found, rows)
    blocks: list[Block] = [Fields(list(rightsizing_head(found))), listing]
    picture = None if found.saving is None else saving_picture(found.saving)
    if picture is not None:
        blocks.append(picture)
    refused = [f"{one.workload}: {reason.text}" for one in found.items for reason in one.refused]
    if refused:
        blocks += [Heading("Refused"), Lines("\n".join(refused))]
    suggested = [(one, told) for one in found.items for told in one.suggestions]
    if suggested:
        blocks += [
            Heading("Suggested"),
            Lines("\n".join(_told(one, told) for one, told in suggested)),
        ]
    if found.notes:
        blocks += [Heading("Notes"), Lines("\n".join(found.notes))]
    return Report("rightsizing/v1", _document(found), tuple(blocks), _figures(found, rows), "Right-sizing")


def rightsizing_head(found: Rightsizing) -> Iterator[tuple[str, object]]:
    """What was looked at, and what it saves, claimable and realisable apart."""
    yield "from", found.start
    yield "to", found.end
    yield "window", format_duration((found.end - found.start).total_seconds())
    counts = found.decisions
    yield "steps", ", ".join(f"{counts[one]} {one.value}" for one in Decision if counts[one]) or "none"
    saving = found.saving
    if saving is None:
        return
    yield "claimable", f"{monthly(saving.claimable, saving.currency) or 'not known'} a month, of requests"
    realisable, later = (_realisable(one, saving.currency) for one in (saving.realised, saving.at_goals))
    yield "realisable", realisable
    if later != realisable:
        yield "after all steps", later
    yield from _apart(saving)
    if saving.unpriced:
        yield "unpriced", ", ".join(saving.unpriced)


def _realisable(realised: Realised | None, currency: str) -> str:
    if realised is None:
        return "not known: there are no nodes in the metrics"
    price = monthly(realised.monthly, currency) or "not priced"
    share = "" if realised.share is None else f", {format_share(realised.share)} of what nodes cost"
    needed = f"; {counted(len(realised.needed), 'node')} that could go now stay" if realised.needed else ""
    return f"{price} a month: {len(realised.gone)} of {realised.nodes} nodes go away{share}{needed}"


def _apart(saving: Saving) -> Iterator[tuple[str, object]]:
    """What is no saving of right-sizing, or hinders one."""
    realised = saving.realised
    if realised is not None and realised.before.go:
        price = monthly(realised.anyway, saving.currency) or "not priced"
        yield "goes anyway", f"{price} a month: pods need {len(realised.before.go)} of the nodes not even now"
    if realised is not None and realised.before.waiting:
        yield "waiting", f"{counted(realised.before.waiting, 'pod')} without a place"


def _containers(found: Rightsizing, rows: list[Row]) -> Listing[Row]:
    claims = {} if found.saving is None else {of: one.monthly for of, one in found.saving.claims.items()}
    columns = container_columns(claims, "" if found.saving is None else found.saving.currency)
    return Listing("rightsizing-containers/v1", columns, rows, document=_row, empty="no container was seen")


def _figures(found: Rightsizing, rows: list[Row]) -> Listing[Row]:
    """The same for programs (CSV): numbers, in the units of their titles."""
    saving = found.saving
    claims = {} if saving is None else saving.claims
    month = "" if saving is None else f"{saving.currency} "

    def claimed(row: Row) -> float | None:
        claim = claims.get(row[0].workload)
        return None if claim is None else amount_cell(claim.monthly)

    return Listing(
        "rightsizing-figures/v1",
        (
            Column("workload", lambda row: str(row[0].workload)),
            Column("container", lambda row: row[1].container.container),
            Column("replicas", lambda row: row[0].replicas),
            *_figures_of("cpu", "cores"),
            *_figures_of("memory", "bytes"),
            Column(f"{month}a month of the workload", claimed),
            Column("why", lambda row: _why(row[1])),
        ),
        rows,
    )


def _figures_of(resource: str, unit: str) -> Iterator[Column[Row]]:
    """What is asked for now, next and in the end, what became of it, and what the other rules say."""

    def step(row: Row) -> Step:
        found: Step = getattr(row[1], resource)
        return found

    def rule(name: str) -> Callable[[Row], float | None]:
        return lambda row: getattr(getattr(row[1], name), resource).request

    yield Column(f"{resource} {unit}", lambda row: step(row).now)
    yield Column(f"next {resource} {unit}", lambda row: step(row).next)
    yield Column(f"{resource} {unit} in the end", lambda row: step(row).goal)
    yield Column(f"{resource} limit {unit}", lambda row: getattr(row[1].now, f"{resource}_limit"))
    yield Column(f"next {resource} limit {unit}", lambda row: getattr(row[1].next, f"{resource}_limit"))
    yield Column(f"{resource} step", lambda row: step(row).decision.value)
    yield Column(f"krr {resource} {unit}", rule("krr"))
    yield Column(f"vpa {resource} {unit}", rule("vpa"))


def container_columns(claims: Mapping[WorkloadId, float | None], currency: str) -> tuple[Column[Row], ...]:
    """`claims` are what a workload's requests would cost less in a month."""
    return (
        Column("workload", lambda row: str(row[0].workload)),
        Column("container", lambda row: row[1].container.container, priority=3),
        Column("replicas", lambda row: row[0].replicas, right=True, priority=3),
        Column("cpu", lambda row: _cpu(row[1]), tone=_tone("cpu"), priority=1),
        Column("krr", lambda row: cores(row[1].krr.cpu.request), right=True, priority=3),
        Column("vpa", lambda row: cores(row[1].vpa.cpu.request), right=True, priority=3),
        Column("memory", lambda row: _memory(row[1]), tone=_tone("memory"), priority=1),
        Column("krr memory", lambda row: size(row[1].krr.memory.request), right=True, priority=3),
        Column("vpa memory", lambda row: mebibytes(row[1].vpa.memory.request), right=True, wide=True),
        Column(
            "a month",
            lambda row: monthly(claims.get(row[0].workload), currency),
            right=True,
            priority=2,
        ),
        Column("why", lambda row: _why(row[1]), priority=2, folds=True),
    )


def _tone(resource: str) -> Callable[[Row], str]:
    return lambda row: STEP_TONES.get(getattr(row[1], resource).decision, "")


def _cpu(one: ContainerAdvice) -> str:
    return _change(one.cpu, cores) + _limit(one.now.cpu_limit, one.next.cpu_limit, cores)


def _memory(one: ContainerAdvice) -> str:
    return _change(one.memory, size) + _limit(one.now.memory_limit, one.next.memory_limit, size)


def _limit(now: float | None, later: float | None, shown: Callable[[float | None], str | None]) -> str:
    """`, limit 2 → 1`, where it changes with the request."""
    return "" if now == later else f", limit {shown(now) or 'none'} → {shown(later) or 'none'}"


def _change(step: Step, shown: Callable[[float | None], str | None]) -> str:
    """`2 → 1`, or the word of what became of it."""
    now = shown(step.now) or "none"
    if step.changes:
        later = "" if step.goal == step.next else f" (later {shown(step.goal)})"
        return f"{now} → {shown(step.next)}{later}"
    return now if step.decision is Decision.KEEP else f"{now} ({step.decision.value})"


def _why(one: ContainerAdvice) -> str:
    """Without the halving, which the columns show."""
    reasons = [reason for step in (one.cpu, one.memory) for reason in step.reasons]
    texts = [reason.text for reason in reasons if reason.code != "step"]
    return "; ".join(dict.fromkeys(texts))


def _document(found: Rightsizing) -> dict[str, Any]:
    return {
        "context": found.context,
        "window": {
            "start": found.start,
            "end": found.end,
            "seconds": (found.end - found.start).total_seconds(),
            "enough_seconds": found.least_seconds,
        },
        "decisions": {one.value: found.decisions[one] for one in Decision},
        "saving": _saving(found),
        "items": [_advice(found, one) for one in found.items],
        "notes": list(found.notes),
    }


def _saving(found: Rightsizing) -> dict[str, Any] | None:
    saving = found.saving
    if saving is None:
        return None
    return {
        "currency": saving.currency,
        "claimable_per_month": saving.claimable,
        "realisable": _realised(saving.realised),
        "realisable_after_all_steps": _realised(saving.at_goals),
        "unpriced": list(saving.unpriced),
    }


def _realised(realised: Realised | None) -> dict[str, Any] | None:
    if realised is None:
        return None
    return {
        "per_month": realised.monthly,
        "bill_per_month": realised.bill,
        "share": realised.share,
        "nodes": realised.nodes,
        "nodes_that_go": list(realised.gone),
        "nodes_that_have_to_stay": list(realised.needed),
        "nodes_that_could_go_now": list(realised.before.go),
        "could_go_now_per_month": realised.anyway,
        "pods_waiting": realised.before.waiting,
        "fewest_nodes_by_sums": realised.after.bound,
    }


def _advice(found: Rightsizing, one: Advice) -> dict[str, Any]:
    claim = None if found.saving is None else found.saving.claims.get(one.workload)
    scaler = one.autoscaler
    return {
        "namespace": one.workload.namespace,
        "kind": one.workload.kind,
        "name": one.workload.name,
        "replicas": one.replicas,
        "claimable_per_month": None if claim is None else claim.monthly,
        "containers": [_container(of) for of in one.containers],
        "autoscaler": None
        if scaler is None
        else {"name": scaler.name, "cpu_target": scaler.now, "next_cpu_target": scaler.next},
        "guarded": bool(one.budgets),
        "budgets": [_fact(fact) for fact in one.budgets],
        "suggestions": [_suggestion(told) for told in one.suggestions],
    }


def _row(row: Row) -> dict[str, Any]:
    of = row[0].workload
    return {"namespace": of.namespace, "kind": of.kind, "name": of.name, **_container(row[1])}


def _container(one: ContainerAdvice) -> dict[str, Any]:
    return {
        "container": one.container.container,
        "now": _size(one.now),
        "next": _size(one.next),
        "cpu": _step(one.cpu),
        "memory": _step(one.memory),
        "rules": {"maestro": _proposal(one.own), "krr": _proposal(one.krr), "vpa": _proposal(one.vpa)},
        "pod_hours": one.pod_hours,
        "hours": one.hours,
        "place": one.place.value,
        "facts": [_fact(fact) for fact in one.facts],
    }


def _size(of: Size) -> dict[str, float | None]:
    return {
        "cpu_request": of.cpu_request,
        "cpu_limit": of.cpu_limit,
        "memory_request": of.memory_request,
        "memory_limit": of.memory_limit,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "decision": step.decision.value,
        "now": step.now,
        "goal": step.goal,
        "next": step.next,
        "reasons": [_reason(reason) for reason in step.reasons],
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {"code": reason.code, "text": reason.text, "facts": [_fact(fact) for fact in reason.facts]}


def _told(one: Advice, told: Suggestion) -> str:
    text = f"{one.workload}: {told.text}"
    return text if told.move is None else f"{text}: {set_command(one.workload.namespace, told.move)}"


def _suggestion(told: Suggestion) -> dict[str, Any]:
    move = told.move
    return {
        "code": told.code,
        "text": told.text,
        "facts": [_fact(fact) for fact in told.facts],
        "autoscaler": None
        if move is None
        else {"name": move.name, "min": move.least, "max": move.most, "cpu_target": move.cpu},
    }


def _fact(fact: Fact) -> dict[str, Any]:
    return {"what": fact.what, "query": fact.query, "value": fact.value}


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return {"cpu": _amount(proposal.cpu), "memory": _amount(proposal.memory)}


def _amount(amount: Amount) -> dict[str, Any]:
    return {
        "request": amount.request,
        "limit": amount.limit,
        "lowest": amount.lowest,
        "highest": amount.highest,
        "why": amount.why,
    }

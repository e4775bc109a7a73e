"""May this change be made? A pure answer from the plan, the policy, the consent and what was found out.

Invariant: every reason is given, not only the first; consent opens no gate but the one that asks for it.

About disruption budgets: a rolling update is no eviction, so the cluster itself would let it pass. The
budget still says how many pods the service can spare, so a change that ends pods without headroom is
refused while the workload is well: a drain or another failure is using the headroom up, and this on top of
it may bring the service down. It is never refused while the workload is not fully available: then the missing
headroom is the outage that the change is to end. Where availability does not show the damage (a release
that answers, but wrongly), the risk `disruption-budget` can be accepted by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from maestro_cli.changes.model import Approval, Consent, Gate, GateDecision, GateReason, Plan, plan_digest
from maestro_cli.changes.policy import Policy
from maestro_cli.changes.rules import Caller, Judgement, barring, freezes_of_everything
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.facts.cluster import AccessAnswer
from maestro_cli.core.quantities import counted
from maestro_cli.core.untrusted import visible

_NEVER = datetime.max.replace(tzinfo=UTC)  # told no time, every approval has expired
DISRUPTION_BUDGET = "disruption-budget"


@dataclass(frozen=True, slots=True)
class Findings:
    """What the gate cannot know from the plan.

    `access`: an answer for each permission of the kind. `repeated`: what the kind has against doing it
    again so soon. `approval`: the newest that was given, whether it still holds `now` or not. `judged`: what
    each rule of the policy file says.
    """

    access: Sequence[AccessAnswer] = ()
    repeated: GateReason | None = None
    approval: Approval | None = None
    judged: Sequence[Judgement] = ()
    now: datetime = _NEVER


def decide(plan: Plan, policy: Policy, consent: Consent, findings: Findings) -> GateDecision:
    """Allowed, refused with every reason (the gravest first), or waiting for a second person."""
    reasons = (
        *_policy(plan, policy),
        *(judgement.reason for judgement in findings.judged if judgement.refuses),
        *_access(findings.access, plan),
        *_plan(plan, consent),
        *_disruption(plan, consent),
        *([] if findings.repeated is None else [findings.repeated]),
        *_consent(policy, consent),
    )
    warnings = tuple(_warnings(plan, consent))
    if reasons:
        return GateDecision(Gate.REFUSED, reasons, warnings)
    needed = tuple(_second_person(plan, policy, findings.judged))
    if not needed:
        return GateDecision(Gate.ALLOWED, (), warnings)
    missing = tuple(_lacking(findings.approval, plan, findings.now, findings.judged))
    if findings.approval is not None and not missing:
        approved = f"approved by {findings.approval.by}, until {findings.approval.until:%H:%M:%S}Z"
        return GateDecision(Gate.ALLOWED, (), (*warnings, approved))
    reason = GateReason(
        "second-person", ExitCode.WAITING_APPROVAL, "a second person has to approve this change",
        why="; ".join((*needed, *missing)),
        fix=f"somebody else: maestro approve {plan.id}; then: maestro change resume {plan.id}",
    )  # fmt: skip
    return GateDecision(Gate.WAITING, (reason,), warnings)


def against_step(policy: Policy, consent: Consent, now: datetime) -> tuple[GateReason, ...]:
    """Why a step of a runbook that alters the world, but is no change, must not start; the gravest first.

    What it touches is not known, so nothing is asked that a plan answers: access, blast radius, rules of who
    may do what to which target.
    """
    frozen = () if policy.rules is None else tuple(freezes_of_everything(policy.rules, now))
    return (
        *_read_only(policy),
        *(judgement.reason for judgement in frozen),
        *_consent(policy, consent),
    )


def _second_person(plan: Plan, policy: Policy, judged: Sequence[Judgement]) -> Iterator[str]:
    """Why one person is not enough."""
    for judgement in judged:
        if judgement.asks:
            yield f"{judgement.place}: the policy's rule {judgement.rule!r} asks for two"
    yield from (risk.what for risk in plan.risks if risk.two_person)
    if policy.protected and plan.undo is None:
        yield f"context {policy.context} is protected, and this cannot be undone"


def _lacking(
    approval: Approval | None, plan: Plan, now: datetime, judged: Sequence[Judgement]
) -> Iterator[str]:
    """What is wrong with an approval that was given, whatever policy its giver worked with."""
    if approval is None:
        return
    second = Caller(approval.by, approval.identity)
    bar = barring(judged, second)
    if bar is not None:
        yield f"{second.name} approved it, and is none of those whom the rule {bar.rule!r} names"
    if approval.digest != plan.digest:
        yield f"{approval.by} approved another plan ({approval.digest[:12]})"
    if approval.until <= now:
        yield f"the approval of {approval.by} expired at {approval.until:%H:%M:%S}Z"


def _read_only(policy: Policy) -> Iterator[GateReason]:
    if policy.read_only:
        yield GateReason(
            "read-only", ExitCode.POLICY_REFUSED, f"context {policy.context} is read-only",
            why="--read-only, MAESTRO_READ_ONLY or read_only of the context or its policy is set",
            fix="unset it where it is set, if you mean to change this cluster",
        )  # fmt: skip


def _policy(plan: Plan, policy: Policy) -> Iterator[GateReason]:
    yield from _read_only(policy)
    share, cap = plan.blast.namespace_share, policy.max_replicas_share
    if cap < 1 and share is None:
        yield GateReason(
            "blast-radius", ExitCode.POLICY_REFUSED, "the blast radius cannot be established",
            why=f"max_replicas_share is {cap:g}, and the pods of the namespace cannot be read",
            fix="ask for permission to list pods",
        )  # fmt: skip
    elif share is not None and share > cap:
        yield GateReason(
            "blast-radius", ExitCode.POLICY_REFUSED,
            f"the change ends {share:.0%} of the namespace's replicas",
            why=f"max_replicas_share of context {policy.context} is {cap:.0%}",
            fix="raise max_replicas_share of this context, if that is meant",
        )  # fmt: skip


def _access(answers: Sequence[AccessAnswer], plan: Plan) -> Iterator[GateReason]:
    namespace = plan.target.ref.namespace
    for answer in answers:
        if not answer.allowed:
            permission = f"{answer.verb} {answer.resource}"
            yield GateReason(
                "access", ExitCode.REFUSED,
                f"you may not {permission}{f' in namespace {namespace}' if namespace else ''}",
                why=visible(answer.reason, 300) or "the cluster's access review says no",
                fix=f"ask for a role that allows: {permission}",
            )  # fmt: skip


def _plan(plan: Plan, consent: Consent) -> Iterator[GateReason]:
    if plan_digest(plan) != plan.digest:
        yield GateReason(
            "digest", ExitCode.GATE_NOT_MET, "the plan is not what its digest says", fix="plan again"
        )
    if consent.digest and consent.digest != plan.digest:
        yield GateReason(
            "digest", ExitCode.GATE_NOT_MET, "consent was given to another plan",
            why=f"agreed to {consent.digest[:12]}, this is {plan.digest[:12]}", fix="look at this plan",
        )  # fmt: skip
    yield from plan.objections
    for risk in plan.risks:
        if risk.code not in consent.accepts:
            fix = f"if that is meant: --accept {risk.code}"
            yield GateReason(risk.code, ExitCode.GATE_NOT_MET, risk.what, risk.why, fix)


def _disruption(plan: Plan, consent: Consent) -> Iterator[GateReason]:
    if plan.blast.waits or plan.blast.headroom != 0 or not plan.was_up or not plan.blast.replicas_ended:
        return
    if DISRUPTION_BUDGET in consent.accepts:
        return
    names = ", ".join(budget.name for budget in plan.blast.budgets if budget.allowed == 0)
    yield GateReason(
        DISRUPTION_BUDGET, ExitCode.GATE_NOT_MET, f"disruption budget {names} has no headroom",
        why=f"{plan.target.ref} is fully available now, and the budget can spare none of its pods",
        fix=f"wait until the other disruption is over, or accept the risk {DISRUPTION_BUDGET} by name",
    )  # fmt: skip


def _consent(policy: Policy, consent: Consent) -> Iterator[GateReason]:
    if not consent.given:
        yield GateReason(
            "consent", ExitCode.GATE_NOT_MET, "nobody agreed to this change",
            why="there was no answer to a prompt, and --yes was not given", fix="add --yes",
        )  # fmt: skip
    if policy.protected and consent.typed_context != policy.context:
        yield GateReason(
            "protected", ExitCode.GATE_NOT_MET, f"context {policy.context} is protected",
            why="its name was not typed" if not consent.typed_context else "another name was typed",
            fix=f"type the name of the context ({policy.context}) when asked; --yes does not do it",
        )  # fmt: skip


def _warnings(plan: Plan, consent: Consent) -> Iterator[str]:
    yield from plan.cautions
    if plan.blast.replicas_ended and not plan.blast.replicas_after and not plan.blast.waits:
        yield f"{plan.target.ref} will have no replica left to answer"
    if plan.blast.nodes_left == 0:
        yield "no node will be left that takes new pods"
    for budget in plan.blast.budgets:
        if budget.allowed > 0:
            continue
        if plan.blast.waits:
            yield f"disruption budget {budget.name} has no headroom now; the pods under it are waited for"
            continue
        state = (
            f"{budget.healthy} of {counted(budget.expected, 'pod')} healthy, {budget.desired_healthy} wanted"
        )
        if not plan.was_up:
            yield f"disruption budget {budget.name} has no headroom ({state}); not held against a rescue"
        elif DISRUPTION_BUDGET in consent.accepts:
            yield f"disruption budget {budget.name} has no headroom ({state}); the risk was accepted"
    for text in plan.blast.blind:
        yield f"could not read the {text}"
    for change in plan.blast.recent:
        who = f" by {change.actor}" if change.actor else ""
        yield f"changed within the hour: {change.id}, {change.kind}{who} ({change.state})"

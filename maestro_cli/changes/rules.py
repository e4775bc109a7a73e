"""What each rule of a policy says of one plan.

Invariant: pure, and complete: there is a judgement for every rule, also for those that do not matter, so that
what the gate refuses and what is explained is the same. What is not known does not pass a cap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from maestro_cli.changes.concern import named, namespaces_of, nowhere, why_about
from maestro_cli.changes.left import Left
from maestro_cli.changes.model import GateReason, Plan
from maestro_cli.changes.policy_file import Budget, Freeze, PolicyRules, Rule, Window
from maestro_cli.core.cron import began_at
from maestro_cli.core.errors import ExitCode
from maestro_cli.core.quantities import counted
from maestro_cli.slo.policy import Standing, consequence_between


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the actor's name, and as whom the cluster knows them (empty when it does not tell)."""

    actor: str
    identity: str = ""

    @property
    def name(self) -> str:
        return self.identity or self.actor


@dataclass(frozen=True, slots=True)
class Judgement:
    """One rule over one plan. `why` says why it matched or did not, and what it found.

    `refuses`: the change may not be made; `unknown`: because something could not be measured. `asks`: a
    second person has to approve it, one of `approvers` (patterns; None: anybody).
    """

    rule: str
    place: str
    matched: bool
    why: str
    refuses: bool = False
    asks: bool = False
    unknown: bool = False
    approvers: tuple[str, ...] | None = None
    fix: str = ""

    def may_approve(self, second: Caller) -> bool:
        return self.approvers is None or _any(self.approvers, second.name)

    @property
    def reason(self) -> GateReason:
        """The refusal, for the gate."""
        return GateReason(
            "policy", ExitCode.NO_DATA if self.unknown else ExitCode.POLICY_REFUSED,
            f"the policy's rule {self.rule!r} refuses this change",
            why=f"{self.place}: {self.why}", fix=self.fix or _FIX,
        )  # fmt: skip


def barring(judged: Sequence[Judgement], second: Caller) -> Judgement | None:
    """The first of the rules that ask for a second person by which this one's word does not count."""
    return next((one for one in judged if one.asks and not one.may_approve(second)), None)


_NOTHING: Mapping[str, Left] = {}
_FIX = "ask who keeps the policy; every rule is explained by: maestro policy explain CHANGE"


def judge(
    rules: PolicyRules, plan: Plan, caller: Caller, now: datetime, budgets: Mapping[str, Left] = _NOTHING
) -> tuple[Judgement, ...]:
    """A judgement for every rule, in the order of the file; `budgets` is what is left of each objective's."""
    return (
        *_namespaces(rules, plan),
        *_each_rule(rules, plan, caller),
        *_each_freeze(rules, plan, now),
        *_each_budget(rules, plan, budgets),
    )


def _namespaces(rules: PolicyRules, plan: Plan) -> Iterator[Judgement]:
    """Of the target, and of what ends or is written elsewhere: a node is in none, and its pods are.

    What else is in none, or may be in any, is not shown to be inside.
    """
    allowed = rules.content.namespaces
    if allowed is None:
        return
    place, touched, unknown = rules.place("namespaces"), namespaces_of(plan), nowhere(plan)
    outside = [namespace for namespace in touched if namespace not in allowed]
    among = f"among {', '.join(allowed) or 'none'}"
    if outside:
        why = f"namespace {', '.join(outside)} is not {among}"
        yield Judgement("namespaces", place, True, why, refuses=True)
    elif unknown:
        why = f"nothing shows that the namespace of {unknown} is {among}"
        yield Judgement("namespaces", place, True, why, refuses=True)
    elif not touched:
        yield Judgement("namespaces", place, False, f"{plan.target.ref} is in no namespace")
    else:
        yield Judgement("namespaces", place, True, f"namespace {', '.join(touched)} may be changed")


def _each_rule(rules: PolicyRules, plan: Plan, caller: Caller) -> Iterator[Judgement]:
    for index, rule in enumerate(rules.content.rules):
        place = rules.place("rules", index)
        unlike = _unlike(rule, plan)
        if unlike:
            yield Judgement(rule.name, place, False, unlike)
            continue
        against = (*_who(rule, caller), *_caps(rule, plan))
        among = "" if rule.approvers is None else f", of {', '.join(rule.approvers) or 'nobody'}"
        asked = [f"a second person has to approve it{among}"] if rule.two_person else []
        why = "; ".join((*against, *asked)) or "nothing in it speaks against this change"
        why = _also(rule, plan) + why
        yield Judgement(
            rule.name,
            place,
            True,
            why,
            refuses=bool(against),
            asks=rule.two_person,
            approvers=None if rule.approvers is None else tuple(rule.approvers),
        )


def _each_freeze(rules: PolicyRules, plan: Plan, now: datetime) -> Iterator[Judgement]:
    for index, (freeze, window) in enumerate(zip(rules.content.freezes, rules.windows, strict=True)):
        yield _frozen(freeze, window, rules.place("freezes", index), plan, now)


def freezes_of_everything(rules: PolicyRules, now: datetime) -> Iterator[Judgement]:
    """The freezes that hold now whatever is changed: those that name neither kinds nor targets nor labels."""
    for index, (freeze, window) in enumerate(zip(rules.content.freezes, rules.windows, strict=True)):
        if not (freeze.kinds or freeze.targets or freeze.selector):
            judged = _held(freeze, window, rules.place("freezes", index), "", now)
            if judged.refuses:
                yield judged


def _frozen(freeze: Freeze, window: Window, place: str, plan: Plan, now: datetime) -> Judgement:
    unlike = _unlike(freeze, plan)
    if unlike:
        return Judgement(freeze.name, place, False, unlike)
    return _held(freeze, window, place, _also(freeze, plan), now)


def _held(freeze: Freeze, window: Window, place: str, also: str, now: datetime) -> Judgement:
    start = began_at(window.cron, window.zone, window.duration, now)
    if start is None:
        local = now.astimezone(window.zone)
        return Judgement(freeze.name, place, False, f"at {local:%a %H:%M} {freeze.zone} it does not hold")
    begin, end = (at.astimezone(window.zone) for at in (start, start + window.duration))
    span = f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} {freeze.zone}"
    return Judgement(freeze.name, place, True, f"{also}frozen from {span}", refuses=True)


def _each_budget(rules: PolicyRules, plan: Plan, budgets: Mapping[str, Left]) -> Iterator[Judgement]:
    for index, budget in enumerate(rules.content.budgets):
        place, unlike = rules.place("budgets", index), _unlike(budget, plan)
        if unlike:
            yield Judgement(budget.name, place, False, unlike)
            continue
        left, also = budgets.get(budget.name, Left(None, "it was not measured")), _also(budget, plan)
        name = f"the error budget of {budget.objective}" + (f" of {left.window}" if left.window else "")
        is_overspent = left.share is not None and left.share < 0
        is_left = also + (f"{name} is {left.words}" if is_overspent else f"{left.words} of {name} is left")
        if left.bounds is None:
            why = f"{also}what is left of {name} is not known: {left.why}"
            yield Judgement(budget.name, place, True, why, refuses=True, unknown=True)
        elif budget.by_standing:
            yield _by_standing(budget, place, plan, left.bounds, is_left)
        else:
            yield _by_share(budget, place, left.bounds, is_left, left.why)


def _by_share(
    budget: Budget, place: str, bounds: tuple[float, float], is_left: str, unseen: str
) -> Judgement:
    """Enough at least passes; too little at most refuses; between them it is not known."""
    low, high = (one > budget.left_at_least or one == budget.left_at_least > 0 for one in bounds)
    if low:
        return Judgement(budget.name, place, True, is_left)
    why = f"{is_left}, more than {budget.left_at_least:.0%} is wanted"
    if high:
        told = f"{why}; {unseen}" if unseen else why
        fix = "wait until more of it was seen, or let the rule weigh what Prometheus keeps: `window: 7d`"
        return Judgement(budget.name, place, True, told, refuses=True, unknown=True, fix=fix)
    asks = budget.two_person
    return Judgement(budget.name, place, True, why, refuses=not asks, asks=asks)


def _by_standing(
    budget: Budget, place: str, plan: Plan, bounds: tuple[float, float], is_left: str
) -> Judgement:
    """What the budget policy says: refused in a freeze, asked of a second person near one, canaries small."""
    found = consequence_between(*bounds)
    why = f"{is_left}: {found.standing.value}, {found.sentence}"
    if found.standing in (Standing.FREEZE, Standing.UNKNOWN):
        unknown = found.standing is Standing.UNKNOWN
        return Judgement(budget.name, place, True, why, refuses=True, unknown=unknown)
    share = plan.blast.canary_share
    if share is not None and share > found.canary_share:
        why = f"{why}; this gives a new version {share:.3g} of the traffic"
        fix = f"give it {found.canary_share:g} at most, until more of the budget is left"
        return Judgement(budget.name, place, True, why, refuses=True, fix=fix)
    return Judgement(budget.name, place, True, why, asks=not found.features)


def _unlike(rule: Rule | Freeze | Budget, plan: Plan) -> str:
    """Why a rule is not about this change; empty when it is."""
    kinds, targets = rule.kinds, rule.targets
    if kinds and plan.kind not in kinds:
        return f"it is about {', '.join(kinds)}, and this is a {plan.kind}"
    if why_about(rule, plan) is None:
        if targets:
            of = f" with the labels {rule.selector}" if rule.selector else ""
            return f"it is about {', '.join(targets)}{of}, and this changes {named(plan)}"
        return f"it is about what has the labels {rule.selector}, and {named(plan)} has not"
    if not isinstance(rule, Rule) and plan.kind in rule.but:
        return f"a {plan.kind} is let through"
    return ""


def _also(rule: Rule | Freeze | Budget, plan: Plan) -> str:
    """What but the target makes a rule be about this change, before what it says of it."""
    why = why_about(rule, plan)
    return f"{why}: " if why else ""


def _who(rule: Rule, caller: Caller) -> Iterator[str]:
    if rule.who is not None and not _any(rule.who, caller.name):
        yield f"{caller.name} is not among {', '.join(rule.who) or 'nobody'}"


def _caps(rule: Rule, plan: Plan) -> Iterator[str]:
    share, ended = plan.blast.namespace_share, plan.blast.replicas_ended
    if rule.max_share is not None and share is None:
        yield f"at most {rule.max_share:.0%} of the namespace's pods may end, and their number is not known"
    elif rule.max_share is not None and share is not None and share > rule.max_share:
        yield f"it ends {share:.0%} of the namespace's pods, at most {rule.max_share:.0%} may"
    if rule.max_replicas is not None and ended > rule.max_replicas:
        yield f"it ends {counted(ended, 'replica')}, at most {rule.max_replicas} may"


def _any(patterns: Sequence[str], text: str) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)

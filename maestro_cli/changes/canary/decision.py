"""What to do with a canary, from counts alone (docs/canary.md).

Invariant: pure. A canary is taken back when one criterion fails, promoted when all of them pass, and held
otherwise; the order is that of harm: guards, errors, slow requests, accuracy, price.

Errors and slow requests: among the bad requests of both versions, the share that is the canary's. When it is
no worse, that is its share of the requests, w; when it is r times as bad, r·w / (r·w + 1 - w) (Przyborowski
and Wilenski 1940: given their sum, one of two Poisson counts is binomial). A sequential probability ratio
test tells the two apart at every look. What happens to both versions alike, as traffic that comes and goes,
does not count, so it needs no baseline from another time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from maestro_cli.changes.canary.model import (
    Criterion,
    Decision,
    Patience,
    Rules,
    Surroundings,
    Tally,
    Verb,
)
from maestro_cli.core.quantities import counted, format_duration
from maestro_cli.core.sequential import bounds, expected_trials, log_likelihood_ratio
from maestro_cli.core.verdict import Judgement, Verdict, judge

FASTEST_BURN = 14.4  # spends 2 % of a month's budget in an hour (SRE Workbook, chapter 5)
LEAST_BAD = 10


def decide(canary: Tally, stable: Tally, rules: Rules, around: Surroundings) -> Decision:
    """What to do now, with every criterion that was asked."""
    guards = (Criterion("crash loops", _crashing(around)), Criterion("burn", _burn(canary, stable, rules)))
    tests = [
        Criterion("errors", no_worse(canary.errors, canary.requests, stable.errors, stable.requests, rules)),
        Criterion("slow", no_worse(canary.slow, canary.measured, stable.slow, stable.measured, rules)),
    ]
    if rules.right and rules.judged:
        tests.append(Criterion("accuracy", no_less_right(canary, stable, rules)))
    price = []
    if rules.most_per_million is not None:
        price.append(Criterion("price", _price(rules.most_per_million, around)))
    failed = [one for one in (*guards, *tests) if one.judgement.verdict is Verdict.FAIL]
    criteria = (*guards, *tests, *price)
    if failed:
        return Decision(Verb.ABORT, f"{failed[0].name}: {failed[0].judgement.reason}", criteria)
    open_ = [one for one in criteria if not one.judgement.passed]
    if open_:
        return Decision(Verb.HOLD, f"{open_[0].name}: {open_[0].judgement.reason}", criteria)
    return Decision(Verb.PROMOTE, "every criterion passed", criteria)


def no_worse(
    bad: float | None, of: float | None, stable_bad: float | None, stable_of: float | None, rules: Rules
) -> Judgement:
    """FAIL when the canary has `rules.worse` times the share of bad requests, PASS when it does not.

    Where both versions have too few bad requests to tell, PASS when its share is known to be within its
    objective.
    """
    if bad is None or stable_bad is None or not of or not stable_of:
        return judge(None, holds=None, coverage=0.0, reason="not counted for both versions")
    none = of / (of + stable_of)
    ratio = log_likelihood_ratio(bad, bad + stable_bad, none, worse_share(none, rules.worse))
    counted = f"{bad:.0f} of {of:.0f}, the stable version {stable_bad:.0f} of {stable_of:.0f}"
    known = min(1.0, max(ratio / math.log(1 / rules.alpha_each), ratio / math.log(rules.beta), 0.0))
    if ratio >= math.log(1 / rules.alpha_each):
        return Judgement(
            Verdict.FAIL, 1.0, f"more than its share, as if {rules.worse:g} times: {counted}", ratio
        )
    if ratio <= math.log(rules.beta):
        return Judgement(Verdict.PASS, 1.0, f"not {rules.worse:g} times as many bad: {counted}", ratio)
    high = bounds(min(bad, of), of, rules.alpha_each)[1] if bad + stable_bad < LEAST_BAD else 1.0
    if high <= 1 - rules.target:
        return Judgement(Verdict.PASS, 1.0, f"at most {high:.2g}, within its objective: {counted}", ratio)
    return Judgement(Verdict.INDETERMINATE, known, f"undecided: {counted}", ratio)


def worse_share(share: float, times: float) -> float:
    """The canary's share of the bad requests when it is so many times as bad."""
    return times * share / (times * share + 1 - share)


def no_less_right(canary: Tally, stable: Tally, rules: Rules) -> Judgement:
    """PASS when the canary is right at least `margin` times as often, for certain; bounds as in core."""
    counts = (canary.right, canary.judged, stable.right, stable.judged)
    if any(one is None for one in counts) or not canary.judged or not stable.judged:
        return judge(None, holds=None, coverage=0.0, reason="no answer of both versions was judged yet")
    right, judged, stable_right, stable_judged = (float(one or 0) for one in counts)
    low, high = bounds(min(right, judged), judged, rules.alpha_each / 2)
    stable_low, stable_high = bounds(min(stable_right, stable_judged), stable_judged, rules.alpha_each / 2)
    usual = stable_right / stable_judged
    text = f"right {right / judged:.3g} of {judged:.0f}, the stable version {usual:.3g}"
    if low >= rules.margin * stable_high:
        return Judgement(Verdict.PASS, 1.0, text, right / judged)
    if high < rules.margin * stable_low:
        return Judgement(Verdict.FAIL, 1.0, f"{text}: less than {rules.margin:g} of it", right / judged)
    return Judgement(Verdict.INDETERMINATE, 0.5, f"undecided: {text}", right / judged)


def patience(rate: float | None, bad_share: float | None, share: float, rules: Rules) -> Patience:
    """How long the decision about errors needs: `rate` requests a second, `bad_share` of them bad now."""
    if rate is None or not rate > 0 or not 0 < share < 1:
        return Patience(None, None, "no traffic was measured, so nothing can be decided")
    if not bad_share:
        seconds = clean_requests(rules) / (rate * share)
        return Patience(None, seconds, f"at {rate:.3g} requests/s without errors, by its objective alone")
    worse = worse_share(share, rules.worse)
    trials = {
        truth: expected_trials(truth, share, worse, rules.alpha_each, rules.beta) for truth in (share, worse)
    }
    bad = trials[worse] / (rate * bad_share * (rules.worse * share + 1 - share))
    good = trials[share] / (rate * bad_share)
    counts = f"{trials[worse]:.0f} errors, or {trials[share]:.0f}"
    why = f"{counts}, at {rate:.3g} requests/s with {bad_share:.2%} errors"
    return Patience(bad, good, why)


def clean_requests(rules: Rules) -> float:
    """So many requests without a bad one are known to be within the objective."""
    few, many = 1.0, 1.0
    while bounds(0, many, rules.alpha_each)[1] > 1 - rules.target and many < 1e9:
        few, many = many, many * 2
    while many - few > 1:
        middle = (few + many) / 2
        above = bounds(0, middle, rules.alpha_each)[1] > 1 - rules.target
        few, many = (middle, many) if above else (few, middle)
    return math.ceil(many)


def told(found: Patience) -> str:
    """It in words."""
    parts = [
        f"{format_duration(seconds)} if it is {word}"
        for seconds, word in ((found.if_bad, "bad"), (found.if_good, "good"))
        if seconds is not None
    ]
    return f"about {', '.join(parts)} ({found.why})" if parts else found.why


def _crashing(around: Surroundings) -> Judgement:
    names: Sequence[str] = around.crashing
    if names:
        shown = ", ".join(names[:3])
        return Judgement(Verdict.FAIL, 1.0, f"{counted(len(names), 'pod')} ({shown})")
    return Judgement(Verdict.PASS, 1.0, "no pod does")


def _burn(canary: Tally, stable: Tally, rules: Rules) -> Judgement:
    """Its errors of the last minutes against its budget; undecided when the stable version burns too."""
    burns = [_burning(one, rules) for one in (canary, stable)]
    if burns[0] is None:
        return judge(None, holds=None, coverage=0.0, reason="no request of the last minutes")
    burn, bad, of = burns[0], canary.bad_lately or 0.0, canary.requests_lately or 0.0
    reason = f"{burn:.3g} times its budget's rate, {bad:.0f} of {of:.0f} lately"
    if burn < FASTEST_BURN or bad < LEAST_BAD:
        return judge(burn, holds=True, coverage=1.0, reason=reason)
    both = burns[1] is not None and burns[1] >= FASTEST_BURN
    reason = f"{reason}; the stable version burns too" if both else reason
    return judge(burn, holds=None if both else False, coverage=1.0, reason=reason)


def _burning(tally: Tally, rules: Rules) -> float | None:
    if not tally.requests_lately or tally.bad_lately is None:
        return None
    return tally.bad_lately / tally.requests_lately / (1 - rules.target)


def _price(most: float, around: Surroundings) -> Judgement:
    """What a million predictions of the canary cost, on replicas as full as now."""
    own, stable = around.per_million, around.stable_per_million
    if own is None:
        return judge(None, holds=None, coverage=0.0, reason="no price, or no prediction of it that succeeded")
    beside = "" if stable is None else f", one of the stable version's {stable:.3g}"
    reason = f"a million of its predictions costs {own:.3g}{beside}; {most:g} at most"
    return judge(own, holds=own <= most, coverage=1.0, reason=reason)

"""Bounds of a share that may be looked at as often as one likes, and acted on at any look.

An interval for a fixed number of trials (Wilson, Clopper-Pearson) is wrong with probability alpha at one
look; who looks after every trial, and stops as soon as it decides, is wrong far more often. These bounds
are a confidence sequence: the chance that they ever leave the true share out, at any of endlessly many
looks, is at most alpha.

They are Robbins' method of mixtures (Robbins 1970, Ann. Math. Statist. 41, 1397-1409; Howard, Ramdas,
McAuliffe and Sekhon 2021, Ann. Statist. 49, 1055-1080, for the general theory): against each share p the
evidence is

    M_n(p) = B(s + 1/2, n - s + 1/2) / (B(1/2, 1/2) p^s (1 - p)^(n - s))

the likelihood of s successes in n trials averaged over Beta(1/2, 1/2), by their likelihood under p. If p is
true, M_n is a martingale that begins at 1, so that it ever reaches 1/alpha with probability at most alpha
(Ville 1939). The bounds are the shares that have not: log M_n is convex in p and at most 0 at s/n.

Trials need not be independent: it is enough that each, whatever came before it, has the mean p. Nor need
they be 0 or 1: for values from 0 to 1, and their sum as successes, each factor of M_n is convex in the
value and so at most the line between its ends, whose mean under p is 1 (M_n is then a supermartingale, and
the bounds are wider than need be).
"""

from __future__ import annotations

import math

_HALF = 0.5  # the mixture: Beta(1/2, 1/2), narrow near 0 and 1, where shares of errors lie
_BISECTIONS = 60


def bounds(successes: float, trials: float, alpha: float) -> tuple[float, float]:
    """Lower and upper bound of the share of successes; (0, 1) when there were no trials.

    successes: from 0 to trials; the sum of the values when they are from 0 to 1.
    alpha: the chance, over all looks together, that the true share is outside: above 0, below 1.
    The bounds are of one share. For two that are compared give each alpha/2: then both hold with 1 - alpha.
    ValueError for counts that cannot be. Invariant: lower <= successes / trials <= upper.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is between 0 and 1, not {alpha}")
    if not 0 <= successes <= trials < math.inf:
        raise ValueError(f"{successes} successes in {trials} trials cannot be")
    if not trials:
        return 0.0, 1.0
    failures = trials - successes
    return _lower(successes, failures, alpha), 1.0 - _lower(failures, successes, alpha)


def _lower(successes: float, failures: float, alpha: float) -> float:
    """The largest share known to be below the interval, by bisection between 0 and the share observed."""
    if not successes:
        return 0.0
    most = (
        _log_beta(successes + _HALF, failures + _HALF) - _log_beta(_HALF, _HALF) + math.log(alpha)
    )  # of the log-likelihood, outside the interval
    outside, inside = 0.0, successes / (successes + failures)
    for _ in range(_BISECTIONS):
        middle = (outside + inside) / 2
        if _log_likelihood(successes, failures, middle) > most:
            inside = middle
        else:
            outside = middle
    return outside


def _log_likelihood(successes: float, failures: float, share: float) -> float:
    if not 0 < share < 1:
        return -math.inf  # asked with successes alone, and only inside (0, s/n)
    return successes * math.log(share) + failures * math.log1p(-share)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def log_likelihood_ratio(hits: float, trials: float, none: float, some: float) -> float:
    """How much likelier the hits are under the share `some` than under `none`, as a logarithm (Wald 1945).

    Under a share of `none` or less the ratio ever reaches 1/alpha with probability at most alpha, and under
    `some` or more its inverse 1/beta with at most beta, however often one looks (Ville 1939; Wald 1945, Ann.
    Math. Statist. 16, 117-186). ValueError for shares that are not 0 < none < some < 1.
    """
    if not 0 < none < some < 1:
        raise ValueError(f"{none} and {some} are no shares to be told apart")
    if not 0 <= hits <= trials < math.inf:
        raise ValueError(f"{hits} hits in {trials} trials cannot be")
    return hits * math.log(some / none) + (trials - hits) * math.log1p((none - some) / (1 - none))


def expected_trials(truth: float, none: float, some: float, alpha: float, beta: float) -> float:
    """About how many trials it takes to tell `some` from `none` when `truth` is one of them (Wald 1945)."""
    drift = truth * math.log(some / none) + (1 - truth) * math.log1p((none - some) / (1 - none))
    accepted = beta if truth == some else 1 - alpha
    ends = accepted * math.log(beta) + (1 - accepted) * math.log(1 / alpha)
    return ends / drift

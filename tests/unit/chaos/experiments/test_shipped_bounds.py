"""What a shipped hypothesis allows follows from the shipped objective that it names, as its file says."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, factorial, sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest

from maestro_cli.chaos.experiments.reading import read_experiment
from maestro_cli.chaos.model import Experiment, Guarded
from maestro_cli.slo.files.reading import read_objectives

ROOT = Path(__file__).resolve().parents[4]
FILES = sorted((ROOT / "playbooks" / "chaos").glob("*.yaml"))
TARGETS = {one.name: one.target for one in read_objectives(ROOT / "deploy" / "objectives")}
WINDOW, CHANCE = 500, 1 / 450  # requests of 10 s on the embedded platform; how often it may be chance
MONTH_SECONDS, AT_MOST = 30 * 86400.0, 0.005  # of a month's budget
SPENDS = {"dependency-failure", "hung-replica", "network-partition", "slow-replica", "zone-failover"}
WITHOUT_ARMS = {
    "bad-configuration",
    "region-failover",
    "lost-node",
}  # whom no other pod stands beside: all read it, all are lost, or it costs those that are left alone
OF_THE_WAY = {
    "slow-link",
    "lossy-link",
}  # what the way to a pod does its own counters do not see, and callers count by no pod
BY_OBJECTIVE = [path for path in FILES if path.stem != "region-failover"]


def parts(path: Path) -> tuple[Experiment, Guarded, float, float]:
    """The experiment, its extension, what its hypothesis allows (0 to 1), and what its objective does."""
    experiment = read_experiment(path)
    guarded = experiment.guarded
    assert guarded is not None
    (objective,) = guarded.objectives
    (probe,) = experiment.document["steady-state-hypothesis"]["probes"]
    low, high = probe["tolerance"]["range"]
    assert low == 0
    return experiment, guarded, float(high), 1 - TARGETS[objective]


def just_kept(bad: float) -> float:
    """The least share of a window that a service which just keeps its objective exceeds by chance alone."""
    mean = WINDOW * bad
    for most in range(WINDOW):
        if 1 - sum(exp(-mean) * mean**k / factorial(k) for k in range(most + 1)) <= CHANCE:
            return most / WINDOW
    raise AssertionError("no such share")


@pytest.mark.parametrize("path", BY_OBJECTIVE, ids=lambda path: path.stem)
def test_a_hypothesis_allows_what_its_objective_does_in_its_window_or_a_told_part_of_a_budget(
    path: Path,
) -> None:
    _, guarded, allowed, bad = parts(path)
    if path.stem in SPENDS:
        assert guarded.duration_seconds is not None
        spent = allowed * guarded.duration_seconds / (MONTH_SECONDS * bad)
        assert spent < AT_MOST
        assert f"{float(f'{100 * spent:.1g}'):g} % of a month's budget" in told(path)
        return
    assert allowed == pytest.approx(just_kept(bad))
    assert f"more than {allowed * WINDOW:.0f} in fewer than 1 window of 450" in told(path)


def test_a_zone_of_three_may_cost_every_third_request_and_chance() -> None:
    """By the normal distribution, which is as good as exact here."""
    path = next(path for path in FILES if path.stem == "zone-failover")
    lost = NormalDist(WINDOW / 3, sqrt(WINDOW * 2 / 9)).inv_cdf(1 - CHANCE)
    _, guarded, allowed, _ = parts(path)
    assert lost < allowed * WINDOW < guarded.stop[0].bound * WINDOW
    assert f"more than {lost:.0f} fail in fewer than 1 window of 450" in told(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_who_leaves_pods_alone_compares_with_them_by_the_same_bound(path: Path) -> None:
    guarded = read_experiment(path).guarded
    assert guarded is not None
    assert (guarded.arms is None) is (path.stem in WITHOUT_ARMS | OF_THE_WAY)
    assert any(one.fault in ("link-latency", "link-loss") for one in guarded.faults) is (
        path.stem in OF_THE_WAY
    )
    if guarded.arms is not None:
        bad = 1 - TARGETS[guarded.objectives[0]]
        assert guarded.arms.most == pytest.approx(just_kept(bad))


def told(path: Path) -> str:
    """Its comments, as one line."""
    return " ".join(_comments(path.read_text(encoding="utf-8")))


def _comments(text: str) -> Iterator[Any]:
    for line in text.splitlines():
        if line.strip().startswith("#"):
            yield line.strip().removeprefix("#").strip()

"""Pods that are left alone are counted beside those that a fault meets, and the verdict goes by both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maestro_cli.changes.model import Consent
from maestro_cli.chaos.running import Wanted, run
from maestro_cli.core.errors import ExitCode, Unreachable
from maestro_cli.core.progress import Quiet
from tests.contract.chaos.lab import Lab, data, experiment

pytestmark = pytest.mark.contract
QUERIES = {"bad": 'bad{pod=~"$PODS"}[$WINDOW]', "all": 'all{pod=~"$PODS"}[$WINDOW]'}


class CountingLab(Lab):
    """Prometheus counts a hundred requests of each arm, and so many bad ones of the arms."""

    treated_bad: float = 60.0
    control_bad: float | None = 0.0

    def value(self, query: str) -> float | None:
        match = re.fullmatch(r'(bad|all)\{pod=~"(.*)"\}\[[0-9]+s\]', query)
        if match is None:
            return super().value(query)
        if self.control_bad is None:
            raise Unreachable("Prometheus does not answer")
        of_treated = match.group(2) in {one["pod"] for one in self.servers.read()["ever"]}
        return 100.0 if match.group(1) == "all" else self.treated_bad if of_treated else self.control_bad


@pytest.mark.parametrize(
    ("control_bad", "code", "blame"),
    [
        (0.0, ExitCode.CONDITION_NOT_MET, "the fault"),
        (60.0, ExitCode.NO_DATA, "the hour"),
        (None, ExitCode.CONDITION_NOT_MET, "not known"),
    ],
)
def test_a_miss_is_blamed_on_the_fault_unless_what_was_left_alone_was_as_bad(
    control_bad: float | None, code: ExitCode, blame: str, tmp_path: Path
) -> None:
    lab = CountingLab(tmp_path)
    lab.control_bad = control_bad
    lab.servers.script(start={"ratio": 2.0}, end={"ratio": 0.5})
    report = lab.run(experiment(data(control=1, arms=QUERIES)))
    assert report.judged.exit_code is code, report.judged
    told = report.journal["maestro"]["arms"]
    assert told["blame"].startswith(blame)
    if control_bad is not None:
        assert (told["treated"]["bad"], told["control"]["bad"]) == (60.0, control_bad)
        assert told["treated"]["low"] < 0.6 < told["treated"]["high"]
        assert not set(told["treated"]["pods"]) & set(told["control"]["pods"])


def test_what_passes_passes_and_tells_both_arms(tmp_path: Path) -> None:
    report = CountingLab(tmp_path).run(experiment(data(control=1, arms=QUERIES)))
    assert report.judged.passed, report.judged
    assert report.journal["maestro"]["arms"]["seconds"] > 0


class Told(Quiet):
    """Keeps what is told of a run while it runs."""

    def __init__(self) -> None:
        self.updates: list[str] = []

    def update(self, text: str) -> None:
        self.updates.append(text)


def test_both_arms_are_told_while_the_fault_is_there(tmp_path: Path) -> None:
    lab, told = CountingLab(tmp_path), Told()
    held = data(control=1, arms=QUERIES, hold=4.0)
    report = run(lab.means, Wanted(experiment(held), 7, Consent(given=True)), progress=told)
    assert report.judged.passed, report.judged
    during = [text for text in told.updates if text.startswith("steady state during: met; ")]
    assert during, told.updates
    assert set(during) == {"steady state during: met; treated 60/100 bad; left alone 0/100 bad"}

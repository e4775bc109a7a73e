"""`maestro canary`, on recordings: what is planned, what is refused, and what the decision looks like."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cli.api import Answers, api_server
from tests.cli.program import check_golden, maestro
from tests.cli.test_cli_changes import answers, settled, writes

START = ["canary", "start", "deploy/fraud", "--model", "fraud", "--version", "2"]
ASK = "deploy/fraud", "--model", "fraud"


def recorded() -> Answers:
    """Two versions of fraud, and a Prometheus that answers every question alike."""
    samples = [{"metric": {"version": version}, "value": [1, count]} for version, count in (("1", "50"),)]
    answer = {"status": "success", "data": {"resultType": "vector", "result": samples}}
    return {**answers("set-traffic"), "/api/v1/query": answer, "POST /api/v1/query": answer}


@pytest.fixture
def api() -> Iterator[list[str]]:
    with api_server(recorded()) as asked:
        yield asked


def test_a_start_says_first_how_long_a_decision_needs_and_plans_a_change(api: list[str]) -> None:
    result = maestro(*START, "--dry-run")
    assert result.code == 0
    assert "a decision needs about" in result.err
    assert writes(api) == []
    check_golden("canary-start.table", settled(result))
    document = maestro(*START, "--dry-run", "-o", "json")
    assert json.loads(document.out)["plan"]["parameters"]["share"] == 0.1


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--worse", "1"], "1 makes no sense for --worse"),
        (["--objective", "100"], "100 makes no sense for --objective"),
        (["--slow", "soon"], "soon"),
        (["--right", "x"], "accuracy needs both counters"),
        (["--share", "0%"], "a canary without traffic decides nothing"),
        (["--share", "100%"], "is no share for a canary"),
        (["--share", "much"], "is not a share such as 0.1 or 10%"),
    ],
)
def test_what_makes_no_sense_ends_2(api: list[str], words: list[str], what: str) -> None:
    result = maestro(*START, *words, "--dry-run")
    assert (result.code, result.out) == (2, "")
    assert what in result.err


def test_a_deployment_is_a_canary_beside_the_stable_one() -> None:
    with api_server({**recorded(), **answers("set-weight")}) as asked:
        start = maestro(
            "canary", "start", "deploy/fraud", "--beside", "stable", "--share", "50%", "--dry-run"
        )
        status = maestro("canary", "status", "deploy/fraud")
        mixed = maestro("canary", "start", "deploy/fraud", "--beside", "stable", "--model", "fraud", "--yes")
    assert (start.code, status.code, mixed.code) == (0, 6, 2)
    assert "give ml/deploy/fraud 0.5 of the replicas beside stable behind fraud" in start.out
    assert "a decision needs" in start.err
    assert "ml/deploy/fraud is no canary" in status.err
    assert "a canary is a version of a model, or a deployment beside another" in mixed.err
    assert writes(asked) == []


@pytest.mark.parametrize("command", ["status", "watch", "promote", "abort"])
def test_without_a_canary_there_is_nothing_to_decide(api: list[str], command: str) -> None:
    result = maestro("canary", command, *ASK)
    assert (result.code, result.out) == (6, "")
    assert "there is no canary of fraud in ml/configmap/fraud-routing" in result.err
    assert writes(api) == []


def test_nobody_agreed_and_nothing_is_done(api: list[str]) -> None:
    result = maestro(*START)
    assert (result.code, writes(api)) == (11, [])
    assert maestro("canary", "status", *ASK).code == 6

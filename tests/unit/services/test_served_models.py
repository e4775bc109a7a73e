"""What is served, from answers of Prometheus: nothing is made up for what is not there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from maestro_cli.core.facts.metrics import Sample
from maestro_cli.services.served_models import _QUERIES, served

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
Found = dict[str, tuple[Sample, ...]]


def sample(value: float, version: str = "1", **labels: str) -> Sample:
    of = {"namespace": "ml", "deployment": "fraud", "model": "fraud", "version": version}
    return Sample({**of, **labels}, value, NOW)


def answers(**given: tuple[Sample, ...]) -> Found:
    return {name: given.get(name, ()) for name in _QUERIES}


def test_shares_are_of_all_versions_of_the_model_behind_one_workload() -> None:
    lines = served(answers(rate=(sample(9.0), sample(1.0, "2"), sample(5.0, "1", deployment="other"))))
    assert {line.key: line.share for line in lines} == {
        "ml/fraud/fraud@1": pytest.approx(0.9),
        "ml/fraud/fraud@2": pytest.approx(0.1),
        "ml/other/fraud@1": pytest.approx(1.0),
    }


def test_what_was_not_counted_is_not_known() -> None:
    (line,) = served(answers(info=(sample(3, digest="ab"),)))
    assert (line.replicas, line.rate, line.error_ratio, line.wrong_ratio, line.shadow_agreement) == (
        3, None, None, None, None,
    )  # fmt: skip


def test_no_failed_series_beside_requests_is_no_error() -> None:
    (line,) = served(answers(rate=(sample(2.0),)))
    assert line.error_ratio == 0.0


def test_replicas_with_another_digest_are_told() -> None:
    (line,) = served(answers(info=(sample(2, digest="ab"), sample(1, digest="cd"))))
    assert (line.replicas, line.digests) == (3, ("ab", "cd"))


def test_a_version_that_nobody_loads_or_asks_is_no_line() -> None:
    assert served(answers(rate=(sample(0.0),), p95=(sample(float("nan")),))) == ()

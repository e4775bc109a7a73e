"""Answers are judged by what came true, and counted for the version that gave them."""

from __future__ import annotations

import json

import pytest
from prometheus_client import CollectorRegistry

from maestro_cli.local.load.judging import Judge, Truth


def answer(flagged: object, version: str = "3", name: str = "flagged") -> bytes:
    outputs = [
        {"name": "score", "datatype": "FP32", "shape": [1], "data": [0.3]},
        {"name": name, "datatype": "INT64", "shape": [1], "data": [flagged]},
    ]
    return json.dumps({"model_name": "fraud", "model_version": version, "outputs": outputs}).encode()


def judged(rows: list[tuple[int, bytes]]) -> CollectorRegistry:
    registry = CollectorRegistry()
    judge = Judge(Truth("flagged", (0, 1)), registry, namespace="ml", deployment="fraud")
    for row, content in rows:
        judge.judge(row, content)
    return registry


def count(
    registry: CollectorRegistry, verdict: str, version: str = "3", model: str = "fraud"
) -> float | None:
    labels = {"namespace": "ml", "deployment": "fraud", "model": model, "version": version}
    return registry.get_sample_value("maestro_judged_answers_total", {**labels, "verdict": verdict})


def test_an_answer_is_right_when_it_is_what_came_true_for_that_row() -> None:
    registry = judged([(0, answer(0)), (1, answer(1)), (0, answer(1)), (1, answer(1, version="1"))])
    assert (count(registry, "right"), count(registry, "wrong")) == (2, 1)
    assert (count(registry, "right", "1"), count(registry, "wrong", "1")) == (1, 0)


def test_an_answer_that_no_model_gave_is_counted_as_a_constant() -> None:
    assert count(judged([(1, answer(1, version=""))]), "right", "constant") == 1


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"model_name": "fraud"}'])
def test_what_cannot_be_read_is_wrong(content: bytes) -> None:
    assert count(judged([(0, content)]), "wrong", "constant", model="") == 1


@pytest.mark.parametrize(
    ("ranking", "verdict"), [([0, 2, 1], "right"), ([2, 0, 1], "right"), ([2, 1, 0], "wrong")]
)
def test_an_answer_that_ranks_is_right_when_what_came_true_is_high_enough(
    ranking: list[int], verdict: str
) -> None:
    registry = CollectorRegistry()
    judge = Judge(Truth("ranking", (0,), within=2), registry, namespace="ml", deployment="fraud")
    content = json.dumps(
        {"model_name": "fraud", "model_version": "3", "outputs": [{"name": "ranking", "data": ranking}]}
    )
    judge.judge(0, content.encode())
    assert count(registry, verdict) == 1


def test_an_answer_without_the_output_is_wrong() -> None:
    assert count(judged([(0, answer(0, name="other"))]), "wrong") == 1

"""What runs on the event loop: nothing whose time its data decide, and nothing that took too long there."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from maestro_cli.serving.execution import pace as pace_module
from maestro_cli.serving.execution import predictor as predictor_module
from maestro_cli.serving.execution.batching import BatchLimits, Feed
from maestro_cli.serving.execution.pace import FIRST_PROOF_RUNS, INLINE_SECONDS, Pace
from maestro_cli.serving.execution.predictor import Predictor, deadline_in
from maestro_cli.serving.execution.timing import Timing
from maestro_cli.serving.models import artefact
from maestro_cli.serving.models.artefact import Halt, LoadedModel
from maestro_cli.serving.models.bounded import is_bounded
from maestro_cli.serving.models.manifest import TensorSpec
from maestro_cli.serving.models.onnx_survey import survey
from maestro_cli.serving.protocol.tensors import Array
from tests.unit.serving.onnx_by_hand import field
from tests.unit.serving.served import MODELS

QUICK, SLOW = INLINE_SECONDS / 10, INLINE_SECONDS * 10
ROWS = TensorSpec("x", "FP32", (-1, 9))


def after(*runs: tuple[int, float], row_seconds: float = 0.0) -> Pace:
    """The pace of a bounded version that had these runs: rows, and seconds that it was busy."""
    found = Pace(row_seconds, is_bounded=True)
    for rows, seconds in runs:
        found.note(rows, seconds)
    return found


def test_a_version_that_loaded_quickly_runs_there_row_by_row() -> None:
    assert after().allows(1)
    assert not after(row_seconds=SLOW).allows(1)
    assert after((1, QUICK), row_seconds=SLOW).allows(1)


def test_more_rows_than_were_seen_are_not_guessed_at() -> None:
    assert not after((1, QUICK)).allows(2)
    assert after((64, QUICK)).allows(64)
    assert not after((64, QUICK), (512, SLOW)).allows(65)
    assert after((64, QUICK), (512, SLOW)).allows(64)


def test_what_is_not_bounded_never_does() -> None:
    pace = Pace(0.0, is_bounded=False)
    for _ in range(FIRST_PROOF_RUNS):
        pace.note(1, QUICK)
    assert not pace.allows(1)


def test_one_slow_run_keeps_a_version_off_until_it_was_quick_for_long() -> None:
    pace = after((1, QUICK), (1, SLOW))
    for _ in range(FIRST_PROOF_RUNS):
        assert not pace.allows(1)
        pace.note(1, QUICK)
    assert pace.allows(1)


def test_who_is_slow_again_is_kept_off_for_longer_and_who_was_quick_for_long_as_at_first() -> None:
    quick, slow = (1, QUICK), (1, SLOW)
    soon = after(quick, slow, *[quick] * FIRST_PROOF_RUNS, slow, *[quick] * FIRST_PROOF_RUNS)
    assert not soon.allows(1)
    late = after(quick, slow, *[quick] * FIRST_PROOF_RUNS * 11, slow, *[quick] * FIRST_PROOF_RUNS)
    assert late.allows(1)


@pytest.mark.parametrize(
    ("spec", "operators", "bounded"),
    [
        (ROWS, {"MatMul", "TreeEnsembleClassifier"}, True),
        (ROWS, {"MatMul", "Loop"}, False),
        (ROWS, {"Scan"}, False),
        (ROWS, {"If"}, False),
        (ROWS, {"NonZero"}, False),
        (ROWS, {"Expand"}, False),
        (ROWS, {"AnOperatorOfNextYear"}, False),
        (TensorSpec("x", "FP32", (-1, -1, 8)), {"MatMul"}, False),
        (TensorSpec("x", "BYTES", (-1, 1)), {"LabelEncoder"}, False),
    ],
)
def test_only_rows_and_known_operators_bound_a_run(
    spec: TensorSpec, operators: set[str], bounded: bool
) -> None:
    assert is_bounded([ROWS, spec], operators) is bounded


def test_the_operators_inside_others_are_seen() -> None:
    inner = field(1, field(4, b"NonZero"))
    node = field(1, field(4, b"If") + field(5, field(6, inner)))
    assert survey(field(7, node)).operators == {"If", "NonZero"}


@pytest.mark.parametrize(("name", "bounded"), [("fraud", True), ("pricing", True), ("recommendation", False)])
def test_the_shipped_models_that_take_any_number_of_things_a_row_are_not_bounded(
    name: str, bounded: bool
) -> None:
    assert artefact.load(Path(MODELS), name, 1).is_bounded is bounded


def test_nothing_runs_there_while_it_is_doubted() -> None:
    pace = after((1, QUICK))
    pace.is_doubted = True
    assert not pace.allows(1)
    pace.is_doubted = False
    assert pace.allows(1)


class Moody:
    """Waits at some questions, and is busy at others; notes which thread had which question."""

    name, version, digest, row_seconds, is_bounded = "moody", "1", "d", 0.0, True
    manifest = SimpleNamespace(deterministic=False, stackable=True)

    def __init__(self) -> None:
        self.begun: list[tuple[str, bool]] = []
        self.again = threading.Event()
        self._here = threading.get_ident()

    def run(self, feed: Feed, outputs: Sequence[str], halt: Halt | None = None) -> list[Array]:
        question = str(feed["x"][0, 0])
        is_here = threading.get_ident() == self._here
        self.begun.append((question, is_here))
        if question == "busy":
            end = time.thread_time() + 5 * LIMIT_SECONDS
            while time.thread_time() < end:
                pass
        elif question == "held up" and is_here:  # by the machine
            threading.Event().wait(5 * LIMIT_SECONDS)
        if question != "quick" and not is_here:
            assert self.again.wait(60)
        return [feed["x"]]


LIMIT_SECONDS = 0.05  # for these tests: far from what a busy machine does to a run of nothing


def play(monkeypatch: pytest.MonkeyPatch, slow: str, last_is_here: bool) -> None:
    """A quick question, a slow one, two quick ones; and another when it was found out why it was slow."""
    monkeypatch.setattr(pace_module, "INLINE_SECONDS", LIMIT_SECONDS)
    monkeypatch.setattr(predictor_module, "INLINE_SECONDS", LIMIT_SECONDS)
    model = Moody()

    async def ask(question: str) -> None:
        feed = {"x": np.array([[question]], dtype=object)}
        asked = cast("LoadedModel", model)
        await predictor.predict(asked, feed, ["y"], deadline_in(60), Timing(), lambda work: work)

    async def body() -> None:
        for question in ("quick", slow):
            await ask(question)
        waiting = [asyncio.create_task(ask("quick")) for _ in range(2)]
        await asyncio.sleep(0)
        model.again.set()
        await asyncio.gather(*waiting)
        await ask("quick")

    with ThreadPoolExecutor(1) as executor:
        predictor = Predictor(executor, BatchLimits(run_rows=1))
        try:
            asyncio.run(body())
        finally:
            model.again.set()
    assert model.begun == [
        ("quick", True), (slow, True), (slow, False),
        ("quick", False), ("quick", False), ("quick", last_is_here),
    ]  # fmt: skip


def test_after_one_slow_answer_the_next_ones_are_beside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play(monkeypatch, "busy", last_is_here=False)


def test_what_the_machine_held_up_comes_back_to_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, "held up", last_is_here=True)

"""Whoever is asked, a request gets the answer of its own rows."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.serving.errors import ModelError, RequestError, ServingError
from maestro_cli.serving.protocol.tensors import Array
from maestro_cli.serving.routing.document import Arm, Node, read_routing
from maestro_cli.serving.routing.sticky import arm_of
from maestro_cli.serving.routing.trail import Trail
from maestro_cli.serving.routing.tree import Answer, Question, compile_node


class Models:
    """`times-N` multiplies x, `broken` fails, `late` is too late, `picky` refuses, `other` gives z."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, name: str, version: str | None, question: Question, trail: Trail) -> Answer:
        self.asked.append(name)
        if name == "broken":
            raise ModelError("it is broken")
        if name == "late":
            raise ModelError("too late", status=504)
        if name == "picky":
            raise RequestError("not for me")
        if name == "other":
            return {"z": question.tensors["x"]}
        if name == "sum":
            return {"y": question.tensors["x"] + question.tensors["more"]}
        return {"y": question.tensors["x"] * float(name.removeprefix("times-"))}


def route(node: str) -> Node:
    return read_routing(f"schema: maestro.routing/1\nroutes: {{a: {{to: {node}}}}}", "f").routes["a"].to


def ask(node: str, *values: float, keys: Mapping[str, str] | None = None) -> tuple[Answer, Trail, Models]:
    tensors: dict[str, Array] = {"x": np.array(values, dtype=np.float32).reshape(-1, 1)}
    question = Question(tensors, {"x": "FP32"}, (), lambda key: (keys or {}).get(key, ""))
    trail, models = Trail(is_routed=True), Models()
    return run(node, models, question, trail), trail, models


def run(node: str, models: Models, question: Question, trail: Trail) -> Answer:
    async def body() -> Answer:
        return await compile_node(route(node))(models, question, trail)

    return asyncio.run(body())


def values(answer: Answer, name: str = "y") -> list[float]:
    return [float(value) for value in answer[name].ravel()]


def test_a_model_answers() -> None:
    answer, trail, _ = ask("{model: times-2}", 1, 2)
    assert values(answer) == [2, 4]
    assert trail.route == "default"


SWITCH = """
{switch: {cases: [{name: big, when: 'x > 10', to: {model: times-2}}, {when: 'x > 5', to: {model: times-3}}],
          default: {model: times-0}}}
"""


def test_a_switch_sends_each_row_where_it_belongs_and_keeps_their_order() -> None:
    answer, trail, models = ask(SWITCH, 20, 1, 6, 11, 2)
    assert values(answer) == [40, 0, 18, 22, 0]
    assert sorted(models.asked) == ["times-0", "times-2", "times-3"]
    assert set(trail.arms) == {"big", "case-2", "default"}
    answer, trail, models = ask(SWITCH, 20, 11)
    assert (values(answer), models.asked, trail.route) == ([40, 22], ["times-2"], "big")


@pytest.mark.parametrize("node", [SWITCH, "{constant: {y: {datatype: FP32, value: 7}}}"])
def test_more_rows_than_a_request_may_have_are_refused_before_anything_is_made_for_each(node: str) -> None:
    with pytest.raises(RequestError, match="4097 rows, at most 4096"):
        ask(node, *range(4097))


@given(st.lists(st.integers(-20, 40), min_size=1, max_size=30))
def test_a_spread_batch_answers_what_single_rows_answer(rows: list[int]) -> None:
    together, _, _ = ask(SWITCH, *rows)
    assert values(together) == [values(ask(SWITCH, row)[0])[0] for row in rows]


def test_models_that_do_not_agree_on_outputs_fail_together() -> None:
    with pytest.raises(ModelError, match="do not agree"):
        ask("{switch: {cases: [{when: 'x > 1', to: {model: other}}], default: {model: times-1}}}", 1, 2)


def test_a_chain_gives_outputs_to_the_next_step() -> None:
    chain = "{chain: [{to: {model: times-10}, give: {y: more}}, {to: {model: sum}}]}"
    assert values(ask(chain, 1, 2)[0]) == [11, 22]
    with pytest.raises(ModelError, match="no output 'nope'"):
        ask("{chain: [{to: {model: times-10}, give: {nope: more}}, {to: {model: sum}}]}", 1)


@pytest.mark.parametrize(
    ("node", "got", "path"),
    [
        ("{first: [{model: broken}, {model: times-2}]}", [2.0], "after-1"),
        ("{first: [{model: times-3}, {model: times-2}]}", [3.0], "default"),
        ("{first: [{model: broken}, {model: broken}, {model: times-4}]}", [4.0], "after-1/after-2"),
        (
            "{first: [{model: broken}, {constant: {y: {datatype: FP32, value: 7}}}]}",
            [7.0],
            "after-1/constant",
        ),
    ],
)
def test_the_first_that_answers_does(node: str, got: list[float], path: str) -> None:
    answer, trail, _ = ask(node, 1)
    assert (values(answer), trail.route) == (got, path)


@pytest.mark.parametrize(
    ("node", "kind", "asked"),
    [
        ("{first: [{model: picky}, {model: times-2}]}", RequestError, ["picky"]),
        ("{first: [{model: late}, {model: times-2}]}", ModelError, ["late"]),
        ("{first: [{model: broken}, {model: broken}]}", ModelError, ["broken", "broken"]),
    ],
)
def test_who_is_refused_or_late_is_not_sent_elsewhere(
    node: str, kind: type[ServingError], asked: list[str]
) -> None:
    models = Models()
    question = Question({"x": np.ones((1, 1))}, {"x": "FP64"}, (), lambda key: "")
    with pytest.raises(kind):
        run(node, models, question, Trail())
    assert models.asked == asked


SPLIT = """
{split: {key: 'header:u', salt: s,
         arms: [{name: a, weight: 3, to: {model: times-1}}, {name: b, weight: 1, to: {model: times-2}}]}}
"""


def test_a_key_stays_in_its_arm() -> None:
    routes = {ask(SPLIT, 1, keys={"header:u": "ana"})[1].route for _ in range(20)}
    assert len(routes) == 1
    without = Counter(ask(SPLIT, 1)[1].route for _ in range(200))
    assert set(without) == {"a", "b"}


def arms(*weights: float) -> tuple[Arm, ...]:
    return tuple(Arm(f"arm-{n}", weight, Node(model="m")) for n, weight in enumerate(weights))


KEYS = [f"user-{number}" for number in range(4000)]


def shares(*weights: float, salt: str = "s") -> list[float]:
    counted = Counter(arm_of(arms(*weights), salt, key).name for key in KEYS)
    return [counted[f"arm-{n}"] / len(KEYS) for n in range(len(weights))]


@pytest.mark.parametrize("weights", [(1.0, 1.0), (90.0, 10.0), (5.0, 3.0, 2.0), (1.0, 0.0), (0.999, 0.001)])
def test_keys_are_spread_as_the_weights_say(weights: tuple[float, ...]) -> None:
    for got, weight in zip(shares(*weights), weights, strict=True):
        wanted = weight / sum(weights)
        assert abs(got - wanted) <= 4 * (wanted * (1 - wanted) / len(KEYS)) ** 0.5


def test_a_growing_weight_only_draws_keys_in() -> None:
    before = {key: arm_of(arms(90, 10, 5), "s", key).name for key in KEYS}
    after = {key: arm_of(arms(90, 30, 5), "s", key).name for key in KEYS}
    moved = {key for key in KEYS if before[key] != after[key]}
    assert moved
    assert {after[key] for key in moved} == {"arm-1"}


def test_another_salt_deals_anew() -> None:
    same = sum(arm_of(arms(1, 1), "s", key).name == arm_of(arms(1, 1), "t", key).name for key in KEYS)
    assert 0.45 < same / len(KEYS) < 0.55


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_key_has_an_arm(salt: str, key: str) -> None:
    found: Any = arm_of(arms(0.3, 0.7), salt, key)
    assert found.name in ("arm-0", "arm-1")

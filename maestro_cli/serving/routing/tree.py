"""A routing document's nodes, ready to answer.

Invariant: a request gets one answer of its own rows in their order, however the rows were spread; a request
that breaks a model's contract is refused and not tried elsewhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from maestro_cli.serving.errors import ModelError, Overloaded, RequestError, quoted
from maestro_cli.serving.protocol.contract import MAX_ROWS
from maestro_cli.serving.protocol.tensors import NUMPY_TYPES, Array, datatype_of
from maestro_cli.serving.routing.document import Constant, Node, Split, Step, Switch
from maestro_cli.serving.routing.expressions import Expression, compile_expression
from maestro_cli.serving.routing.sticky import arm_of
from maestro_cli.serving.routing.trail import Trail

Answer = dict[str, Array]


@dataclass(frozen=True, slots=True)
class Question:
    """The tensors asked about, the outputs wanted (empty: all), and who asks.

    `loose` lets a model take its own inputs and leave the others: in a chain they are meant for other steps.
    """

    tensors: Mapping[str, Array]
    datatypes: Mapping[str, str]
    wanted: tuple[str, ...]
    keys: Callable[[str], str]
    loose: bool = False

    @property
    def rows(self) -> int:
        """The extent of the first axis; what is made for each row is made of `checked_rows`."""
        return max((array.shape[0] for array in self.tensors.values() if array.ndim), default=1)

    @property
    def checked_rows(self) -> int:
        """Its rows; raises RequestError (400) when they are more than a request may have."""
        if self.rows > MAX_ROWS:
            raise RequestError(f"the request has {self.rows} rows, at most {MAX_ROWS} a request")
        return self.rows

    def only(self, places: Array) -> Question:
        """The same question about some of its rows."""
        count = self.rows
        picked = {
            name: array[places] if array.ndim and array.shape[0] == count else array
            for name, array in self.tensors.items()
        }
        return replace(self, tensors=picked)


class Models(Protocol):
    """Runs one model version; the tree only chooses."""

    async def ask(self, name: str, version: str | None, question: Question, trail: Trail) -> Answer: ...


Ask = Callable[[Models, Question, Trail], Awaitable[Answer]]


def compile_node(node: Node) -> Ask:
    """The function that answers for a node that was read and checked."""
    if node.split is not None:
        return _split(node.split)
    if node.switch is not None:
        return _switch(node.switch)
    if node.chain is not None:
        return _chain(node.chain)
    if node.first is not None:
        return _first([compile_node(one) for one in node.first])
    if node.constant is not None:
        return _constant(node.constant)
    return _model(str(node.model), None if node.version is None else str(node.version))


def _model(name: str, version: str | None) -> Ask:
    async def ask(models: Models, question: Question, trail: Trail) -> Answer:
        return await models.ask(name, version, question, trail)

    return ask


def _split(split: Split) -> Ask:
    arms = {arm.name: compile_node(arm.to) for arm in split.arms}

    async def ask(models: Models, question: Question, trail: Trail) -> Answer:
        key = question.keys(split.key) or trail.decision  # who has no key is spread by chance
        arm = arm_of(split.arms, split.salt, key)
        trail.arms.append(arm.name)
        return await arms[arm.name](models, question, trail)

    return ask


def _switch(switch: Switch) -> Ask:
    cases = [
        (compile_expression(case.when), case.name or f"case-{place}", compile_node(case.to))
        for place, case in enumerate(switch.cases, 1)
    ]
    default = compile_node(switch.default)

    async def ask(models: Models, question: Question, trail: Trail) -> Answer:
        chosen = _choose([condition for condition, _, _ in cases], question)
        parts: list[tuple[Array, Answer]] = []
        places = np.unique(chosen)
        trail.is_spread = trail.is_spread or len(places) > 1
        for place in places:
            name, to = ("default", default) if place < 0 else cases[place][1:]
            trail.arms.append(name)
            rows = np.flatnonzero(chosen == place)
            whole = len(rows) == question.rows
            answer = await to(models, question if whole else question.only(rows), trail)
            if whole:
                return answer
            parts.append((rows, answer))
        return _join(parts, question.rows)

    return ask


def _choose(conditions: Sequence[Expression], question: Question) -> Array:
    """For each row the place of the first condition that holds, -1 where none does."""
    count = question.checked_rows
    chosen = np.full(count, -1)
    for place, condition in enumerate(conditions):
        holds = condition.rows(question.tensors, count)
        chosen = np.where((chosen == -1) & holds, place, chosen)
    return chosen


def _join(parts: Sequence[tuple[Array, Answer]], count: int) -> Answer:
    names = list(parts[0][1])
    joined: Answer = {}
    for name in names:
        pieces = [(rows, answer.get(name)) for rows, answer in parts]
        first = pieces[0][1]
        assert first is not None
        whole = np.empty((count, *first.shape[1:]), dtype=first.dtype)
        for rows, piece in pieces:
            if piece is None or piece.shape != (len(rows), *first.shape[1:]) or piece.dtype != first.dtype:
                raise ModelError(f"the models of this route do not agree on output {quoted(name)}")
            whole[rows] = piece
        joined[name] = whole
    return joined


def _chain(steps: Sequence[Step]) -> Ask:
    compiled = [(compile_node(step.to), step.give) for step in steps]

    async def ask(models: Models, question: Question, trail: Trail) -> Answer:
        answer: Answer = {}
        tensors, datatypes = dict(question.tensors), dict(question.datatypes)
        for place, (to, give) in enumerate(compiled):
            wanted = question.wanted if place == len(compiled) - 1 else tuple(give)
            asked = replace(question, tensors=tensors, datatypes=datatypes, wanted=wanted, loose=True)
            answer = await to(models, asked, trail)
            for output, as_input in give.items():
                if output not in answer:
                    raise ModelError(f"a step of this route gives no output {quoted(output)}")
                tensors[as_input] = answer[output]
                datatypes[as_input] = datatype_of(answer[output])
        return answer

    return ask


def _first(nodes: Sequence[Ask]) -> Ask:
    async def ask(models: Models, question: Question, trail: Trail) -> Answer:
        for place, to in enumerate(nodes, 1):
            entry, served = trail.entry, len(trail.served)
            try:
                return await to(models, question, trail)
            except (ModelError, Overloaded) as error:
                late = isinstance(error, ModelError) and error.status == 504
                if late or place == len(nodes):
                    raise
                trail.arms.append(f"after-{place}")
                if trail.entry is not None:
                    trail.failed += ((trail.entry, error.status),)
                trail.entry = entry
                del trail.served[served:]
        raise AssertionError("a document has at least one node here")

    return ask


def _constant(outputs: Mapping[str, Constant]) -> Ask:
    async def ask(models: Models, question: Question, trail: Trail) -> Answer:
        trail.arms.append("constant")
        trail.is_constant = True
        wanted = question.wanted or tuple(outputs)
        for name in wanted:
            if name not in outputs:
                raise RequestError(f"unknown output {quoted(name)}; the route gives {', '.join(outputs)}")
        count = question.checked_rows
        return {
            name: np.full(count, outputs[name].value, dtype=NUMPY_TYPES[outputs[name].datatype])
            for name in wanted
        }

    return ask

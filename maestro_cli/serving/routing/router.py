"""The document in force, and requests through it.

Invariant: a request is answered by the document that was in force when it came, to its end; a document that
names what cannot answer is refused, and the one before stays.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from maestro_cli.serving.errors import RequestError, quoted
from maestro_cli.serving.execution import inference
from maestro_cli.serving.execution.deadline import Deadline
from maestro_cli.serving.execution.predictor import Predictor, WhileWanted
from maestro_cli.serving.models.memory import ModelMemory
from maestro_cli.serving.models.repository import Repository
from maestro_cli.serving.protocol.messages import InferRequest
from maestro_cli.serving.protocol.tensors import Array
from maestro_cli.serving.routing.document import EMPTY, Node, Routing, models_of
from maestro_cli.serving.routing.keeping import keep
from maestro_cli.serving.routing.sticky import Keys
from maestro_cli.serving.routing.trail import Trail
from maestro_cli.serving.routing.tree import Answer, Ask, Question, compile_node

REMEMBERED_QUESTIONS = 1000
REMEMBERED_BYTES = 16 * 1024  # a larger question is not remembered


@dataclass(frozen=True, slots=True)
class InForce:
    """A document with its routes compiled, where it came from, and by which change, if that was told."""

    routing: Routing
    asks: Mapping[str, Ask]
    source: str
    change: str = ""

    @property
    def digest(self) -> str:
        return self.routing.digest


@dataclass(frozen=True, slots=True)
class Remembered:
    """A request that a route answered: enough to ask another document the same."""

    name: str
    question: Question
    decision: str
    route: str
    served: tuple[str, ...]


@dataclass(slots=True)
class Errand:
    """One request's run: how long, and who still wants it. The `Models` that a tree asks."""

    repository: Repository
    memory: ModelMemory
    predictor: Predictor
    deadline: Deadline
    while_wanted: WhileWanted

    async def ask(self, name: str, version: str | None, question: Question, trail: Trail) -> Answer:
        entry = self.repository.find(name, version)
        trail.entry = entry
        async with self.memory.using(entry, self.deadline.at) as model:
            faults = trail.faults
            if faults is not None:
                await self.while_wanted(faults.before_run(model, self.deadline, trail.timing))
            answer = await inference.run(
                self.predictor, model, question.tensors, question.datatypes, question.wanted,
                self.deadline, trail.timing, self.while_wanted, loose=question.loose,
                alter=None if faults is None else lambda feed: faults.altered(model, feed),
            )  # fmt: skip
            if faults is not None:
                answer = faults.distorted(model, answer)
        trail.served.append(model)
        return answer


class Router:
    """Use it from one event loop."""

    def __init__(self, repository: Repository, memory: ModelMemory, predictor: Predictor) -> None:
        self.repository = repository
        self._memory = memory
        self._predictor = predictor
        self.in_force = InForce(EMPTY, {}, "built in")
        self.remembered: deque[Remembered] = deque(maxlen=REMEMBERED_QUESTIONS)
        self.changed: list[Callable[[InForce], None]] = []

    def check(self, routing: Routing) -> list[str]:
        """What a document names that is not there, in words; nothing when it can be put in force."""
        problems = []
        for name, version in sorted(models_of(routing), key=str):
            known = self.repository.of(name)
            if not any(version in (None, entry.version) for entry in known):
                what = quoted(name) if version is None else f"{quoted(name)} version {version}"
                problems.append(f"model {what} is not served here")
            elif version is not None and not self.repository.find(name, str(version)).can_answer:
                reason = self.repository.find(name, str(version)).reason
                problems.append(f"model {quoted(name)} version {version} cannot answer: {reason}")
        return problems

    def put(self, routing: Routing, source: str, change: str = "") -> InForce:
        """Put a document in force, in one step; raises RequestError (400) when `check` finds anything."""
        problems = self.check(routing)
        if problems:
            raise RequestError(f"the routing is refused: {'; '.join(problems[:5])}")
        asks = {name: compile_node(route.to) for name, route in routing.routes.items()}
        self.in_force = InForce(routing, asks, source, change)
        self._memory.routed = models_of(routing)
        self._predictor.cache.clear()  # a rollback must not be answered from before it
        for told in self.changed:
            told(self.in_force)
        return self.in_force

    def node(self, name: str, version: str | None) -> Node | None:
        """What the document in force has answer; None when it says nothing of that name and version."""
        route = self.in_force.routing.routes.get(name) if version is None else None
        return None if route is None else route.to

    def knows(self, name: str, version: str | None) -> None:
        """Raises RequestError (404) when nothing answers for that name and version."""
        if version is not None or name not in self.in_force.asks:
            self.repository.find(name, version)

    async def answer(
        self,
        name: str,
        version: str | None,
        request: InferRequest,
        keys: Keys,
        deadline: Deadline,
        trail: Trail,
        while_wanted: WhileWanted,
    ) -> Mapping[str, Array]:
        """The outputs by name. A request that names a version goes straight to it.

        Raises RequestError, ModelError or Overloaded.
        """
        errand = Errand(self.repository, self._memory, self._predictor, deadline, while_wanted)
        question = Question(request.inputs, request.datatypes, request.wanted, keys)
        ask = self.in_force.asks.get(name) if version is None else None
        if ask is None:
            return await errand.ask(name, version, question, trail)
        trail.is_routed, trail.name = True, name
        answer = await ask(errand, question, trail)
        served = tuple(dict.fromkeys(model.served_by for model in trail.served))
        if (kept := keep(question, keys, REMEMBERED_BYTES)) is not None:
            self.remembered.append(Remembered(name, kept, trail.decision, trail.route, served))
        return answer

"""What a route looks like to who asks it: its tensors, and whether everybody would be answered.

Invariant: the outline is that of what usually answers (the arm with the most weight, the default of a switch,
the first node of a `first` that can), and says of which models it was made.
"""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.serving.errors import RequestError
from maestro_cli.serving.models.manifest import TensorSpec
from maestro_cli.serving.models.memory import ModelMemory
from maestro_cli.serving.models.repository import Repository
from maestro_cli.serving.routing.document import Constant, Node

PLATFORM = "maestro_routing"  # of what is no single model


@dataclass(frozen=True, slots=True)
class Outline:
    """`models` are the versions it was made of, as `fraud@1`; none when a constant answers."""

    platform: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    models: tuple[str, ...] = ()

    @property
    def stackable(self) -> bool:
        """Whether rows of several requests may run together."""
        return all(tensor.shape[:1] == (-1,) for tensor in (*self.inputs, *self.outputs))


async def outline(node: Node, repository: Repository, memory: ModelMemory) -> Outline:
    """Of a route's node; loads the models that usually answer. Raises RequestError, ModelError."""
    usual = _usual(node, repository)
    if usual.constant is not None:
        return _of_constant(usual.constant)
    if usual.chain is None:
        return await outline_of_model(str(usual.model), _text(usual.version), repository, memory)
    inputs: dict[str, TensorSpec] = {}
    given: set[str] = set()
    models: list[str] = []
    last = Outline(PLATFORM, (), ())
    for step in usual.chain:
        last = await outline(step.to, repository, memory)
        inputs |= {spec.name: spec for spec in last.inputs if spec.name not in given | inputs.keys()}
        given |= set(step.give.values())
        models += last.models
    return Outline(PLATFORM, tuple(inputs.values()), last.outputs, tuple(dict.fromkeys(models)))


async def outline_of_model(
    name: str, version: str | None, repository: Repository, memory: ModelMemory
) -> Outline:
    """Of one version, or the one that answers by default; raises RequestError (404), ModelError."""
    async with memory.using(repository.find(name, version)) as model:
        manifest = model.manifest
        served = f"{model.name}@{model.version}"
        return Outline(manifest.platform, tuple(manifest.inputs), tuple(manifest.outputs), (served,))


def unanswered(node: Node, repository: Repository) -> str:
    """Why not every request of a route would be answered; empty when every one would."""
    if node.model is not None:
        return _why_not(node.model, node.version, repository)
    if node.first is not None:
        reasons = [unanswered(one, repository) for one in node.first]
        return "" if "" in reasons else "; ".join(reasons)
    parts: list[Node] = [step.to for step in node.chain or ()]
    if node.split is not None:
        parts += [arm.to for arm in node.split.arms if arm.weight > 0]
    if node.switch is not None:
        parts += [*(case.to for case in node.switch.cases), node.switch.default]
    return "; ".join(reason for part in parts if (reason := unanswered(part, repository)))


def _usual(node: Node, repository: Repository) -> Node:
    """The model, chain or constant that answers where nothing about a request says otherwise."""
    if node.split is not None:
        return _usual(max(node.split.arms, key=lambda arm: arm.weight).to, repository)
    if node.switch is not None:
        return _usual(node.switch.default, repository)
    if node.first is not None:
        able = [one for one in node.first if not unanswered(one, repository)]
        return _usual((able or node.first)[0], repository)
    return node


def _of_constant(constant: dict[str, Constant]) -> Outline:
    outputs = tuple(TensorSpec(name, one.datatype, (-1,)) for name, one in constant.items())
    return Outline(PLATFORM, (), outputs)


def _why_not(name: str, version: int | None, repository: Repository) -> str:
    try:
        entry = repository.find(name, _text(version))
    except RequestError as error:
        return error.text
    return "" if entry.can_answer else f"{entry.name}/{entry.version}: {entry.reason}"


def _text(version: int | None) -> str | None:
    return None if version is None else str(version)

"""`routing.yaml`, as people write it.

Invariant: a document that was read is whole: every expression compiles, every arm has a weight, nothing is
deeper or larger than its limits. Format `maestro.routing/1`, documented in docs/serving.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from maestro_cli.config.strict import Document, dump_yaml, parse_yaml
from maestro_cli.serving.models.manifest import MAX_VERSION, MODEL_NAME
from maestro_cli.serving.protocol.tensors import NUMPY_TYPES
from maestro_cli.serving.routing.expressions import ExpressionRefused, compile_expression

MAX_DEPTH = 8
MAX_NODES = 100
STICKY_KEY = re.compile(r"(header|parameter):[A-Za-z0-9][A-Za-z0-9_.-]{0,63}|id")
_NO_NAME = "must be lower-case letters, digits, '.', '_' and '-'"

Path = tuple[str | int, ...]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Constant(_Struct, frozen=True):
    """What every row gets of an output when nothing else could answer."""

    datatype: str
    value: float | int | bool | str


class Arm(_Struct, frozen=True):
    """A part of the traffic; `name` is what answers and metrics call it."""

    name: str
    weight: Annotated[float, msgspec.Meta(ge=0)]
    to: Node


class Split(_Struct, frozen=True):
    """Sticky by `key`: who is in an arm stays there while its weight does not fall."""

    arms: Annotated[tuple[Arm, ...], msgspec.Meta(min_length=1, max_length=16)]
    key: str = "id"
    salt: str = ""


class Case(_Struct, frozen=True):
    """The rows for which `when` holds, and for which no case before it did.

    `name` is what answers and metrics call it, `case-N` when it has none.
    """

    when: str
    to: Node
    name: str = ""


class Switch(_Struct, frozen=True):
    cases: Annotated[tuple[Case, ...], msgspec.Meta(min_length=1, max_length=32)]
    default: Node


class Step(_Struct, frozen=True):
    """One model of a chain; `give` renames its outputs to inputs of the steps after it."""

    to: Node
    give: dict[str, str] = {}


class Node(_Struct, frozen=True):
    """Exactly one of them: a model (with an optional version), or a way to choose among nodes.

    `first` tries its nodes in order until one answers.
    """

    model: str | None = None
    version: Annotated[int, msgspec.Meta(ge=1, le=MAX_VERSION)] | None = None
    split: Split | None = None
    switch: Switch | None = None
    chain: Annotated[tuple[Step, ...], msgspec.Meta(min_length=1, max_length=8)] | None = None
    first: Annotated[tuple[Node, ...], msgspec.Meta(min_length=1, max_length=8)] | None = None
    constant: dict[str, Constant] | None = None

    @property
    def kinds(self) -> list[str]:
        names = ("model", "split", "switch", "chain", "first", "constant")
        return [name for name in names if getattr(self, name) is not None]


class Shadow(_Struct, frozen=True):
    """A version that also sees a share of the requests, whose answers nobody gets."""

    model: str
    version: Annotated[int, msgspec.Meta(ge=1, le=MAX_VERSION)]
    share: Share = 1.0
    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 1e-3
    most_disagreement: Share = 0.01


class Route(_Struct, frozen=True):
    """What answers requests for one name that ask for no version."""

    to: Node
    shadow: Shadow | None = None


class Routing(_Struct, frozen=True):
    """`frozen`: nobody is to promote a version or give it more traffic; maestro's changes hold to it."""

    schema: Literal["maestro.routing/1"]
    routes: dict[str, Route] = {}
    frozen: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 over its canonical JSON: the same document has the same digest however it is written."""
        plain = json.dumps(msgspec.to_builtins(self), sort_keys=True, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(plain.encode()).hexdigest()}"


EMPTY = Routing("maestro.routing/1")


def read_routing(text: str, name: str) -> Routing:
    """Read YAML or JSON; raises InvalidFile with line and key."""
    document = parse_yaml(text, name)
    routing = document.decode(Routing)
    for route, found in routing.routes.items():
        path: Path = ("routes", route)
        if not MODEL_NAME.fullmatch(route):
            raise document.fail("is not a model's name", path)
        count = sum(1 for _ in _checked(document, found.to, (*path, "to"), 1))
        if count > MAX_NODES:
            raise document.fail(f"has {count} nodes, at most {MAX_NODES} are allowed", path)
        if found.shadow is not None and not MODEL_NAME.fullmatch(found.shadow.model):
            raise document.fail("is not a model's name", (*path, "shadow", "model"))
    return routing


def models_of(routing: Routing) -> set[tuple[str, int | None]]:
    """Every model and version that a document names; None where it names no version."""
    found: set[tuple[str, int | None]] = set()
    for route in routing.routes.values():
        found |= {(node.model, node.version) for node in nodes_of(route.to) if node.model is not None}
        if route.shadow is not None:
            found.add((route.shadow.model, route.shadow.version))
    return found


def nodes_of(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for child, _ in _children(node):
        yield from nodes_of(child)


def _children(node: Node) -> Iterator[tuple[Node, Path]]:
    if node.split:
        yield from ((arm.to, ("split", "arms", n, "to")) for n, arm in enumerate(node.split.arms))
    if node.switch:
        yield from ((case.to, ("switch", "cases", n, "to")) for n, case in enumerate(node.switch.cases))
        yield node.switch.default, ("switch", "default")
    yield from ((step.to, ("chain", n, "to")) for n, step in enumerate(node.chain or ()))
    yield from ((one, ("first", n)) for n, one in enumerate(node.first or ()))


def _checked(document: Document, node: Node, path: Path, depth: int) -> Iterator[Node]:
    if depth > MAX_DEPTH:
        raise document.fail(f"is nested deeper than {MAX_DEPTH} nodes", path)
    if len(node.kinds) != 1:
        told = f"has {' and '.join(node.kinds)}" if node.kinds else "says nothing"
        raise document.fail(f"{told}; exactly one of model, split, switch, chain, first, constant", path)
    for fault, where in _faults(node):
        raise document.fail(fault, (*path, *where))
    yield node
    for child, where in _children(node):
        yield from _checked(document, child, (*path, *where), depth + 1)


def _faults(node: Node) -> Iterator[tuple[str, Path]]:
    """What is wrong with this node itself, and where under it."""
    if node.model is not None and not MODEL_NAME.fullmatch(node.model):
        yield "is not a model's name", ("model",)
    if node.version is not None and node.model is None:
        yield "belongs to a model", ("version",)
    if node.split is not None:
        yield from _split_faults(node.split)
    for place, case in enumerate(node.switch.cases if node.switch else ()):
        try:
            compile_expression(case.when)
        except ExpressionRefused as refused:
            yield str(refused), ("switch", "cases", place, "when")
        if case.name and not MODEL_NAME.fullmatch(case.name):
            yield _NO_NAME, ("switch", "cases", place, "name")
    for name, constant in (node.constant or {}).items():
        if constant.datatype not in NUMPY_TYPES:
            yield f"is not a datatype; {', '.join(NUMPY_TYPES)}", ("constant", name, "datatype")
        elif not _fits(constant):
            yield f"is not a {constant.datatype}", ("constant", name, "value")
    if node.constant == {}:
        yield "needs an output", ("constant",)


def _fits(constant: Constant) -> bool:
    """Whether the datatype has that value: neither wrapped, cut nor infinite."""
    kind, value = NUMPY_TYPES[constant.datatype], constant.value
    if kind.kind in "bO" or isinstance(value, bool | str):
        return isinstance(value, str if kind.kind == "O" else bool) and kind.kind in "bO"
    if kind.kind == "f":
        return abs(value) <= float(np.finfo(kind).max)
    return isinstance(value, int) and np.iinfo(kind).min <= value <= np.iinfo(kind).max


def _split_faults(split: Split) -> Iterator[tuple[str, Path]]:
    names = [arm.name for arm in split.arms]
    for place, name in enumerate(names):
        if not MODEL_NAME.fullmatch(name):
            yield _NO_NAME, ("split", "arms", place, "name")
        if name in names[:place]:
            yield f"is the name of another arm: {name}", ("split", "arms", place, "name")
    if not sum(arm.weight for arm in split.arms) > 0:
        yield "need a weight above 0", ("split", "arms")
    if not STICKY_KEY.fullmatch(split.key):
        yield "must be header:NAME, parameter:NAME or id", ("split", "key")


def write_routing(routing: Routing) -> str:
    """The document as YAML that `read_routing` reads, defaults left out."""
    return dump_yaml(as_plain(routing))


def as_plain(routing: Routing) -> Any:
    """The document as plain data, defaults left out."""
    return msgspec.to_builtins(routing)

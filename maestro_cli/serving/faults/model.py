"""The kinds of faults with the bounds of their parameters, and the order for one.

Invariant: an `Order` that was read is within every bound; nothing unknown in it was passed over.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from maestro_cli.core.decoding import ready
from maestro_cli.core.untrusted import visible
from maestro_cli.serving.errors import RequestError, quoted

MAX_SECONDS = 900.0
MAX_ACTIVE = 16
MAX_ORDER_BYTES = 16 * 1024
MAX_TEXT_CHARACTERS = 200
BEFORE_THE_VERSION = ("parse", "route")  # stages at which nobody knows yet which version will answer
STAGES = ("infer", "features", "encode", *BEFORE_THE_VERSION)  # the first is meant when none is named

Value = float | str


@dataclass(frozen=True, slots=True)
class Number:
    """A parameter from `low` to `high`; None as default: it has to be given."""

    low: float
    high: float
    default: float | None = None
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words; the first is the default."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Words of the drill's author that users will be shown."""

    default: str


Parameter = Number | Choice | Text


@dataclass(frozen=True, slots=True)
class Kind:
    """`is_scoped`: it happens to requests, not to the process; `can_reach`: to health and admin as well."""

    name: str
    does: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    is_scoped: bool = True
    can_reach: bool = False


_AT = Choice(STAGES)
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("latency", "requests wait at a stage",
             {"milliseconds": Number(1, 60_000), "jitter_milliseconds": Number(0, 60_000, 0), "at": _AT},
             can_reach=True),
        Kind("error", "requests fail at a stage",
             {"status": Number(500, 599, 500, is_whole=True), "text": Text("the model failed"), "at": _AT},
             can_reach=True),
        Kind("wrong-answer", "answers are changed: inverted, scaled, or the first one given to all",
             {"mode": Choice(("invert", "scale", "frozen")), "factor": Number(-1000, 1000, 100)}),
        Kind("stale-features", "every request is answered for the features of the first one"),
        Kind("swapped-features", "two columns of an input are exchanged",
             {"first": Number(0, 4095, 0, is_whole=True), "second": Number(0, 4095, 1, is_whole=True)}),
        Kind("dependency", "what the features come from does not answer: a wait, then 503",
             {"milliseconds": Number(0, 60_000, 1000)}),
        Kind("cpu", "child processes that compute", {"processes": Number(1, 16, 1, is_whole=True)},
             is_scoped=False),
        Kind("memory", "the process grows up to a ceiling",
             {"mebibytes_per_second": Number(1, 256, 16), "ceiling_mebibytes": Number(1, 1024)},
             is_scoped=False),
        Kind("crash", "the process ends at the first request in scope",
             {"code": Number(1, 255, 70, is_whole=True)}),
        Kind("hang", "requests are not answered until it ends", can_reach=True),
        Kind("slow-drain", "a drain takes that much longer", {"drain_seconds": Number(1, 300)},
             is_scoped=False),
    )
}  # fmt: skip
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    value: str


class Scope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom it meets: "" and None mean any; `share` is drawn by decision id."""

    model: str = ""
    version: int | None = None
    share: float = 1.0
    header: Header | None = None
    health: bool = False
    admin: bool = False


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    seconds: float
    parameters: dict[str, float | str] = {}
    scope: Scope = Scope()
    seed: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A fault that may be started; `parameters` holds every one of its kind, defaults filled in."""

    kind: str
    seconds: float
    parameters: Mapping[str, Value]
    scope: Scope
    seed: int
    note: str

    def number(self, name: str) -> float:
        return float(self.parameters[name])

    @property
    def stage(self) -> str:
        """Where in a request it happens."""
        return "features" if self.kind == "dependency" else str(self.parameters.get("at", "infer"))


_DECODER = msgspec.json.Decoder(ready(_Body))


def read_order(content: bytes) -> Order:
    """The order in a request's body; raises RequestError (400, 413) naming what is wrong in it."""
    if len(content) > MAX_ORDER_BYTES:
        raise RequestError(f"a fault's order is larger than {MAX_ORDER_BYTES} bytes", status=413)
    try:
        body = _DECODER.decode(content)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise RequestError(f"not a fault's order: {str(error)[:300]}") from error
    kind = KINDS.get(body.kind)
    if kind is None:
        raise RequestError(f"no such kind of fault: {quoted(body.kind)}; there are {', '.join(KINDS)}")
    if not 0 < body.seconds <= MAX_SECONDS:
        raise RequestError(f"seconds must be above 0 and at most {MAX_SECONDS:g}: every fault has an end")
    if len(body.note) > MAX_TEXT_CHARACTERS or (body.seed is not None and not 0 <= body.seed < 2**63):
        raise RequestError(f"note has at most {MAX_TEXT_CHARACTERS} characters, seed is from 0 to 2^63")
    order = Order(
        kind.name,
        body.seconds,
        _parameters(kind, body.parameters),
        body.scope,
        secrets.randbits(32) if body.seed is None else body.seed,
        visible(body.note, MAX_TEXT_CHARACTERS),
    )
    _check_scope(kind, order)
    return order


def _parameters(kind: Kind, given: Mapping[str, Value]) -> dict[str, Value]:
    for name in given:
        if name not in kind.parameters:
            known = ", ".join(kind.parameters) or "none"
            raise RequestError(f"{kind.name} has no parameter {quoted(name)}; it has {known}")
    return {name: _checked(name, what, given.get(name)) for name, what in kind.parameters.items()}


def _checked(name: str, what: Parameter, given: Value | None) -> Value:
    if isinstance(what, Number):
        value = what.default if given is None else given
        is_number = isinstance(value, int | float) and what.low <= value <= what.high
        if not isinstance(value, int | float) or not is_number or (what.is_whole and value != int(value)):
            kind = "a whole number" if what.is_whole else "a number"
            raise RequestError(f"parameter {name} must be {kind} from {what.low:g} to {what.high:g}")
        return float(value)
    if isinstance(what, Choice):
        if given is not None and given not in what.words:
            raise RequestError(f"parameter {name} must be one of {', '.join(what.words)}")
        return given if given is not None else what.words[0]
    if given is not None and not (isinstance(given, str) and 0 < len(given) <= MAX_TEXT_CHARACTERS):
        raise RequestError(f"parameter {name} must be a text of at most {MAX_TEXT_CHARACTERS} characters")
    return visible(str(given), MAX_TEXT_CHARACTERS) if given is not None else what.default


def _check_scope(kind: Kind, order: Order) -> None:
    scope = order.scope
    if not kind.is_scoped and scope != Scope():
        raise RequestError(f"{kind.name} happens to the whole process: it takes no scope")
    if not 0 < scope.share <= 1:
        raise RequestError("share must be above 0 and at most 1")
    if (scope.health or scope.admin) and not kind.can_reach:
        raise RequestError(f"{kind.name} cannot reach health or admin")
    if scope.version is not None:
        if not scope.model:
            raise RequestError("a version needs its model")
        if order.stage in BEFORE_THE_VERSION:
            raise RequestError(f"which version will answer is not known at {order.stage} yet")
    if kind.name == "swapped-features" and order.number("first") == order.number("second"):
        raise RequestError("first and second are the same column")
    header = scope.header
    if header is not None and not (_HEADER_NAME.fullmatch(header.name) and len(header.value) <= 256):
        raise RequestError("header must be a header's name and a value of at most 256 characters")

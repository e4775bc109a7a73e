"""Actions as data.

Invariant: danger is data; it decides the dialog. An action is about targets that were captured when it was
asked for, each by its id, never about a row. What changes the world gives a plan of `changes`; what only
records something (an acknowledgement, a note) is done at once, after a question where it needs words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from maestro_cli.config.explanation import suggestion
from maestro_cli.core.errors import UsageError

if TYPE_CHECKING:
    from maestro_cli.changes.model import Plan
    from maestro_cli.changes.offering import Plans
    from maestro_cli.core.cancellation import Cancellation
    from maestro_cli.core.progress import Progress
    from maestro_cli.output.views import View
    from maestro_cli.services.root import Services
    from maestro_cli.tui.screens.model import Place
    from maestro_cli.tui.store.model import FactKey

Answers = Mapping[str, str]


class Danger(Enum):
    """How much an action can hurt, and so how it is agreed to.

    `observe`: at once. `record`: writes the journal only, at once or after its words. `reversible`: Enter
    on a focused Cancel is no; `disruptive`: the target is typed; `destructive`: the target is typed and,
    where it cannot be undone, a second person approves.
    """

    OBSERVE = "observe"
    RECORD = "record"
    REVERSIBLE = "reversible"
    DISRUPTIVE = "disruptive"
    DESTRUCTIVE = "destructive"

    @property
    def needs_arming(self) -> bool:
        return self in (Danger.REVERSIBLE, Danger.DISRUPTIVE, Danger.DESTRUCTIVE)

    @property
    def needs_typing(self) -> bool:
        return self in (Danger.DISRUPTIVE, Danger.DESTRUCTIVE)


@dataclass(frozen=True, slots=True)
class Target:
    """What an action is about, by its id; `name` is what people type, `item` the fact as it was shown."""

    context: str
    kind: str
    id: str
    name: str
    item: Any = None


def sites_of(targets: Sequence[Target]) -> tuple[str, ...]:
    """The contexts of targets, each once."""
    return tuple(dict.fromkeys(target.context for target in targets if target.context))


@dataclass(frozen=True, slots=True)
class Ask:
    """A word that an action needs; `choices` where only some will do, `check` raises UsageError.

    `offers` reads, when it is asked for, what may be chosen, with a word of each. Where `is_asked` says
    no, the default is the answer.
    """

    name: str
    label: str
    default: Callable[[Target], str] = lambda target: ""
    choices: tuple[str, ...] = ()
    check: Callable[[str], object] | None = None
    is_needed: bool = True
    offers: Callable[[Services], Mapping[str, str]] | None = None
    is_asked: Callable[[Target], bool] = lambda target: True
    offered: Mapping[str, str] = field(default_factory=dict, compare=False)  # what `offers` read


def fault_of(ask: Ask, text: str) -> str:
    """What is wrong with an answer, in words; "" when nothing is."""
    if not text:
        return f"{ask.label}: it is needed" if ask.is_needed else ""
    if ask.offered and text not in ask.offered:
        return f"{ask.label}: there is no {text}; {suggestion(text, ask.offered)}"
    if ask.choices and text not in ask.choices:
        return f"{ask.label}: one of {', '.join(ask.choices)}"
    if ask.check is not None:
        try:
            ask.check(text)
        except (UsageError, ValueError) as error:
            return f"{ask.label}: {error}"
    return ""


class Agree(Protocol):
    """Shows a view and asks; True for yes.

    `word` is on the button of a yes; "" where there is none, since it is refused whatever is said. `name` is
    what is typed for a yes, "" for nothing. Raises GateNotMet where the action is refused by the
    time of the yes.
    """

    def __call__(self, title: str, view: View, word: str, name: str = "") -> bool: ...


@dataclass(frozen=True)
class Doing:
    """What an action works with that is more than one record or one plan, such as a run.

    `tell` puts a fact into the store and `forget` takes it out;
    `go_on` does another action on the same target, refused as that one is, and says how it ended.
    `typed_context` is what was typed where the context is protected; `open` leads to a place whoever still
    looks at where it was asked for.
    """

    services: Services
    target: Target
    answers: Answers
    progress: Progress
    cancellation: Cancellation
    agree: Agree
    tell: Callable[[FactKey, Any], None]
    forget: Callable[[FactKey], None]
    go_on: Callable[[Action, Answers], str]
    typed_context: str = ""
    open: Callable[[Place], None] = lambda place: None


@dataclass(frozen=True)
class Action:
    """`id` is dotted (`pods.delete`) and names the key in keys.yaml. Exactly one of `opens`, `records`,
    `plans`, `plans_in_turn` and `performs` is given; of plans in turn each is made once the one before it is
    done, and anew where it went stale (`changes.offering`). `line` is the command that does the same, without
    `maestro` and `--context`; `kind` is that of the change it plans, where it is always the same. `grade` is
    how dangerous it is for one target, where that is more; `refuses` says why it is not for a target as it
    was shown, or "". `is_of_now`: it ends what is at work now, also while the console shows the past.
    `is_of_context`: it opens what is of the context, so that nothing has to be chosen.
    """

    id: str
    title: str
    tooltip: str
    danger: Danger
    line: Callable[[Target, Answers], tuple[str, ...]]
    key: str = ""
    asks: tuple[Ask, ...] = ()
    is_bulk: bool = False
    opens: Callable[[Target], Place] | None = None
    records: Callable[[Services, Target, Answers], str] | None = None
    plans: Callable[[Services, Target, Answers], Plan] | None = None
    plans_in_turn: Callable[[Services, Target, Answers], Plans] | None = None
    performs: Callable[[Doing], str] | None = None
    cause: Callable[[Target], str] = lambda target: "console"  # of a change, for its record
    kind: str = ""
    grade: Callable[[Target], Danger] | None = None
    refuses: Callable[[Target], str] = lambda target: ""
    is_of_now: bool = False
    is_of_context: bool = False

    def on(self, targets: Iterable[Target]) -> Action:
        """The action as it is for these: as dangerous as for the one that it can hurt most."""
        if self.grade is None:
            return self
        return replace(self, danger=max((self.danger, *map(self.grade, targets)), key=list(Danger).index))

    @property
    def worst(self) -> Danger:
        """As dangerous as it can be for some target."""
        return self.danger if self.grade is None else Danger.DESTRUCTIVE

    def __post_init__(self) -> None:
        plans = (self.plans, self.plans_in_turn)
        given = sum(one is not None for one in (self.opens, self.records, *plans, self.performs))
        if given != 1:
            raise ValueError(f"{self.id} needs one of opens, records, plans, plans_in_turn and performs")
        if self.performs is None and any(plans) is not self.danger.needs_arming:
            raise ValueError(f"{self.id}: {self.danger.value} does not fit what it does")

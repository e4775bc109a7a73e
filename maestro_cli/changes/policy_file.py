"""`policy.yaml`: what may be changed in a context, by whom, how far and when.

Invariant: a policy only forbids or asks for more; nothing in it allows what something else refuses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from maestro_cli.changes.kinds import KINDS
from maestro_cli.config.strict import Document, read_yaml, suggestion
from maestro_cli.core.cron import Cron, parse_cron
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.core.refs import is_name, names_nothing
from maestro_cli.core.selectors import selector_matches
from maestro_cli.slo.objectives import LONGEST_WINDOW_SECONDS, Objective

LEAST_WINDOW_SECONDS = 3600.0
MAX_FREEZE_SECONDS = 31 * 86_400
Share = Annotated[float, Meta(gt=0, le=1)]
Left = Annotated[float, Meta(ge=0, lt=1)]
Count = Annotated[int, Meta(ge=0)]


class Rule(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """For changes of these `kinds` (all by default) to these `targets` (patterns such as `ml/deploy/*`).

    `selector` are labels that the target has to have, as in `kubectl -l`.

    `who` may make them: patterns over the cluster's name of the caller, or the actor where it tells none. At
    most `max_share` of the namespace's pods and `max_replicas` replicas end.
    With `two_person` a second person approves it, one of `approvers` (patterns as in `who`) if that is given.
    """

    name: str
    kinds: list[str] = []
    targets: list[str] = []
    selector: str = ""
    who: list[str] | None = None
    max_share: Share | None = None
    max_replicas: Count | None = None
    two_person: bool = False
    approvers: list[str] | None = None


class Freeze(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """No change of these kinds and targets for `duration` from each time of `cron` in `zone`.

    Kinds in `but` are let through.
    """

    name: str
    cron: str
    duration: str
    zone: str = "UTC"
    kinds: list[str] = []
    targets: list[str] = []
    selector: str = ""
    but: list[str] = []


class Budget(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """No change of these kinds and targets while less than `left_at_least` of an objective's budget is left.

    What is left is of the objective's own window, or of the last `window` where a Prometheus keeps no more.
    With `two_person` a second person may approve it instead. Kinds in `but` are let through. What is left and
    cannot be measured is not enough. `by_standing` has the limits of the budget policy instead of one of its
    own: nothing left refuses, at most a quarter asks for a second person, at most half keeps canaries small.
    """

    name: str
    objective: str
    left_at_least: Left = 0.0
    window: str = ""
    by_standing: bool = False
    kinds: list[str] = []
    targets: list[str] = []
    selector: str = ""
    but: list[str] = []
    two_person: bool = False

    def of(self, objective: Objective) -> Objective:
        """The objective over the window that is weighed."""
        if not self.window:
            return objective
        return replace(objective, window_seconds=parse_duration_seconds(self.window), calendar=None)


class PolicyFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`namespaces`: the only ones that may be changed; all when it is left out. `undo`: see UndoPolicy."""

    schema: Literal["maestro.policy/1"]
    read_only: bool = False
    protected: bool = False
    undo: Literal["always", "when_it_was_up", "never", "ask"] = "when_it_was_up"
    namespaces: list[str] | None = None
    rules: list[Rule] = []
    freezes: list[Freeze] = []
    budgets: list[Budget] = []


@dataclass(frozen=True, slots=True)
class Window:
    """When a freeze begins, and for how long it holds."""

    cron: Cron
    zone: ZoneInfo
    duration: timedelta


@dataclass(frozen=True, slots=True)
class PolicyRules:
    """A policy that was read and checked, with the place of each part; a window for each freeze."""

    content: PolicyFile
    windows: tuple[Window, ...]
    document: Document

    def place(self, *path: str | int) -> str:
        """`file:line` of a part."""
        return f"{self.document.file}:{self.document.line_of(path)}"


def load_policy(path: Path) -> PolicyRules:
    """Read and check a policy. Raises InvalidFile, which names file, line and key."""
    document = read_yaml(path)
    content = document.decode(PolicyFile)
    for index, namespace in enumerate(content.namespaces or ()):
        if not is_name(namespace):
            raise document.fail(
                f"{namespace!r} is not a Kubernetes name", ("namespaces", index),
                fix="use a-z, 0-9, '-' and '.'; patterns are for targets",
            )  # fmt: skip
    names: set[str] = set()
    for part in ("rules", "freezes", "budgets"):
        each: Rule | Freeze | Budget
        for index, each in enumerate(getattr(content, part)):
            at = (part, index)
            if not each.name or each.name in names:
                what = f"{each.name!r} is there twice" if each.name else "a rule needs a name"
                raise document.fail(what, (*at, "name"), fix="give each rule and freeze a name of its own")
            names.add(each.name)
            _check_selector(document, each.selector, (*at, "selector"))
            if getattr(each, "approvers", None) is not None and not getattr(each, "two_person", False):
                raise document.fail("nobody has to approve", (*at, "approvers"), fix="add two_person: true")
            if isinstance(each, Budget) and each.by_standing and (each.left_at_least or each.two_person):
                raise document.fail(
                    "the budget policy has limits of its own", (*at, "by_standing"),
                    fix="leave out left_at_least and two_person",
                )  # fmt: skip
            if isinstance(each, Budget) and each.window:
                _check_window(document, each.window, (*at, "window"))
            _check_targets(document, each.targets, (*at, "targets"))
            for key in ("kinds", "but"):
                _check_kinds(document, getattr(each, key, []), (*at, key))
    windows = tuple(_window(document, each, index) for index, each in enumerate(content.freezes))
    return PolicyRules(content, windows, document)


def _check_selector(document: Document, selector: str, at: tuple[str | int, ...]) -> None:
    try:
        selector_matches(selector, {})
    except ValueError as error:
        raise document.fail(str(error), at, fix="write app=fraud,tier in (web,api)") from error


def _check_window(document: Document, text: str, at: tuple[str | int, ...]) -> None:
    try:
        seconds = parse_duration_seconds(text)
    except ValueError as error:
        raise document.fail(str(error), at, fix="write 7d") from error
    if not LEAST_WINDOW_SECONDS <= seconds <= LONGEST_WINDOW_SECONDS:
        raise document.fail("must be an hour at least, and five years at most", at, fix="write 7d")


def _check_targets(document: Document, targets: list[str], at: tuple[str | int, ...]) -> None:
    """A pattern that can match nothing would hold nothing, and nobody would see it."""
    for index, pattern in enumerate(targets):
        instead = names_nothing(pattern)
        if instead:
            raise document.fail(f"no target has a name like {pattern!r}", (*at, index), fix=instead)


def _check_kinds(document: Document, kinds: list[str], at: tuple[str | int, ...]) -> None:
    for index, kind in enumerate(kinds):
        if kind not in KINDS:
            raise document.fail(
                f"{kind!r} is not a kind of change", (*at, index), fix=suggestion(kind, KINDS)
            )


def _window(document: Document, freeze: Freeze, index: int) -> Window:
    at = ("freezes", index)
    try:
        cron = parse_cron(freeze.cron)
    except ValueError as error:
        fix = "minute hour day month weekday, such as '0 16 * * fri'"
        raise document.fail(str(error), (*at, "cron"), fix=fix) from error
    try:
        seconds = parse_duration_seconds(freeze.duration)
    except ValueError as error:
        raise document.fail(str(error), (*at, "duration"), fix="write 64h or 2d12h") from error
    if not 0 < seconds <= MAX_FREEZE_SECONDS:
        raise document.fail("must be above 0 and at most 31d", (*at, "duration"))
    try:
        zone = ZoneInfo(freeze.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        fix = "use a name such as Europe/Berlin, or UTC"
        raise document.fail(f"{freeze.zone!r} is not a time zone", (*at, "zone"), fix=fix) from error
    return Window(cron, zone, timedelta(seconds=seconds))

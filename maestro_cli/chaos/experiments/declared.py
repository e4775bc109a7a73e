"""What an experiment declares for maestro, in its extension. Invariant: every refusal has its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import floor
from typing import Any, TypeVar

from maestro_cli.changes.kinds.kind import Option
from maestro_cli.chaos.experiments.spec import (
    ArmsPart,
    DrillPart,
    FailoverPart,
    FaultPart,
    MaestroPart,
    SteadyPart,
    StopPart,
    Target,
)
from maestro_cli.chaos.faults import FAULTS
from maestro_cli.chaos.model import (
    GOOD_IN_A_ROW,
    ArmQueries,
    Count,
    ExpectedResponse,
    FailoverBounds,
    FaultOrder,
    Guarded,
    StopCondition,
    TargetRule,
    Tolerated,
)
from maestro_cli.config.explanation import explain
from maestro_cli.config.strict import Document, Path_, suggestion
from maestro_cli.core.errors import UsageError
from maestro_cli.core.quantities import format_duration, parse_duration_seconds
from maestro_cli.core.refs import checked_namespace, parse_workload_ref
from maestro_cli.core.selectors import selector_matches

NAME = "maestro"
MAX_SECONDS = 3600.0
MAX_RECOVERY_SECONDS = 7 * 86400.0
TINY_SECONDS = 1e-6  # 3 × 0.1 is more than 0.3
_WHEN = re.compile(r"\s*(>=|<=|>|<)\s*([+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)\s*")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)%")
T = TypeVar("T")


def read_guarded(document: Document, extensions: Sequence[Mapping[str, Any]]) -> Guarded | None:
    """The one extension of that name, or None where there is none; raises InvalidFile."""
    places = [index for index, one in enumerate(extensions) if one.get("name") == NAME]
    if not places:
        return None
    if len(places) > 1:
        raise document.fail("there are two extensions `maestro`", ("extensions", places[1]))
    return _Reading(document, ("extensions", places[0])).whole(extensions[places[0]])


class _Reading:
    def __init__(self, document: Document, at: Path_) -> None:
        self._document, self._at = document, at

    def whole(self, data: Mapping[str, Any]) -> Guarded:
        document, at = self._document, self._at
        part: MaestroPart = explain(
            data, MaestroPart, lambda what, place, fix: document.fail(what, (*at, *place), fix=fix)
        )
        faults = tuple(self._fault(one, index, part.target) for index, one in enumerate(part.faults))
        names = [one.name for one in faults]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise self._fail(f"there are two faults {name!r}", ("faults", index, "name"))
        duration = self._seconds(part.duration, ("duration",)) if part.duration else None
        tolerated = self._tolerated(part.steady_state)
        recovery = self._seconds(part.recovery, ("recovery",))
        if faults and document.data.get("steady-state-hypothesis"):
            at_every = "every" in data.get("steady_state", ())
            self._check_looks(tolerated, recovery, ("steady_state", "every") if at_every else ("recovery",))
        drill = None if part.drill is None else self._drill(part.drill, faults, part.objectives, duration)
        return Guarded(
            faults=faults,
            duration_seconds=duration,
            stop=tuple(self._stop(one, index) for index, one in enumerate(part.stop)),
            objectives=tuple(part.objectives),
            control=part.control,
            tolerated=tolerated,
            recovery_seconds=recovery,
            arms=None if part.arms is None else self._arms(part.arms, part.control),
            failover=self._failover(part.failover),
            drill=drill,
        )

    def _drill(
        self, part: DrillPart, faults: Sequence[FaultOrder], objectives: Sequence[str], usual: float | None
    ) -> ExpectedResponse:
        """There is one truth: one fault, in one place."""
        at: Path_ = ("drill",)
        if len(faults) != 1:
            raise self._fail("is about one fault", at, why=f"{len(faults)} are declared")
        rule = faults[0].target
        if rule.workload is None:
            raise self._fail("is about a workload", at, fix="target: {workload: ml/deploy/fraud}")
        if part.true_cause is not None and rule.count != Count(number=1):
            what = f"a drill names one {part.true_cause}, and its fault may meet more"
            raise self._fail(what, (*at, "true_cause"), fix="count: 1")
        if part.repairs and part.repairs not in part.answers:
            fix = suggestion(part.repairs, part.answers) if part.answers else "answers: {STEP: yes}"
            raise self._fail("is no step that is answered", (*at, "repairs"), fix=fix)
        seconds = self._seconds(part.duration, (*at, "duration")) if part.duration else usual
        if seconds is None:
            raise self._fail("declares no duration", at, fix="duration: 3m")
        keys = ("alert", "runbook", "right_fix", "objective", *(f"answers.{step}" for step in part.answers))
        return ExpectedResponse(
            alert=part.alert,
            runbook=part.runbook,
            right_fix=part.right_fix,
            true_cause=part.true_cause,
            objective=part.objective or (objectives[0] if objectives else None),
            duration_seconds=seconds,
            patience_seconds=self._seconds(part.patience, (*at, "patience")),
            answers=dict(part.answers),
            repairs=part.repairs,
            lines={key: self._document.line_of((*self._at, *at, *key.split(".", 1))) for key in keys},
        )

    def _arms(self, part: ArmsPart, control: int) -> ArmQueries:
        if not control:
            raise self._fail("compares with nothing", ("arms",), fix="control: 1")
        for name, query in (("bad", part.bad), ("all", part.all)):
            for place in ("$PODS", "$WINDOW"):
                if place not in query:
                    fix = 'sum(increase(requests_total{pod=~"$PODS"}[$WINDOW]))'
                    raise self._fail(f"does not name {place}", ("arms", name), fix=fix)
        return ArmQueries(part.bad, part.all, self._read(lambda: _share(part.most), ("arms", "most")))

    def _fault(self, part: FaultPart, index: int, target: Target | None) -> FaultOrder:
        at: Path_ = ("faults", index)
        known = FAULTS.get(part.fault)
        if known is None:
            raise self._fail(
                f"there is no fault {part.fault!r}", (*at, "fault"), fix=suggestion(part.fault, FAULTS)
            )
        wanted = part.target or target
        if wanted is None:
            raise self._fail("a fault without a target is never about everything", at, fix="add target:")
        where: Path_ = (*at, "target") if part.target is not None else ("target",)
        parameters = self._parameters(part, known.options, at)
        line = self._document.line_of((*self._at, *at))
        return FaultOrder(part.name, part.fault, parameters, self._rule(wanted, where), line)

    def _parameters(self, part: FaultPart, options: Mapping[str, Option], at: Path_) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in part.parameters.items():
            place = (*at, "parameters", name)
            if name not in options:
                raise self._fail(
                    f"{part.fault} has no parameter {name!r}", place, fix=suggestion(name, options)
                )
            text = str(value).lower() if isinstance(value, bool) else f"{value}"
            found[name] = self._read(lambda text=text, name=name: options[name].read(text), place)  # type: ignore[misc]
        missing = [name for name, option in options.items() if option.needed and name not in found]
        if missing:
            raise self._fail(f"{part.fault} needs {missing[0]}", at, fix=f"parameters: {{{missing[0]}: …}}")
        return found

    def _rule(self, part: Target, at: Path_) -> TargetRule:
        """Raises InvalidFile where it names everything, or nothing."""
        workload = None
        if part.workload:
            workload = self._read(
                lambda: parse_workload_ref(part.workload, namespace=part.namespace or None), (*at, "workload")
            )
        elif not (part.namespace and part.selector):
            why = "a target that is left open is never `all`"
            raise self._fail("names neither a workload nor labels in a namespace", at, why=why)
        namespace = workload.namespace if workload else part.namespace
        self._read(lambda: checked_namespace(namespace), (*at, "namespace"))
        self._read(lambda: selector_matches(part.selector, {}), (*at, "selector"))
        return TargetRule(
            namespace, workload, part.selector, self._read(lambda: read_count(part.count), (*at, "count"))
        )

    def _stop(self, part: StopPart, index: int) -> StopCondition:
        match = _WHEN.fullmatch(part.when)
        if match is None:
            raise self._fail("is no comparison with a number", ("stop", index, "when"), fix='when: "> 0.05"')
        elsewhere = part.region == "other"
        return StopCondition(part.query, match.group(1), float(match.group(2)), elsewhere)

    def _failover(self, part: FailoverPart) -> FailoverBounds:
        rto, rpo, every = (
            self._seconds(text, ("failover", name), MAX_RECOVERY_SECONDS)
            for name, text in (("rto", part.rto), ("rpo", part.rpo), ("every", part.every))
        )
        return FailoverBounds(rto, rpo, every)

    def _tolerated(self, part: SteadyPart) -> Tolerated:
        every = self._seconds(part.every, ("steady_state", "every"))
        misses = self._read(lambda: _share(part.misses), ("steady_state", "misses"))
        return Tolerated(every, misses, part.in_a_row)

    def _check_looks(self, tolerated: Tolerated, recovery_seconds: float, at: Path_) -> None:
        """Raises InvalidFile where the looks that prove a recovery do not fit in its time."""
        every = tolerated.every_seconds
        if GOOD_IN_A_ROW * every <= recovery_seconds + TINY_SECONDS:
            return
        most = floor((recovery_seconds + TINY_SECONDS) * 10 / GOOD_IN_A_ROW) / 10
        fix = f"every: {most:g}s" if most else "recovery: 300ms, with every: 100ms"
        why = f"{GOOD_IN_A_ROW} looks prove one: every {every:g} s, within {recovery_seconds:g} s"
        raise self._fail("no recovery can be seen in time", at, why=why, fix=fix)

    def _seconds(self, text: str, at: Path_, most: float = MAX_SECONDS) -> float:
        seconds = self._read(lambda: parse_duration_seconds(text), at)
        if not 0.1 <= seconds <= most:
            raise self._fail(f"is not between 100ms and {format_duration(most)}", at)
        return seconds

    def _read(self, read: Callable[[], T], at: Path_) -> T:
        try:
            return read()
        except UsageError as error:
            raise self._fail(error.what, at, fix=error.fix) from error
        except ValueError as error:
            raise self._fail(str(error), at) from error

    def _fail(self, what: str, at: Path_, *, why: str = "", fix: str = "") -> Exception:
        return self._document.fail(what, (*self._at, *at), why=why, fix=fix)


def read_count(count: int | str) -> Count:
    """`2`, or `25%`; raises ValueError."""
    if isinstance(count, str) and not count.isdigit():
        return Count(share=_share(count))
    number = int(count)
    if not 1 <= number <= 1000:
        raise ValueError(f"{number} is not between 1 and 1000")
    return Count(number=number)


def _share(text: str) -> float:
    match = _SHARE.fullmatch(text)
    if match is None or float(match.group(1)) > 100:
        raise ValueError(f"{text[:20]!r} is no share such as 25%")
    return float(match.group(1)) / 100

"""Set resources: what containers of a workload ask for and where they end, cores and memory.

Invariant: containers are named (one alone needs no name), amounts are quantities above zero, no limit is
below its request, and what falls by more than a half, or while an incident is open, is accepted by name. It
holds when every replica has run with them for a while, none was killed for its memory, and no objective of
the workload burns as fast as a page asks for: a size that is too small shows under load and not when a
replica gets ready.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, ClassVar

from maestro_cli.changes.candidates.answers import read_burning
from maestro_cli.changes.candidates.measuring import why_uncounted
from maestro_cli.changes.kinds.containers import container_named, only_container, with_container
from maestro_cli.changes.kinds.kind import Holds, Observation, Option, Request, seconds_of, words
from maestro_cli.changes.kinds.rolling import RollingKind, back_to_now, paused, seen
from maestro_cli.changes.kinds.workload import workload_of
from maestro_cli.changes.kinds.writing import Draft, Spec
from maestro_cli.changes.model import Plan, Risk
from maestro_cli.changes.own_pods import own_pods
from maestro_cli.changes.ports import World
from maestro_cli.changes.resource_words import RESOURCE_WORD, Amounts, killed_text
from maestro_cli.changes.template import diff_templates
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.errors import MaestroError, NotFound, Refused, UsageError
from maestro_cli.core.facts.cluster import Pod, Workload
from maestro_cli.core.quantities import format_duration, parse_quantity
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.core.untrusted import visible

WATCH_SECONDS = 60.0
LARGE_CUT = "large-cut"
LARGEST_CUT = 0.5  # of what there is, without accepting the risk
OPEN_INCIDENT = "open-incident"
_WATCH = "watch_seconds"
_KILLED = "OOMKilled"


class SetResources(RollingKind):
    """Parameters: `resources`, a list of `[CONTAINER/]requests.cpu=AMOUNT` and `…-`; `watch_seconds`."""

    name = "set-resources"
    options: ClassVar[Mapping[str, Option]] = {
        "resources": Option(words, needed=True),
        _WATCH: Option(seconds_of),
    }

    def draft(self, world: World, workload: Workload, request: Request) -> Draft:
        """Raises UsageError for what is no amount, NotFound for a container that is not there."""
        ref = workload.ref
        amounts = read_resources(request.parameters.get("resources"), workload)
        watch = _watch(request.parameters.get(_WATCH))
        spec = _with_resources(workload, amounts)
        text = ", ".join(_words(amounts))
        return Draft(
            parameters={"resources": _words(amounts), _WATCH: watch},
            summary=f"set resources in {ref}: {text}",
            spec=spec,
            diff=diff_templates(workload.template, spec["template"]),
            holds=f"every replica of {ref} has run with these resources for {format_duration(watch)}, "
            "none was killed for its memory, and no objective of it burns",
            undo=back_to_now(workload),
            risks=(*_large_cuts(workload, amounts), *_while_hurt(world, workload, amounts)),
            ended=workload.replicas_wanted,
            objections=paused(workload),
            recent=seen(world.cluster.list_revisions(ref), request.now, request.written),
        )

    def spec(self, world: World, workload: Workload, plan: Plan) -> Spec:
        return _with_resources(workload, read_resources(plan.parameters["resources"], workload))

    def cause(self, plan: Plan) -> str:
        return f"set resources {' '.join(plan.parameters['resources'])}"

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        """Rolled out, and well for a while under whatever load there is."""
        rolled = super().observe(world, plan, left=left)
        if rolled.holds not in (Holds.YES, Holds.NOT_YET):
            return rolled
        workload = self.read(world, plan.target.ref)
        pods = _newest(world, workload)
        killed = [
            (pod, of) for pod in pods for of in pod.containers if _KILLED in (of.reason, of.last_reason)
        ]
        if killed:
            text = killed_text(killed[0][0].ref, {of.name for _, of in killed})
            return Observation(Holds.NEVER, f"{rolled.text}; {text}", in_effect=True)
        if rolled.holds is Holds.NOT_YET:
            return rolled
        return judge_watch(world, plan, pods, rolled.text)


def judge_watch(world: World, plan: Plan, pods: Sequence[Pod], text: str) -> Observation:
    """Whether it has gone well for long enough, by the clock of what measures it."""
    ref, watch = workload_of(plan.target.ref), float(plan.parameters[_WATCH])
    try:
        told = world.metrics.query("time()").only
        since = max((pod.ready_since for pod in pods if pod.ready_since is not None), default=None)
        services = _services_of(world, ref, pods)
        burning = read_burning(world, ref, watch, services)
    except NotFound as error:  # the context has no metrics
        return Observation(Holds.YES, f"{text}; nothing tells how it does: {error.what}", in_effect=True)
    except MaestroError as error:
        return Observation(Holds.NOT_YET, f"{text}; how it does is not known: {error.what}", in_effect=True)
    if burning:
        return Observation(Holds.NOT_YET, f"{text}; {'; '.join(burning)}", in_effect=True)
    if told is None or since is None:
        return Observation(Holds.NOT_YET, f"{text}; since when is not known", in_effect=True)
    ran = seconds_between(since, datetime.fromtimestamp(told, UTC))
    if ran < watch:
        left = format_duration(watch - ran)
        return Observation(Holds.NOT_YET, f"{text}; it is watched for {left} more", in_effect=True)
    by = why_uncounted(world, ref, services) if burning is None else "no objective of it burns"
    return Observation(Holds.YES, f"{text} for {format_duration(ran)}; {by}", in_effect=True)


def _newest(world: World, workload: Workload) -> list[Pod]:
    """Its pods that have the newest template; all of them where nothing tells which those are."""
    pods = own_pods(world.cluster, workload)
    revisions = world.cluster.list_revisions(workload.ref)
    names = {str(one.name) for one in revisions if one.number == workload.revision}
    newest = [pod for pod in pods if pod.owner in names]
    return newest or list(pods)


def _services_of(world: World, ref: WorkloadRef, pods: Sequence[Pod]) -> set[str]:
    """By whose names objectives may be about it, besides its own; none where they may not be read."""
    names = {pod.name for pod in pods}
    with suppress(Refused):
        return {one.service for one in world.cluster.list_endpoints(ref.namespace) if one.pod in names}
    return set()


def _watch(given: object) -> float:
    if given is None or given == "":
        return WATCH_SECONDS
    if isinstance(given, bool) or not isinstance(given, int | float) or given <= 0:
        raise UsageError(f"{given!r} is no time for which it is watched", fix=f"{_WATCH}: 1m")
    return float(given)


def read_resources(given: object, workload: Workload) -> dict[tuple[str, str, str], str | None]:
    """Amounts by container, side and resource; raises UsageError and NotFound."""
    if not isinstance(given, (list, tuple)) or not given:
        raise UsageError("set-resources needs an amount", fix="CONTAINER/requests.cpu=500m")
    found: dict[tuple[str, str, str], str | None] = {}
    for word in map(str, given):
        match = RESOURCE_WORD.fullmatch(word)
        if match is None:
            raise UsageError(
                f"{visible(word, 80)!r} sets no resource",
                why="a word is [CONTAINER/]requests.cpu=AMOUNT or limits.memory-, to remove it",
                fix="server/requests.cpu=500m",
            )
        container = match[1] or only_container(workload, fix="CONTAINER/requests.cpu=500m")
        container_named(workload, container)
        key = (container, match[2], match[3])
        if key in found:
            raise UsageError(f"{'/'.join(key[:2])}.{key[2]} is given twice")
        found[key] = None if match[5] else _amount(match[4], word)
    return found


def _amount(text: str, word: str) -> str:
    try:
        value = parse_quantity(text)
    except ValueError as error:
        raise UsageError(f"{visible(word, 80)!r}: {error}", fix="cpu=500m, memory=256Mi") from error
    if value <= 0:
        raise UsageError(
            f"{visible(word, 80)!r} leaves nothing",
            why="an amount is above zero",
            fix="requests.cpu- removes it",
        )
    return text


def _large_cuts(workload: Workload, amounts: Amounts) -> Iterator[Risk]:
    """What falls by more than a half at once, or goes: what is too small then shows when it is too late."""
    told = list(_falling(workload, amounts, LARGEST_CUT))
    if told:
        what = f"{workload.ref} would lose more than half of its resources at once"
        yield Risk(LARGE_CUT, what, "; ".join(told))


def _falling(workload: Workload, amounts: Amounts, below: float) -> Iterator[str]:
    """What ends below that share of what there is."""
    for (container, side, resource), amount in amounts.items():
        now = ((container_named(workload, container).get("resources") or {}).get(side) or {}).get(resource)
        if now is None or (amount is None and side == "limits"):
            continue
        after = 0.0 if amount is None else float(parse_quantity(amount))
        if after < float(parse_quantity(str(now))) * below:
            yield f"{visible(container, 60)}/{side}.{resource} from {now} to {amount or 'nothing'}"


def _while_hurt(world: World, workload: Workload, amounts: Amounts) -> Iterator[Risk]:
    """A cut while an incident is open about it, or a grave one near it; a raise may be what ends that."""
    told = list(_falling(workload, amounts, 1.0))
    if not told:
        return
    try:
        found = [one for one in world.open_incidents() if one.hurts(workload.ref)]
    except MaestroError as error:
        what = f"{workload.ref} would be cut, and whether an incident is open is not known"
        yield Risk(OPEN_INCIDENT, what, error.what)
        return
    if found:
        names = ", ".join(one.words for one in found)
        yield Risk(OPEN_INCIDENT, f"{workload.ref} would be cut while {names} is open", "; ".join(told))


def _words(amounts: Amounts) -> list[str]:
    return [
        f"{container}/{side}.{resource}" + ("-" if amount is None else f"={amount}")
        for (container, side, resource), amount in amounts.items()
    ]


def _with_resources(workload: Workload, amounts: Amounts) -> dict[str, Any]:
    template = workload.template
    for name in dict.fromkeys(container for container, _, _ in amounts):
        now = container_named(workload, name).get("resources") or {}
        resources = {side: dict(now.get(side) or {}) for side in ("requests", "limits")}
        for (container, side, resource), amount in amounts.items():
            if container == name and amount is None:
                resources[side].pop(resource, None)
            elif container == name:
                resources[side][resource] = amount
        _check(name, resources)
        others = {key: value for key, value in now.items() if key not in resources}
        kept = {side: of for side, of in resources.items() if of}
        template = with_container(template, name, {"resources": {**others, **kept}})
    return {"template": template}


def _check(name: str, resources: Mapping[str, Mapping[str, str]]) -> None:
    """Raises UsageError: a cluster refuses a limit below its request."""
    for resource, limit in resources["limits"].items():
        request = resources["requests"].get(resource)
        if request is not None and parse_quantity(request) > parse_quantity(limit):
            raise UsageError(
                f"{visible(name, 60)} would ask for more {resource} than its limit",
                why=f"request {request}, limit {limit}",
                fix=f"set limits.{resource} too",
            )

"""Set config: set or remove one key of a config map, and restart what reads it when that is asked for.

Invariant: one key is written, the others stay, and whether a change is still in force is told by that key
alone. A value that is a secret by its looks is refused; one that is
by its key's name is sent and kept nowhere else, as `set-env` does. The restarts are steps after the write,
each noted on its workload by when the plan was made, so that none is restarted twice for one change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from maestro_cli.changes.blast import config_blast
from maestro_cli.changes.config_text import text_diff
from maestro_cli.changes.kinds.held import wholly_held
from maestro_cli.changes.kinds.kind import (
    CAUSE_ANNOTATION,
    CHANGE_ANNOTATION,
    Holds,
    Observation,
    Option,
    Permission,
    Request,
    yes_or_no,
)
from maestro_cli.changes.kinds.rolling import paused
from maestro_cli.changes.kinds.writing import Draft, MarkedKind, Spec
from maestro_cli.changes.model import BlastRadius, Change, GateReason, Plan, Target, Undo
from maestro_cli.changes.ports import ClusterPort, World
from maestro_cli.changes.reach import reached_workloads, with_reach
from maestro_cli.changes.references import config_maps_of
from maestro_cli.changes.template import RESTARTED_AT, holds_secret
from maestro_cli.core.canonical import digest
from maestro_cli.core.clock import from_rfc3339, to_rfc3339
from maestro_cli.core.errors import ActionFailed, ExitCode, MaestroError, NotFound, UsageError
from maestro_cli.core.facts.cluster import ConfigMap, Workload
from maestro_cli.core.quantities import counted
from maestro_cli.core.redaction import Redactor
from maestro_cli.core.refs import ObjectRef, WorkloadRef, parse_workload_ref
from maestro_cli.core.secret_words import HIDDEN
from maestro_cli.core.untrusted import visible

_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")  # as Kubernetes has it (IsConfigMapKey)
MAX_VALUE = 65_536  # characters; a plan is kept in the journal with the value before and after


class SetConfig(MarkedKind[ConfigMap]):
    """Parameters: `key`; `value`, or `remove` (bool); `rollout` (bool, false): restart what reads it."""

    name = "set-config"
    options: ClassVar[Mapping[str, Option]] = {
        "key": Option(str, needed=True),
        "value": Option(str),
        "remove": Option(yes_or_no),
        "rollout": Option(yes_or_no),
    }
    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission("get", "configmaps"),
        *(Permission("list", resource, "apps") for resource in ("deployments", "statefulsets", "daemonsets")),
        Permission("patch", "configmaps"),
    )

    def needs(self, plan: Plan) -> tuple[Permission, ...]:
        """To restart is another permission."""
        kinds = {parse_workload_ref(text).kind for text in plan.parameters["workloads"].values()}
        restarts = (Permission("patch", f"{kind.lower()}s", "apps", named=False) for kind in sorted(kinds))
        return (*self.permissions, *restarts)

    def read(self, world: World, ref: ObjectRef) -> ConfigMap:
        if ref.kind != "ConfigMap":
            raise UsageError(f"{ref} is not a config map", fix="name a config map: configmap/NAME")
        return world.cluster.get_config_map(ref.namespace, ref.name)

    def target(self, found: ConfigMap) -> Target:
        state = digest([found.uid, found.data, sorted(found.binary), found.immutable, self.mark_of(found)])
        return Target(found.ref, found.uid, found.resource_version, found.generation, state)

    def draft(self, world: World, found: ConfigMap, request: Request) -> Draft:
        """Raises ActionFailed when nothing reads the config map and a rollout was asked for."""
        key, value, rollout = _checked(found, request.parameters)
        old = found.data.get(key)
        readers = _readers(world.cluster, found)
        if rollout and not readers:
            raise ActionFailed(
                f"no workload reads {found.ref}: there is nothing to restart",
                why="none of the workloads of its namespace refers to it",
                fix="leave out --rollout",
            )
        restarted = [one for one in readers if rollout and one.replicas_wanted]
        parameters = {
            "key": key, "value": _kept(key, value), "remove": value is None, "rollout": rollout,
            "workloads": {one.uid: str(one.ref) for one in restarted},
        }  # fmt: skip
        return Draft(
            parameters=parameters,
            summary=f"{'remove' if value is None else 'set'} {key} {'from' if value is None else 'of'}"
            f" {found.ref}{_and_restart(restarted)}",
            spec={"data": _with(found, key, value)},
            diff=text_diff(key, old, value),
            holds=f"{found.ref} {'lacks' if value is None else 'has'} {key} as planned{_took(restarted)}",
            undo=_undo(found, key, rollout),
            ended=sum(one.replicas_wanted - one.held_back for one in restarted),
            objections=(*_immutable(found), *_unrestartable(restarted)),
        )

    def blast(self, world: World, found: ConfigMap, draft: Draft, request: Request) -> BlastRadius:
        readers = _readers(world.cluster, found)
        blast = config_blast(
            world.cluster, found, readers, restarted=draft.parameters["rollout"], recent=request.recent
        )
        return with_reach(blast, reached_workloads(readers))

    def is_up(self, found: ConfigMap) -> bool:
        """A config map is never down; what reads it is judged by its rollout."""
        return True

    def spec(self, world: World, found: ConfigMap, plan: Plan) -> Spec:
        """Raises NotFound when the value was a secret: it was kept nowhere."""
        value = plan.parameters["value"]
        if value == HIDDEN:
            raise NotFound(
                f"change {plan.id} cannot be sent again",
                why="it sets a value that is secret, and such a value is not kept",
                fix="plan it again, with the value",
            )
        return {"data": _with(found, plan.parameters["key"], None if plan.parameters["remove"] else value)}

    def spec_of(self, found: ConfigMap) -> Spec:
        return {"data": dict(found.data)}

    def part(self, spec: Spec) -> str:
        return digest(["data", spec["data"]])

    def mark_of(self, found: ConfigMap) -> str:
        return found.annotations.get(CHANGE_ANNOTATION, "")

    def is_left(self, change: Change, undo: Plan) -> bool:
        """By its one key: the others are no business of it, and the undo leaves them as they are now."""
        there = undo.undo  # puts back what is there now
        value = _value_of(change.plan.parameters)
        if there is None or value == HIDDEN:
            return super().is_left(change, undo)
        return (
            there.parameters["key"] == change.plan.parameters["key"] and _value_of(there.parameters) == value
        )

    def is_as_left(self, change: Change, later: Change) -> bool:
        """By the key, whatever became of the others."""
        given, again = change.plan.parameters, later.plan.parameters
        if later.kind != self.name or HIDDEN in (_value_of(given), _value_of(again)):
            return super().is_as_left(change, later)
        return bool(given["key"] == again["key"]) and _value_of(given) == _value_of(again)

    def is_written(self, found: ConfigMap, plan: Plan, left: str) -> bool:
        """As `is_left`, as it is now; what is kept of a secret is no value."""
        value = _value_of(plan.parameters)
        by_key = value != HIDDEN and found.data.get(plan.parameters["key"]) == value
        return by_key or super().is_written(found, plan, left)

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> ConfigMap:
        """An error may repeat what was sent, and is recorded: without the secret."""
        ref, key = plan.target.ref, plan.parameters["key"]
        value = plan.payload["data"].get(key)
        try:
            return world.cluster.write_config_map(
                ref.namespace, ref.name, uid=plan.target.uid, resource_version=resource_version,
                data=plan.payload["data"], annotations=self.annotations(plan), dry_run=dry_run,
            )  # fmt: skip
        except MaestroError as error:
            redactor = Redactor([value] if plan.parameters["value"] == HIDDEN else ())
            error.what, error.why, error.fix = map(redactor.clean, (error.what, error.why, error.fix))
            error.args = (error.what,)
            raise

    def pending(self, world: World, plan: Plan) -> Mapping[str, ObjectRef]:
        """The workloads that were not restarted since the plan was made, by uid."""
        there = _planned(world.cluster, plan)
        return {one.uid: one.ref for one in there if not _restarted_since(one, plan)}

    def take(self, world: World, plan: Plan, ref: ObjectRef, uid: str) -> None:
        """Restart one workload, by its uid and as it is now; raises StalePlan when it is written to."""
        assert isinstance(ref, WorkloadRef)
        found = world.cluster.get_workload(ref)
        meta: Mapping[str, Any] = found.template.get("metadata") or {}
        stamp = {**(meta.get("annotations") or {}), RESTARTED_AT: to_rfc3339(plan.created_at)}
        cause = f"maestro restart for {plan.target.ref} ({plan.id})"
        world.cluster.write_spec(
            ref, uid=uid, resource_version=found.resource_version,
            spec={"template": {**found.template, "metadata": {**meta, "annotations": stamp}}},
            annotations={CHANGE_ANNOTATION: plan.id, CAUSE_ANNOTATION: cause},
        )  # fmt: skip

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        """Still as written, and every planned workload restarted and rolled out."""
        seen = super().observe(world, plan, left=left)
        if seen.holds is not Holds.YES:
            return seen
        for one in _planned(world.cluster, plan):
            if not _restarted_since(one, plan):
                return Observation(Holds.NOT_YET, f"{one.ref} was not restarted yet")
            if not one.is_rolled_out:
                ready = (
                    f"{one.ref} has {one.replicas_updated} new of {counted(one.replicas_wanted, 'replica')}"
                )
                return Observation(Holds.NOT_YET, ready)
        return seen

    def progress(self, found: ConfigMap, plan: Plan) -> Observation:
        return Observation(Holds.YES, f"{found.ref} is as planned{_took_names(plan)}")


def _checked(found: ConfigMap, given: Mapping[str, Any]) -> tuple[str, str | None, bool]:
    """The key, its value (None: to be removed) and whether to restart. Raises UsageError."""
    key, value = given.get("key"), given.get("value")
    remove, rollout = given.get("remove", False), given.get("rollout", False)
    if not isinstance(key, str) or not _KEY.fullmatch(key) or key in (".", ".."):
        raise UsageError(
            f"{visible(str(key), 60)!r} is not a key of a config map", fix="letters, digits, '-', '_', '.'"
        )
    if not isinstance(remove, bool) or not isinstance(rollout, bool):
        raise UsageError("remove and rollout are true or false")
    if remove == isinstance(value, str):
        raise UsageError(f"set-config needs a value for {key}, or to remove it", fix="one of the two")
    if key in found.binary:
        raise UsageError(f"{key} of {found.ref} is no text", fix="change binary content with kubectl")
    if not remove:
        _check_value(found, key, str(value))
    return key, None if remove else str(value), rollout


def _check_value(found: ConfigMap, key: str, value: str) -> None:
    if len(value) > MAX_VALUE:
        raise UsageError(
            f"the value of {key} is longer than {MAX_VALUE} characters",
            fix="keep such a file in version control, and apply it from there",
        )
    if "\0" in value or any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise UsageError(f"the value of {key} is not text")
    if holds_secret("", value):
        raise UsageError(
            f"the value of {key} looks like a secret",
            why=f"whoever may read {found.ref} would read it",
            fix="put it into a Secret, and refer to that",
        )


def _kept(key: str, value: str | None) -> str:
    """What is recorded of a value."""
    return HIDDEN if value and holds_secret(key, value) else value or ""


def _value_of(parameters: Mapping[str, Any]) -> str | None:
    """What they set the key to; None where they remove it."""
    return None if parameters.get("remove") else str(parameters["value"])


def _with(found: ConfigMap, key: str, value: str | None) -> dict[str, str]:
    data = {name: str(text) for name, text in found.data.items()}
    data.pop(key, None)
    return data if value is None else {**data, key: value}


def _undo(found: ConfigMap, key: str, rollout: bool) -> Undo | None:
    """None when what was there may not be kept: a secret, or too long."""
    old = found.data.get(key)
    if old is None:
        return Undo("set-config", {"key": key, "remove": True, "rollout": rollout}, f"remove {key} again")
    if holds_secret(key, old) or len(old) > MAX_VALUE:
        return None
    return Undo(
        "set-config", {"key": key, "value": str(old), "rollout": rollout}, f"set {key} to what it was"
    )


def _immutable(found: ConfigMap) -> tuple[GateReason, ...]:
    if not found.immutable:
        return ()
    reason = GateReason(
        "immutable", ExitCode.GATE_NOT_MET, f"{found.ref} is immutable",
        why="the cluster lets nobody change it, only delete it",
        fix="make a config map of another name, and refer to that in the template",
    )  # fmt: skip
    return (reason,)


def _unrestartable(workloads: Sequence[Workload]) -> tuple[GateReason, ...]:
    """What is against restarting them: paused, or a set of which no replica would be replaced."""
    return tuple(reason for one in workloads for reason in (*paused(one), *wholly_held(one)))


def _readers(cluster: ClusterPort, found: ConfigMap) -> Sequence[Workload]:
    """The workloads whose template refers to it, by name."""
    there = cluster.list_all_workloads(found.namespace)
    return [one for one in there if found.name in config_maps_of(one.template)]


def _planned(cluster: ClusterPort, plan: Plan) -> Sequence[Workload]:
    wanted = plan.parameters["workloads"]
    if not wanted:
        return ()
    return [one for one in cluster.list_all_workloads(plan.target.ref.namespace) if one.uid in wanted]


def _restarted_since(workload: Workload, plan: Plan) -> bool:
    """Whoever restarted it: it reads the config map anew either way."""
    meta = workload.template.get("metadata") or {}
    try:
        stamp = from_rfc3339((meta.get("annotations") or {}).get(RESTARTED_AT, ""))
    except ValueError:
        return False
    return stamp >= from_rfc3339(to_rfc3339(plan.created_at))


def _and_restart(workloads: Sequence[Workload]) -> str:
    return f", and restart {', '.join(str(one.ref) for one in workloads)}" if workloads else ""


def _took(workloads: Sequence[Workload]) -> str:
    names = ", ".join(str(one.ref) for one in workloads)
    return f", and {names} was restarted" if workloads else ""


def _took_names(plan: Plan) -> str:
    names = ", ".join(plan.parameters["workloads"].values())
    return f", and {names} runs with it" if names else ""

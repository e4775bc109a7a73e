"""Set env: set and remove environment variables of one container of a workload.

Invariant: the value of a variable that is a secret, by its name or its looks, is sent to the cluster and
written nowhere else: plan, diff, journal, errors and the cluster's own history know that it changed. The
digest in the plan still binds it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from maestro_cli.changes.kinds.containers import container_named, only_container, with_container
from maestro_cli.changes.kinds.kind import Option, Request, words
from maestro_cli.changes.kinds.rolling import RollingKind, back_to_now, paused, seen
from maestro_cli.changes.kinds.writing import Draft, Spec
from maestro_cli.changes.model import Plan
from maestro_cli.changes.ports import World
from maestro_cli.changes.template import diff_templates, is_secret
from maestro_cli.core.errors import MaestroError, NotFound, UsageError
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.redaction import Redactor
from maestro_cli.core.secret_words import HIDDEN
from maestro_cli.core.untrusted import visible

# As Kubernetes has it (IsEnvVarName); what newer clusters allow besides, no shell can use.
_NAME = re.compile(r"[A-Za-z_.-][A-Za-z0-9_.-]{0,252}")
MAX_VALUE = 32_768  # characters; a process is not given longer arguments by everything that starts one

Assignments = Mapping[str, str | None]  # None: to be removed


class SetEnv(RollingKind):
    """Parameters: `env`, a list of `NAME=VALUE` and `NAME-`; `container`, unless there is but one."""

    name = "set-env"
    options: ClassVar[Mapping[str, Option]] = {"env": Option(words, needed=True), "container": Option(str)}

    def draft(self, world: World, workload: Workload, request: Request) -> Draft:
        """Raises UsageError for what is no assignment, NotFound for a container that is not there."""
        ref = workload.ref
        env = read_env(request.parameters.get("env"))
        given = request.parameters.get("container")
        container = str(given) if given else only_container(workload, fix="--container NAME")
        spec = _with_env(workload, container, env)
        return Draft(
            parameters={"container": container, "env": [_recorded(name, env[name]) for name in env]},
            summary=f"set the environment of {container} in {ref}: {_names(env)}",
            spec=spec,
            diff=diff_templates(workload.template, spec["template"]),
            holds=f"every replica of {ref} has this environment: {_names(env)}",
            undo=back_to_now(workload),
            ended=workload.replicas_wanted,
            objections=paused(workload),
            recent=seen(world.cluster.list_revisions(ref), request.now, request.written),
        )

    def spec(self, world: World, workload: Workload, plan: Plan) -> Spec:
        """Raises NotFound when a value was a secret: it was kept nowhere."""
        env = read_env(plan.parameters["env"])
        if HIDDEN in env.values():
            raise NotFound(
                f"change {plan.id} cannot be sent again",
                why="it sets a variable whose value is secret, and such a value is not kept",
                fix="plan it again, with the value",
            )
        return _with_env(workload, plan.parameters["container"], env)

    def cause(self, plan: Plan) -> str:
        return f"set env {_names(read_env(plan.parameters['env']))}"

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> Workload:
        """An error may repeat what was sent, and is recorded: without the secrets."""
        try:
            return super().apply(world, plan, resource_version=resource_version, dry_run=dry_run)
        except MaestroError as error:
            redactor = Redactor(_secrets(plan))
            error.what, error.why, error.fix = map(redactor.clean, (error.what, error.why, error.fix))
            error.args = (error.what,)
            raise


def read_env(given: object) -> dict[str, str | None]:
    """`NAME=VALUE` and `NAME-` words by name; raises UsageError, without repeating a value."""
    if not isinstance(given, (list, tuple)) or not given:
        raise UsageError("set-env needs a variable", fix="NAME=VALUE, or NAME- to remove it")
    env: dict[str, str | None] = {}
    for word in map(str, given):
        name, equals, value = word.partition("=")
        if not equals:
            name = word.removesuffix("-")
            if name == word:
                raise UsageError(
                    f"{visible(name, 60)!r} sets nothing and removes nothing",
                    fix="NAME=VALUE, or NAME- to remove it",
                )
        if not _NAME.fullmatch(name) or name in (".", "..") or name.startswith(".."):
            raise UsageError(
                f"{visible(name, 60)!r} is not the name of a variable",
                fix="use letters, digits, '_', '-' and '.', and no digit first",
            )
        if name in env:
            raise UsageError(f"{name} is given twice")
        env[name] = _checked(name, value) if equals else None
    return env


def _checked(name: str, value: str) -> str:
    if len(value) > MAX_VALUE:
        raise UsageError(f"the value of {name} is longer than {MAX_VALUE} characters")
    if "\0" in value or any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise UsageError(f"the value of {name} is not text")
    return value


def _recorded(name: str, value: str | None) -> str:
    if value is None:
        return f"{name}-"
    return f"{name}={HIDDEN if is_secret(name, value) else value}"


def _names(env: Assignments) -> str:
    return ", ".join(name if value is not None else f"{name}-" for name, value in env.items())


def _with_env(workload: Workload, container: str, env: Assignments) -> dict[str, Any]:
    """As kubectl does it: what is there keeps its place, what is new comes last."""
    kept = [
        dict(item)
        for item in container_named(workload, container).get("env") or ()
        if env.get(item.get("name"), "") is not None
    ]
    place = {item.get("name"): index for index, item in enumerate(kept)}  # of two, the last one counts
    for name, value in env.items():
        if value is not None and name in place:
            kept[place[name]] = {"name": name, "value": value}
        elif value is not None:
            kept.append({"name": name, "value": value})
    return {"template": with_container(workload.template, container, {"env": kept})}


def _secrets(plan: Plan) -> list[str]:
    """The values that a plan hides, from its payload."""
    hidden = {name for name, value in read_env(plan.parameters["env"]).items() if value == HIDDEN}
    spec = plan.payload["template"]["spec"]
    return [
        str(item.get("value", ""))
        for place in ("containers", "initContainers")
        for container in spec.get(place) or ()
        for item in container.get("env") or ()
        if item.get("name") in hidden
    ]

"""An object of the cluster, looked at until it is as it should be. It is only ever read.

Format: YAML with `target` and `namespace` as in a change, and either `condition` (`rolled-out`, `absent`, or
one of its status: `Available`, `Ready=False`) or `field` (`status.readyReplicas`), whose value `expect`,
`match` or `capture` is about. Invariant: what is not there or not said is never as it should be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from maestro_cli.config.strict import Document, parse_yaml, suggestion
from maestro_cli.core.errors import ExitCode, InvalidFile, NotFound, UsageError
from maestro_cli.core.refs import ObjectRef, parse_object_ref
from maestro_cli.runbooks.linear_regex import line_regex
from maestro_cli.runbooks.model import State, Step, StepOutcome
from maestro_cli.runbooks.questions import is_line
from maestro_cli.runbooks.steps.kind import Work
from maestro_cli.runbooks.steps.waiting import until
from maestro_cli.runbooks.substitution import into_name, names_in

_FIELDS = ("target", "namespace", "condition", "field")
_CONDITION = re.compile(r"[A-Za-z][A-Za-z0-9.-]{0,100}(?:=(?:True|False|Unknown))?|rolled-out|absent")
_PATH = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*|\[[0-9]{1,3}\]){0,20}")
_PART = re.compile(r"([A-Za-z][A-Za-z0-9_]*)|\[([0-9]+)\]")
_RESOURCES = {
    "Deployment": ("/apis/apps/v1", "deployments"),
    "StatefulSet": ("/apis/apps/v1", "statefulsets"),
    "DaemonSet": ("/apis/apps/v1", "daemonsets"),
    "Pod": ("/api/v1", "pods"),
    "Node": ("/api/v1", "nodes"),
    "ConfigMap": ("/api/v1", "configmaps"),
}
_MAX_VALUE = 4096


class KubeStep:
    def check(self, step: Step, file: str) -> None:
        fields, document = _fields(step, file)
        for name in fields:
            if name not in _FIELDS:
                raise document.fail("is not known here", (name,), fix=suggestion(name, list(_FIELDS)))
        if not fields.get("target"):
            raise document.fail("the target is missing", fix="add 'target: deploy/NAME'")
        if ("condition" in fields) == ("field" in fields):
            raise document.fail("it needs a condition or a field", fix="add 'condition: Available'")
        if "condition" in fields and not _CONDITION.fullmatch(fields["condition"]):
            fix = "write rolled-out, absent, Ready or Ready=False"
            raise document.fail("is not a condition", ("condition",), fix=fix)
        if "condition" in fields and (step.expect or step.match or step.capture):
            raise document.fail("has no value to look at", ("condition",), fix="name a field instead")
        if "field" in fields and not _PATH.fullmatch(fields["field"]):
            raise document.fail("is not a path", ("field",), fix="write status.readyReplicas")
        if "field" in fields and not (step.expect or step.match or step.capture):
            raise document.fail("nothing is expected of it", ("field",), fix='add expect=">= 1" or match=…')

    def variables(self, step: Step) -> set[str]:
        return names_in(step.body)

    def run(self, step: Step, work: Work) -> StepOutcome:
        """Look until it has been so for `for`, or `within` is over."""
        fields, _ = _fields(step, step.path)
        filled = {name: into_name(text, work.values) for name, text in fields.items() if name != "field"}
        ref = parse_object_ref(filled["target"], namespace=filled.get("namespace"))
        return until(step, work, lambda: _look(step, work, ref, {**filled, "field": fields.get("field", "")}))


def _look(step: Step, work: Work, ref: ObjectRef, fields: Mapping[str, str]) -> StepOutcome:
    if ref.kind not in _RESOURCES:
        raise UsageError(f"{ref} is not read from the cluster", fix="name a deploy, sts, ds, pod, node or cm")
    group, resource = _RESOURCES[ref.kind]
    where = f"/namespaces/{ref.namespace}" if ref.namespace else ""
    wanted = fields.get("condition", "")
    try:
        found = work.systems.cluster.get_object(f"{group}{where}/{resource}/{ref.name}")
    except NotFound:
        return _told(wanted == "absent", f"{ref} does not exist")
    if wanted == "absent":
        return _told(False, f"{ref} is there")
    if wanted == "rolled-out":
        missing = _not_rolled_out(ref.kind, found)
        return _told(not missing, f"{ref}: {missing or 'every replica is of this release, and available'}")
    if wanted:
        return _condition(ref, found, wanted)
    return _field(step, work, found, fields["field"])


def _told(holds: bool, reason: str) -> StepOutcome:
    state = State.OK if holds else State.NOT_MET
    return StepOutcome(state, reason, exit_code=ExitCode.CONDITION_NOT_MET)


def _condition(ref: ObjectRef, found: Mapping[str, Any], wanted: str) -> StepOutcome:
    kind, _, status = wanted.partition("=")
    for one in found.get("status", {}).get("conditions") or ():
        if one.get("type") == kind:
            said = str(one.get("status", "Unknown"))
            why = f" ({one['reason']})" if one.get("reason") else ""
            return _told(said == (status or "True"), f"{ref}: {kind} is {said}{why}")
    return _told(False, f"{ref} says nothing about {kind}")


def _not_rolled_out(kind: str, found: Mapping[str, Any]) -> str:
    """What is left until every replica is of the newest template and available, in words."""
    spec, status = found.get("spec", {}), found.get("status", {})
    if status.get("observedGeneration", 0) < found.get("metadata", {}).get("generation", 0):
        return "its controller has not seen the newest template"
    if kind == "DaemonSet":
        wanted = status.get("desiredNumberScheduled", 0)
        updated, ready = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
        there = wanted
    elif kind in ("Deployment", "StatefulSet"):
        wanted = spec.get("replicas", 1)
        updated, there = status.get("updatedReplicas", 0), status.get("replicas", 0)
        ready = status.get("availableReplicas", 0)
    else:
        return f"a {kind.lower()} is not rolled out"
    if updated < wanted:
        return f"{updated} of {wanted} replicas are of the newest template"
    if there > wanted:
        return f"{there - wanted} replicas too many are left"
    return "" if ready >= wanted else f"{ready} of {wanted} replicas are available"


def _field(step: Step, work: Work, found: Any, path: str) -> StepOutcome:
    value = found
    for name, index in _PART.findall(path):
        try:
            value = value[name] if name else value[int(index)]
        except (KeyError, IndexError, TypeError):
            return _told(False, f"there is no {path}")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    shown = work.redactor.clean(text[:200])
    if step.expect is not None:
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        holds = step.expect.holds(number)
        if not holds:
            return _told(False, f"{path} is {shown}, expected {step.expect.text}")
    if step.match and not line_regex(step.match).matches(text):
        return _told(False, f"{path} is {shown}, which does not match {step.match}")
    if not step.capture:
        return StepOutcome(State.OK, f"{path} is {shown}")
    if len(text) > _MAX_VALUE or not is_line(text):
        return StepOutcome(State.FAILED, f"{step.capture} needs one line")
    if work.redactor.clean(text) != text:
        return StepOutcome(State.FAILED, f"{step.capture} would hold a secret, and values are recorded")
    return StepOutcome(State.OK, f"{path} is {shown}", captures={step.capture: text})


def _fields(step: Step, file: str) -> tuple[dict[str, str], Document]:
    document = parse_yaml(step.body, file, first_line=step.line + 1)
    data = document.data
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        what = "expected fields such as 'target: deploy/NAME'"
        raise InvalidFile(what, file=file, line=step.line, key=step.path)
    return dict(data), document

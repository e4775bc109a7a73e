"""How an object of a cluster is named.

Invariant: a reference always has a kind and a name, and a namespace unless its kind has none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from maestro_cli.core.errors import UsageError
from maestro_cli.core.matchers import matchers_text, parse_matchers

_KINDS = {
    "deploy": "Deployment", "deployment": "Deployment", "deployments": "Deployment",
    "sts": "StatefulSet", "statefulset": "StatefulSet", "statefulsets": "StatefulSet",
    "ds": "DaemonSet", "daemonset": "DaemonSet", "daemonsets": "DaemonSet",
}  # fmt: skip
_OTHERS = {
    "node": "Node", "nodes": "Node", "no": "Node",
    "pod": "Pod", "pods": "Pod", "po": "Pod",
    "configmap": "ConfigMap", "configmaps": "ConfigMap", "cm": "ConfigMap",
    "service": "Service", "services": "Service", "svc": "Service",
    "server": "Server",
    "helm": "HelmRelease",
    "hpa": "HorizontalPodAutoscaler", "horizontalpodautoscaler": "HorizontalPodAutoscaler",
}  # fmt: skip
_SHORT = {"Deployment": "deploy", "StatefulSet": "sts", "DaemonSet": "ds"}
_WORDS = {**_SHORT, "HelmRelease": "helm", "HorizontalPodAutoscaler": "hpa"}
_SILENCE = "silence/"
_NO_NAMESPACE = {"Node", "Server"}
_WILD = re.compile(r"[*?\[]")
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DNS_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """An object; prints as `ml/pod/fraud-1`, or `node/a` where its kind has no namespace ("")."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        named = f"{_WORDS.get(self.kind, self.kind.lower())}/{self.name}"
        return f"{self.namespace}/{named}" if self.namespace else named


@dataclass(frozen=True, slots=True, order=True)
class WorkloadRef(ObjectRef):
    """A workload in a namespace; prints as `ml/deploy/fraud`."""


def ref_of(kind: str, namespace: str, name: str) -> ObjectRef:
    """The reference of these parts, a WorkloadRef when it is one."""
    made = WorkloadRef if kind in _SHORT else ObjectRef
    return made(kind, namespace, name)


def node_ref(name: str) -> ObjectRef:
    """Raises UsageError when it is not a DNS name."""
    return ObjectRef("Node", "", _checked(name))


def parse_node_ref(text: str) -> ObjectRef:
    """Read `a` or `node/a`; raises UsageError when it names no node."""
    return _only("Node", text, None)


def parse_pod_ref(text: str, *, namespace: str | None = None) -> ObjectRef:
    """Read `fraud-1`, `pod/fraud-1` or `ml/pod/fraud-1`; raises UsageError when it names no pod."""
    return _only("Pod", text, namespace)


def parse_ref_of(kind: str, text: str, *, namespace: str | None = None) -> ObjectRef:
    """Read `NAME`, `kind/NAME` or `ml/kind/NAME` of that kind; raises UsageError when it names another."""
    return _only(kind, text, namespace)


def names_nothing(pattern: str) -> str:
    """What to write instead of a pattern over printed names that no name can be like; "" when one may be."""
    parts = pattern.split("/")
    if len(parts) == 1:
        return "" if _WILD.search(pattern) else f"write */deploy/{pattern}"
    word = parts[1] if len(parts) == 3 else parts[0]
    kind = _KINDS.get(word.lower()) or _OTHERS.get(word.lower())
    if kind is None or len(parts) > 3 or pattern.startswith(_SILENCE):
        return ""
    printed = _WORDS.get(kind, kind.lower())
    if len(parts) == 2 and kind not in _NO_NAMESPACE:
        return f"write */{printed}/{parts[1]}"
    return "" if word == printed else f"write {'/'.join([*parts[:-2], printed, parts[-1]])}"


def silence_ref(matchers: str) -> ObjectRef:
    """The alerts that these matchers take in, as `core.matchers` writes them."""
    return ObjectRef("Silence", "", matchers)


def _only(kind: str, text: str, namespace: str | None) -> ObjectRef:
    word = _WORDS.get(kind, kind.lower())
    ref = parse_object_ref(text if "/" in text else f"{word}/{text}", namespace=namespace)
    if ref.kind != kind:
        raise UsageError(f"{text!r} does not name a {word}", fix=f"write NAME, or {word}/NAME")
    return ref


def serving_ref() -> ObjectRef:
    """The context's own inference server, where no cluster object stands for it."""
    return ObjectRef("Server", "", "serving")


def parse_object_ref(text: str, *, namespace: str | None = None) -> ObjectRef:
    """Read `node/NAME`, `pod/NAME`, `ml/pod/NAME`, or a workload as `parse_workload_ref` does.

    Raises UsageError as that does.
    """
    if text.startswith(_SILENCE):
        return silence_ref(matchers_text(parse_matchers(text.removeprefix(_SILENCE))))
    *where, word, name = ["", *text.split("/")]
    kind = _OTHERS.get(word.lower())
    if kind is None:
        return parse_workload_ref(text, namespace=namespace)
    if kind in _NO_NAMESPACE and len(where) == 1:
        return ObjectRef(kind, "", _checked(name))
    inside = where[1] if len(where) == 2 else namespace if len(where) == 1 else None
    if kind in _NO_NAMESPACE or not inside:
        fix = f"write {word}/NAME" if kind in _NO_NAMESPACE else f"write namespace/{word}/NAME"
        raise UsageError(f"{text!r} does not name a {kind.lower()}", fix=fix)
    return ObjectRef(kind, _checked(inside), _checked(name))


def parse_workload_ref(text: str, *, namespace: str | None = None) -> WorkloadRef:
    """Read `deploy/fraud`, `ml/deploy/fraud` or `fraud` (a Deployment).

    Raises UsageError when a part is missing, unknown, or is not a DNS name.
    """
    parts = text.split("/")
    kind_word, name, where = "deploy", parts[-1], namespace
    if len(parts) == 2:
        kind_word = parts[0]
    elif len(parts) == 3:
        where, kind_word = parts[0], parts[1]
    elif len(parts) > 3:
        raise UsageError(f"{text!r} does not name a workload", fix="write namespace/deploy/name")
    kind = _KINDS.get(kind_word.lower())
    if kind is None:
        raise UsageError(
            f"{kind_word!r} is not a kind of workload", fix=f"use one of {', '.join(sorted(_KINDS))}"
        )
    if not where:
        raise UsageError(
            f"no namespace for {text!r}", fix="pass -n NAMESPACE, or write namespace/deploy/name"
        )
    return WorkloadRef(kind, _checked(where), _checked(name))


def is_name(text: str) -> bool:
    """Whether an object, or a namespace, can have this name."""
    return _DNS_NAME.fullmatch(text) is not None


def checked_namespace(text: str) -> str:
    """The same text; raises UsageError when no namespace can be called so."""
    if _DNS_LABEL.fullmatch(text) is None:
        raise UsageError(f"{text[:80]!r} is no namespace", fix="use at most 63 of a-z, 0-9 and '-'")
    return text


def _checked(part: str) -> str:
    if not is_name(part):
        raise UsageError(f"{part!r} is not a Kubernetes name", fix="use a-z, 0-9, '-' and '.'")
    return part

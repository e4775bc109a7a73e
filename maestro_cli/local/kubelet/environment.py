"""What a container's process finds in its environment, arguments and mounts.

Invariant: only what the pod spec, the image and the node say; nothing of the kubelet's own
environment leaks in. Rules of kubernetes `pkg/kubelet/kubelet_pods.go`.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from maestro_cli.core.quantities import parse_quantity
from maestro_cli.local.kubelet.content import ContentMissing, Contents
from maestro_cli.local.kubelet.usage import of_machine
from maestro_cli.local.objects import Object, annotations_of, labels_of, name_of, namespace_of, uid_of

_VARIABLE = re.compile(r"\$\$|\$\(([^)]*)\)")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
_NAME = re.compile(r"[ -<>-~]+")  # printable ASCII without "=", since Kubernetes 1.34
HOST_ADDRESS = "127.0.0.1"


def build_environment(
    pod: Object, container: Object, contents: Contents, *, base: Mapping[str, str], address: str
) -> dict[str, str]:
    """The variables of one container: base, then envFrom, then env, later ones winning.

    Raises ContentMissing when a config map, secret or key that is not optional does not exist.
    """
    result = dict(base)
    for source in container.get("envFrom") or ():
        for kind in ("configMapRef", "secretRef"):
            if kind in source:
                values = contents.of_reference(kind, source[kind]) or {}
                prefix = source.get("prefix", "")
                texts = {prefix + name: value.decode("utf-8", "replace") for name, value in values.items()}
                result |= {name: text for name, text in texts.items() if _NAME.fullmatch(name)}
    for entry in container.get("env") or ():
        value = _value(pod, container, entry, contents, result, address)
        if value is not None:
            result[entry["name"]] = value
    return result


def _value(
    pod: Object, container: Object, entry: Object, contents: Contents, known: Mapping[str, str], address: str
) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return expand(entry.get("value") or "", known)
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"].get("fieldPath", ""), address)
    if "resourceFieldRef" in source:
        return resource_value(container, source["resourceFieldRef"])
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if kind in source:
            reference = source[kind]
            values = contents.of_reference(kind, reference)
            if values is not None and reference["key"] in values:
                return values[reference["key"]].decode("utf-8", "replace")
            if reference.get("optional"):
                return None
            word = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}[kind]
            place = f"{word} {namespace_of(pod)}/{reference['name']}"
            raise ContentMissing(f"couldn't find key {reference['key']} in {place}")
    return None


def expand(text: str, known: Mapping[str, str]) -> str:
    """`$(NAME)` becomes the variable's value if there is one; `$$` becomes `$`."""

    def replacement(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return "$"
        return known.get(match.group(1), match.group(0))

    return _VARIABLE.sub(replacement, text)


def field_value(pod: Object, path: str, address: str) -> str:
    """The downward API's answer; addresses are those a process can bind. Raises ContentMissing."""
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript is not None:
        table = labels_of(pod) if subscript.group(1) == "labels" else annotations_of(pod)
        return str(table.get(subscript.group(2), ""))
    answers: dict[str, Any] = {
        "metadata.name": name_of(pod),
        "metadata.namespace": namespace_of(pod),
        "metadata.uid": uid_of(pod),
        "metadata.labels": _table(labels_of(pod)),
        "metadata.annotations": _table(annotations_of(pod)),
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", ""),
        "status.podIP": address,
        "status.podIPs": address,
        "status.hostIP": HOST_ADDRESS,
        "status.hostIPs": HOST_ADDRESS,
    }
    if path not in answers:
        raise ContentMissing(f"unsupported fieldPath: {path}")
    return str(answers[path])


def _table(pairs: Mapping[str, str]) -> str:
    def quoted(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    return "\n".join(f'{name}="{quoted(value)}"' for name, value in sorted(pairs.items()))


def resource_value(container: Object, reference: Object) -> str:
    """`limits.cpu` and the like, divided and rounded up; a limit that is not set is the node's capacity."""
    side, _, name = str(reference.get("resource", "")).partition(".")
    resources = container.get("resources") or {}
    quantity = (resources.get(side) or {}).get(name)
    if quantity is None and side == "limits":
        quantity = {"cpu": os.cpu_count() or 1, "memory": of_machine()[2]}.get(name)
    divisor = parse_quantity(reference.get("divisor") or "1") or 1.0
    return str(math.ceil(parse_quantity(quantity or "0") / divisor))


def command_line(
    container: Object, entrypoint: Sequence[str], variables: Mapping[str, str], mounts: Mapping[str, str]
) -> list[str]:
    """The argv: command (or the image's entry point) and args, expanded, with mount paths translated."""
    words = [*(container.get("command") or entrypoint), *(container.get("args") or ())]
    return [translate(expand(word, variables), mounts) for word in words]


def translate(text: str, mounts: Mapping[str, str]) -> str:
    """Point a path below a mount to where the volume really is; there is no mount namespace.

    A mount path counts where a word begins in a command line, a list of paths or a quoted string.
    """
    paths = sorted((path.rstrip("/") for path in mounts), key=len, reverse=True)
    if not any(path and path in text for path in paths):
        return text
    pattern = "|".join(re.escape(path) for path in paths if path)
    targets = {path.rstrip("/"): target for path, target in mounts.items()}
    return re.sub(
        rf"(^|[=:,\s'\"(<>|;&])({pattern})(?=[/:,\s'\")<>|;&]|$)",
        lambda match: match.group(1) + targets[match.group(2)],
        text,
    )

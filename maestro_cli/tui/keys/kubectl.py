"""The kubectl line that does nearly what a maestro line did, for learning and for when maestro is not there.

Invariant: pure; a line that kubectl has no near equal of gives "", and so does one whose cluster is not
known: without it the line would go to whatever cluster kubectl uses where it is pasted. kubectl asks no gate
and keeps no record.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence

Words = Sequence[str]
Cluster = Callable[[str], Words]  # a context → the options that name its cluster to kubectl; none: not known


def kubectl_line(maestro_line: str, cluster: Cluster) -> str:
    """The nearest line of kubectl, "" where there is none."""
    try:
        words = shlex.split(maestro_line)
    except ValueError:
        return ""
    if words[:2] != ["maestro", "--context"] or not (named := cluster("".join(words[2:3]))):
        return ""
    words = words[3:]
    for head, make in _LINES.items():
        if tuple(words[: len(head)]) == head and len(words) > len(head):
            made = make(words[len(head)], _flags(words[len(head) + 1 :]))
            return shlex.join(("kubectl", *named, *made)) if made else ""
    return ""


def _flags(words: Words) -> dict[str, str]:
    return dict(zip(words[::2], words[1::2], strict=False))


def _where(ref: str) -> tuple[str, str]:
    """`ml/deployment/fraud` as `deployment/fraud` and its namespace."""
    namespace, _, name = ref.partition("/")
    return (name, namespace) if "/" in name else (ref, "")


def _on(verb: Words, ref: str, *more: str) -> list[str]:
    name, namespace = _where(ref)
    return [*verb, name, *(("-n", namespace) if namespace else ()), *more]


def _scale(ref: str, flags: dict[str, str]) -> list[str]:
    return _on(("scale",), ref, f"--replicas={flags['--replicas']}") if "--replicas" in flags else []


def _undo(ref: str, flags: dict[str, str]) -> list[str]:
    to = flags.get("--to-revision")
    return _on(("rollout", "undo"), ref, *((f"--to-revision={to}",) if to else ()))


def _node(verb: str, *more: str) -> Callable[[str, dict[str, str]], list[str]]:
    return lambda name, flags: [verb, name.rpartition("/")[2], *more]


def _rollout(verb: str) -> Callable[[str, dict[str, str]], list[str]]:
    return lambda ref, flags: _on(("rollout", verb), ref)


_LINES: dict[tuple[str, ...], Callable[[str, dict[str, str]], list[str]]] = {
    ("scale",): _scale,
    ("restart",): _rollout("restart"),
    ("rollback",): _undo,
    ("rollout", "pause"): _rollout("pause"),
    ("rollout", "resume"): _rollout("resume"),
    ("rollout", "status"): _rollout("status"),
    ("pod", "delete"): lambda ref, flags: _on(("delete",), ref),
    ("node", "cordon"): _node("cordon"),
    ("node", "uncordon"): _node("uncordon"),
    ("node", "drain"): _node("drain", "--ignore-daemonsets"),
}

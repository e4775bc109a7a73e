"""Log lines grouped by their shape, counted before the onset and since.

Invariant: nothing in a line is believed but its text; a line costs bounded work. Time comes from the
cluster (`since_seconds`), not from what lines say of themselves, so any format can be split.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from maestro_cli.core.clock import seconds_between
from maestro_cli.core.facts.cluster import Pod
from maestro_cli.incidents.intake.correlation import capped
from maestro_cli.incidents.intake.masking import MAX_CHARACTERS, shape
from maestro_cli.incidents.ports import Cluster
from maestro_cli.incidents.triage.facts import LogGroup
from maestro_cli.incidents.triage.model import Onset

MAX_GROUPS = 200
LIMIT_BYTES = 512 * 1024
_MAX_JSON = 8000
_MAX_SHAPED = 500  # what tells lines apart stands at their beginning
_MAX_SEEN = 10_000
_LEVELS = ("level", "severity", "lvl", "levelname")
_TEXTS = ("message", "msg", "event", "error", "exception", "reason")
_BAD_LEVELS = frozenset({"error", "err", "fatal", "critical", "panic", "alert", "emergency"})
_CALM_LEVELS = frozenset({"info", "debug", "trace", "notice", "warning", "warn"})
_BAD_WORDS = re.compile(
    r"(?i)\b(?:error|exception|traceback|fatal|panic|fail(?:ed|ure|s)?|time[d]?[ -]?out|refused|denied|"
    r"unreachable|unavailable|oom|killed|abort(?:ed)?|crash(?:ed)?|invalid|corrupt(?:ed)?)\b|Error\b|Exception\b"
)


@dataclass(frozen=True, slots=True)
class PodLog:
    """One pod's lines by shape; `before` and `since` count from the onset."""

    pod: str
    before: Mapping[str, int]
    since: Mapping[str, int]
    samples: Mapping[str, tuple[str, str, bool]]  # shape → line, level, is bad


def read_line(line: str) -> tuple[str, str]:
    """The level and the text of a line: a JSON object's own words, else the line as it is."""
    stripped = line.strip()
    if stripped.startswith("{") and len(stripped) <= _MAX_JSON:
        try:
            document = json.loads(stripped)
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, dict):
            level = next((str(document[key]).lower() for key in _LEVELS if key in document), "")
            words = [str(document[key]) for key in _TEXTS if isinstance(document.get(key), str)]
            if words:
                return level, " | ".join(words)
    return "", stripped[:MAX_CHARACTERS]


def is_bad(level: str, text: str) -> bool:
    """Whether a line tells of trouble: by its level when it has one, else by its words."""
    if level in _BAD_LEVELS:
        return True
    if level in _CALM_LEVELS:
        return False
    return _BAD_WORDS.search(text[:MAX_CHARACTERS]) is not None


def count_shapes(
    log: str, seen: dict[str, str] | None = None
) -> tuple[Counter[str], dict[str, tuple[str, str, bool]]]:
    """Lines by shape, with the first line of each as a sample; `seen` remembers lines between calls."""
    counts: Counter[str] = Counter()
    samples: dict[str, tuple[str, str, bool]] = {}
    seen = {} if seen is None else seen
    for line in log.splitlines():
        if not line.strip():
            continue
        known = seen.get(line)
        if known is None:
            level, text = read_line(line)
            bad = is_bad(level, text)
            known = f"{level} {shape(text[:_MAX_SHAPED])}".strip()
            if len(seen) < _MAX_SEEN:
                seen[line] = known
            samples.setdefault(known, (capped(line, 500), level, bad))
        counts[known] += 1
    return counts, samples


def read_pod_log(
    cluster: Cluster, pod: Pod, onset: Onset, now: datetime, *, tail_lines: int, previous: bool = False
) -> PodLog:
    """Read one pod's log twice: the tail, and what of it came since the onset.

    Raises MaestroError when the cluster does not give it.
    """
    seen: dict[str, str] = {}

    def read(since_seconds: int | None) -> str:
        return cluster.pod_log(
            pod.namespace, pod.name, tail_lines=tail_lines, since_seconds=since_seconds, previous=previous,
            limit_bytes=LIMIT_BYTES,
        )  # fmt: skip

    every, samples = count_shapes(read(None), seen)
    if previous or pod.created_at >= onset.earliest:
        return PodLog(pod.name, {}, every, samples)
    seconds = max(ceil(seconds_between(onset.earliest, now)), 1)
    since, more = count_shapes(read(seconds), seen)
    before = {key: every[key] - since[key] for key in every if every[key] > since[key]}
    return PodLog(pod.name, before, since, {**more, **samples})


def group_lines(logs: Sequence[PodLog]) -> tuple[LogGroup, ...]:
    """Groups over all pods: trouble first, then new ones, then by how many since the onset."""
    counts: dict[str, dict[str, tuple[int, int]]] = {}
    samples: dict[str, tuple[str, str, bool]] = {}
    for log in logs:
        for key in {*log.before, *log.since}:
            pods = counts.setdefault(key, {})
            before, since = pods.get(log.pod, (0, 0))
            pods[log.pod] = (before + log.before.get(key, 0), since + log.since.get(key, 0))
        for key, sample in log.samples.items():
            samples.setdefault(key, sample)
    groups = [
        LogGroup(
            fingerprint=hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:12],
            shape=capped(key, 500),
            sample=samples[key][0],
            level=samples[key][1],
            is_bad=samples[key][2],
            counts=pods,
        )
        for key, pods in counts.items()
    ]
    groups.sort(key=lambda group: (not group.is_bad, not group.is_new, -group.since, group.shape))
    return tuple(groups[:MAX_GROUPS])

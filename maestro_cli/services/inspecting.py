"""Looking into one object, and at what its containers print.

Invariant: what is asked for is named, and found before anything is shown; nothing is changed. No secret that
the context knows is in what is shown of an object.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_cli.core.errors import NoData, UsageError
from maestro_cli.core.facts.inspection import Description, ObjectText
from maestro_cli.core.facts.logs import Left, LogLine, LogSeen, LogSource
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.core.refs import (
    ObjectRef,
    WorkloadRef,
    parse_object_ref,
    parse_ref_of,
    parse_workload_ref,
)
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.services.inventory import namespace_of, zone_of

if TYPE_CHECKING:
    from maestro_cli.core.cancellation import Cancellation
    from maestro_cli.runbooks.linear_regex import LinearRegex
    from maestro_cli.services.root import Services


@dataclass(frozen=True, slots=True)
class WantedLogs:
    """Whose logs (`fraud-1`, `deploy/fraud`, `ml/pod/fraud-1`) and which lines of them.

    `grep` and `exclude` are expressions of RE2 that a line must, and must not, have somewhere; `since` is a
    duration; `tail` counts the lines of each container before they are filtered.
    """

    targets: tuple[str, ...]
    namespace: str | None = None
    containers: tuple[str, ...] = ()
    follow: bool = False
    previous: bool = False
    since: str = ""
    tail: int | None = None
    grep: str = ""
    exclude: str = ""


def object_named(services: Services, kind: str, text: str, namespace: str | None) -> ObjectRef:
    """Read the name of a Pod, Node or (kind `Workload`) workload; raises UsageError for another kind."""
    where = namespace_of(services, namespace) if kind != "Node" else None
    if kind == "Workload":
        return parse_workload_ref(text, namespace=where)
    return parse_ref_of(kind, text, namespace=where)


def describe(services: Services, ref: ObjectRef) -> Description:
    """The object with conditions, events, owners and what it owns; raises NotFound, Refused, Unreachable."""
    return services.redactor.clean_fact(services.cluster.describing.describe(ref, zone_of(services)))


def object_text(services: Services, ref: ObjectRef) -> ObjectText:
    """The object as YAML, of any kind that the cluster has. Raises NotFound, Refused, Unreachable."""
    from maestro_cli.config.strict import dump_yaml  # loads PyYAML

    document, hidden = services.cluster.describing.document(ref)
    cleaned = services.redactor.clean_value(document)
    return ObjectText(ref, Untrusted(dump_yaml(cleaned)), hidden)


def read_logs(
    services: Services, wanted: WantedLogs, stopped: Cancellation | None = None
) -> Iterator[tuple[LogSeen, ...]]:
    """The lines, and what is told of them, in batches; until it is `stopped`, or the command is cancelled.

    Raises UsageError, NotFound for a target that is not there, and NoData in the end when nothing followed
    and no container could be read.
    """
    from maestro_cli.sources.kube.container_log import LogWanted

    if wanted.follow and wanted.previous:
        raise UsageError("a log of the run before does not go on", fix="leave out -f or --previous")
    lines = LogWanted(
        since_seconds=_seconds(wanted.since),
        tail_lines=wanted.tail,
        previous=wanted.previous,
        containers=wanted.containers,
        keep=line_filter(wanted.grep, wanted.exclude),
    )
    sources = [_source(services, text, wanted.namespace) for text in wanted.targets]
    cancellation, logs = stopped or services.cancellation, services.cluster.logs
    read = logs.follow if wanted.follow else logs.read
    yield from _unless_silent(read(sources, lines, cancellation), follow=wanted.follow)
    cancellation.raise_if_set()


def _source(services: Services, text: str, namespace: str | None) -> LogSource:
    """One pod, or the pods of a workload; both are asked for, so that nobody waits for what is not there."""
    where = namespace_of(services, namespace)
    ref = parse_object_ref(text if "/" in text else f"pod/{text}", namespace=where)
    if ref.kind == "Pod":
        return LogSource(services.cluster.get_pod(ref.namespace, ref.name).namespace, pod=ref.name)
    if not isinstance(ref, WorkloadRef):
        raise UsageError(f"{text!r} prints nothing", fix="name a pod, deploy/NAME, sts/NAME or ds/NAME")
    return LogSource(ref.namespace, selector=services.cluster.get_workload(ref).selector)


def _unless_silent(batches: Iterator[tuple[LogSeen, ...]], *, follow: bool) -> Iterator[tuple[LogSeen, ...]]:
    has_lines, gaps = False, list[Left]()
    for batch in batches:
        has_lines = has_lines or any(isinstance(one, LogLine) for one in batch)
        gaps += [one for one in batch if isinstance(one, Left)]
        yield batch
    if gaps and not has_lines and not follow:
        raise NoData("no log could be read", why=gaps[0].why, fix="maestro pod list says how the pods are")


def _seconds(text: str) -> int | None:
    if not text:
        return None
    try:
        return max(math.ceil(parse_duration_seconds(text)), 1)
    except ValueError as error:
        raise UsageError(f"--since: {error}", fix="--since 5m") from error


def line_filter(grep: str, exclude: str) -> Callable[[str], bool] | None:
    """Whether a line is kept, by expressions of RE2; None where all are. Raises UsageError."""
    want, refuse = _regex("--grep", grep), _regex("--exclude", exclude)
    if want is None and refuse is None:
        return None
    return lambda text: (
        (want is None or want.find(text) is not None) and (refuse is None or refuse.find(text) is None)
    )


def _regex(option: str, text: str) -> LinearRegex | None:
    if not text:
        return None
    from maestro_cli.runbooks.linear_regex import line_regex  # loads RE2

    try:
        return line_regex(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}", fix="write an expression of RE2") from error


def several(targets: Sequence[str]) -> bool:
    """Whether lines need the name of their pod before them."""
    return len(targets) > 1 or any("/" in one and not _is_pod(one) for one in targets)


def _is_pod(text: str) -> bool:
    return text.split("/")[-2].lower() in ("pod", "pods", "po")

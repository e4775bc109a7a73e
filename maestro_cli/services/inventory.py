"""What there is in the cluster of a context: pods, nodes and workloads, picked and ordered.

Invariant: nothing is listed for a namespace that is not there, as if it were empty: that is NotFound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from maestro_cli.config.explanation import suggestion
from maestro_cli.core.errors import NotFound, Refused, UsageError
from maestro_cli.core.facts.inventory import HEALTH, NodeLine, PodLine, WorkloadLine
from maestro_cli.core.facts.live import Begun, Changed, Listed, Seen
from maestro_cli.output.diagnostics import warn

if TYPE_CHECKING:
    from maestro_cli.core.facts.cluster import Container
    from maestro_cli.services.root import Services
    from maestro_cli.sources.kube.inventory import Inventory


class _Named(Protocol):
    @property
    def name(self) -> str: ...


L = TypeVar("L", bound=_Named)
Key = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to list. `name` is how the names begin; `sort_by` a key of the kind's own."""

    name: str = ""
    namespace: str | None = None
    everywhere: bool = False
    selector: str = ""
    fields: str = ""
    sort_by: str = ""


def _health(line: Any) -> int:
    return HEALTH.index(line.health)


def _youngest(line: Any) -> float:
    created: datetime | None = line.created_at
    return -created.timestamp() if created is not None else 0.0


# What is worth looking at first comes first; lines that are equal keep the order of their names.
POD_KEYS: Mapping[str, Key] = {
    "name": lambda pod: pod.name,
    "namespace": lambda pod: pod.namespace,
    "health": _health,
    "status": lambda pod: pod.status,
    "restarts": lambda pod: -pod.restarts,
    "age": _youngest,
    "node": lambda pod: pod.node,
    "zone": lambda pod: pod.zone,
}
NODE_KEYS: Mapping[str, Key] = {
    "name": lambda node: node.name,
    "health": _health,
    "status": lambda node: node.status,
    "age": _youngest,
    "zone": lambda node: node.zone,
    "version": lambda node: node.version,
}
WORKLOAD_KEYS: Mapping[str, Key] = {
    "name": lambda workload: workload.name,
    "namespace": lambda workload: workload.ref.namespace,
    "kind": lambda workload: workload.ref.kind,
    "health": _health,
    "status": lambda workload: workload.status,
    "ready": lambda workload: workload.ready / workload.desired if workload.desired else 1.0,
    "age": _youngest,
}


def list_pods(services: Services, wanted: Wanted) -> list[PodLine]:
    """Pods with their zones; a user who may not see nodes gets them without, and a warning."""
    key = _key(wanted, POD_KEYS)
    namespace = _namespace(services, wanted)
    inventory = services.cluster.inventory
    zones = Zones(inventory)
    found = inventory.pods(namespace, zones.of, selector=wanted.selector, fields=wanted.fields)
    _refuse_missing(services, namespace, found)
    return _sorted(_picked(services, found, wanted), key, lambda pod: (pod.namespace, pod.name))


def zone_of(services: Services) -> Callable[[str], str]:
    """What tells the zone of a node, "" where it is not known; asks for all of them once."""
    return Zones(services.cluster.inventory).of


class Zones:
    """The zones of nodes, read when the first one is asked for, unless they are `known`."""

    def __init__(self, inventory: Inventory, known: Mapping[str, str] | None = None) -> None:
        self._inventory = inventory
        self.asked = known  # None until they were asked for

    def of(self, node: str) -> str:
        """The zone, or ""."""
        if self.asked is None:
            self.asked = self._ask()
        return self.asked.get(node, "")

    def _ask(self) -> Mapping[str, str]:
        try:
            return self._inventory.zones()
        except Refused as error:
            warn(f"zones are not shown: {error.why or error.what}")
            return {}


def list_nodes(services: Services, wanted: Wanted) -> list[NodeLine]:
    """Nodes; they have no namespace."""
    key = _key(wanted, NODE_KEYS)
    lines = services.cluster.inventory.nodes(selector=wanted.selector, fields=wanted.fields)
    return _sorted(_picked(services, lines, wanted), key, lambda node: node.name)


def list_workloads(services: Services, wanted: Wanted) -> list[WorkloadLine]:
    """Deployments, stateful sets and daemon sets."""
    key = _key(wanted, WORKLOAD_KEYS)
    namespace = _namespace(services, wanted)
    found = services.cluster.inventory.workloads(namespace, selector=wanted.selector)
    _refuse_missing(services, namespace, found)
    return _sorted(
        _picked(services, found, wanted), key, lambda line: (line.ref.namespace, line.ref.name, line.ref.kind)
    )


def _namespace(services: Services, wanted: Wanted) -> str | None:
    """The one that is meant; None for all of them."""
    if wanted.everywhere and wanted.namespace is not None:
        raise UsageError(
            "one namespace and all of them", why="-n and -A exclude each other", fix="leave one out"
        )
    if wanted.everywhere:
        return None
    return namespace_of(services, wanted.namespace)


def namespace_of(services: Services, flag: str | None) -> str:
    """The flag's, the context's, the kubeconfig's, else `default` as in kubectl."""
    if flag is not None:
        return flag
    return services.context.namespace or services.cluster.default_namespace or "default"


def _key(wanted: Wanted, keys: Mapping[str, Key]) -> Key | None:
    if not wanted.sort_by:
        return None
    if wanted.sort_by not in keys:
        raise UsageError(
            f"{wanted.sort_by[:60]!r} is nothing to sort by",
            why=suggestion(wanted.sort_by, keys),
            fix=f"--sort-by {'|'.join(keys)}",
        )
    return keys[wanted.sort_by]


def _picked(services: Services, lines: list[L], wanted: Wanted) -> list[L]:
    """Those that are meant, without secrets."""
    named = (line for line in lines if line.name.startswith(wanted.name))
    return [without_secrets(services, line) for line in named]


def without_secrets(services: Services, line: L) -> L:
    """The same line; why it is not well, or was changed, holds no secret that the context knows."""
    containers: tuple[Container, ...] = getattr(line, "containers", ())
    for one in containers:
        if one.message:
            break
    else:  # as of most of ten thousand
        if not getattr(line, "message", "") and not getattr(line, "cause", ""):
            return line
    said = {name: text for name in ("message", "cause") if (text := getattr(line, name, ""))}
    changes: dict[str, Any] = {name: services.redactor.clean_fact(text) for name, text in said.items()}
    if containers:
        cleaned = (replace(one, message=services.redactor.clean_fact(one.message)) for one in containers)
        changes["containers"] = tuple(cleaned)
    return replace(line, **changes)  # type: ignore[type-var]  # every line is a dataclass


def told_without_secrets(services: Services, watch: Iterable[Seen[L]]) -> Iterator[Seen[L]]:
    """The same of what a watch tells."""
    for news in watch:
        if isinstance(news, Listed):
            yield Listed(tuple(without_secrets(services, line) for line in news.lines), news.at)
        elif isinstance(news, Begun):
            yield Begun(tuple(without_secrets(services, line) for line in news.lines), news.is_anew)
        elif isinstance(news, tuple):
            yield tuple(
                Changed(one.uid, None if one.line is None else without_secrets(services, one.line))
                for one in news
            )
        else:
            yield news


def _sorted(lines: list[L], key: Key | None, place: Key) -> list[L]:
    lines.sort(key=place)
    if key is not None:
        lines.sort(key=key)
    return lines


def _refuse_missing(services: Services, namespace: str | None, lines: Sequence[Any]) -> None:
    """A namespace that holds nothing may not be there at all; who may not ask is believed."""
    if lines or namespace is None:
        return
    inventory = services.cluster.inventory
    try:
        if inventory.has_namespace(namespace):
            return
    except Refused:
        return
    try:
        known = inventory.namespaces()
    except Refused:
        known = []
    raise NotFound(
        f"there is no namespace {namespace!r} in {services.context_name}",
        why=suggestion(namespace, known) if known else "",
        fix="pass -n NAMESPACE, or -A for all of them",
    )

"""The columns `kubectl get` prints for each kind (k8s pkg/printers/internalversion).

Invariant: a cell is computed from one object and the time, and never raises for an object that
passed its shape check.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.core.clock import from_rfc3339, seconds_between
from maestro_cli.local.cluster.selectors import selector_text
from maestro_cli.local.cluster.status import Object

Cell = str | int | bool | None
Read = Callable[[Object, datetime], Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `wide` ones are printed by `-o wide` only."""

    name: str
    read: Read
    type: str = "string"
    wide: bool = False
    format: str = ""

    def definition(self) -> Object:
        """A TableColumnDefinition of meta/v1."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.name,
            "priority": 1 if self.wide else 0,
        }


def human_duration(seconds: float) -> str:
    """An age as apimachinery/pkg/util/duration.HumanDuration writes it: `5s`, `3m20s`, `4h5m`, `2d3h`."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 120:
        return f"{max(whole, 0)}s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 10:
        return f"{minutes}m{whole % 60}s" if whole % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if days < 730:
        return f"{days}d"
    years, left = days // 365, days % 365
    return f"{years}y{left}d" if years < 8 and left else f"{years}y"


def since(stamp: str | None, now: datetime) -> str:
    """How long ago an RFC 3339 time was, or `<unknown>`."""
    if not stamp:
        return "<unknown>"
    try:
        return human_duration(seconds_between(from_rfc3339(stamp), now))
    except ValueError:
        return "<unknown>"


def _at(path: str, missing: Cell = "") -> Read:
    """A cell that is the text (or number) at a dotted path."""

    def read(obj: Object, now: datetime) -> Cell:
        value: Any = obj
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        return missing if value is None or value == "" else value

    return read


def _age(obj: Object, now: datetime) -> Cell:
    return since(obj["metadata"].get("creationTimestamp"), now)


def _count(field: str) -> Read:
    return lambda obj, now: len(obj.get(field) or ())


def _pairs(labels: dict[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or "<none>"


NAME = Column("Name", _at("metadata.name"), format="name")
AGE = Column("Age", _age)
PLAIN = (NAME, Column("Created At", _at("metadata.creationTimestamp"), type="date"))
_INTEGER = "integer"


def _condition(obj: Object, name: str) -> str:
    conditions = obj.get("status", {}).get("conditions", [])
    return next((one.get("status", "") for one in conditions if one.get("type") == name), "")


def _template(part: str) -> Read:
    def read(obj: Object, now: datetime) -> Cell:
        containers = obj["spec"].get("template", {}).get("spec", {}).get("containers", [])
        return ",".join(one.get(part, "") for one in containers)

    return read


def _selector(obj: Object, now: datetime) -> Cell:
    return selector_text(obj["spec"].get("selector")) or "<none>"


_TEMPLATE_COLUMNS = (
    Column("Containers", _template("name"), wide=True),
    Column("Images", _template("image"), wide=True),
    Column("Selector", _selector, wide=True),
)


def _ready_replicas(obj: Object, now: datetime) -> Cell:
    return f"{obj.get('status', {}).get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"


DEPLOYMENT = (
    NAME,
    Column("Ready", _ready_replicas),
    Column("Up-to-date", _at("status.updatedReplicas", 0), _INTEGER),
    Column("Available", _at("status.availableReplicas", 0), _INTEGER),
    AGE,
    *_TEMPLATE_COLUMNS,
)
REPLICA_SET = (
    NAME,
    Column("Desired", _at("spec.replicas", 0), _INTEGER),
    Column("Current", _at("status.replicas", 0), _INTEGER),
    Column("Ready", _at("status.readyReplicas", 0), _INTEGER),
    AGE,
    *_TEMPLATE_COLUMNS,
)


def _job_state(job: Object, now: datetime) -> Cell:
    if _condition(job, "Complete") == "True" or _condition(job, "Failed") == "True":
        return "Complete" if _condition(job, "Complete") == "True" else "Failed"
    if job["metadata"].get("deletionTimestamp"):
        return "Terminating"
    told = ("Suspended", "SuccessCriteriaMet", "FailureTarget")
    return next((one for one in told if _condition(job, one) == "True"), "Running")


def _completions(job: Object, now: datetime) -> Cell:
    done, spec = job.get("status", {}).get("succeeded", 0), job["spec"]
    if "completions" in spec:
        return f"{done}/{spec['completions']}"
    return f"{done}/1 of {spec['parallelism']}" if spec["parallelism"] > 1 else f"{done}/1"


def _job_duration(job: Object, now: datetime) -> Cell:
    start, end = (job.get("status", {}).get(field) for field in ("startTime", "completionTime"))
    try:
        return since(start, from_rfc3339(end) if end else now) if start else ""
    except ValueError:
        return "<unknown>"


JOB = (
    NAME,
    Column("Status", _job_state),
    Column("Completions", _completions),
    Column("Duration", _job_duration),
    AGE,
    *_TEMPLATE_COLUMNS,
)


def _node_state(node: Object, now: datetime) -> Cell:
    ready = _condition(node, "Ready")
    told = {"True": "Ready", "": "Unknown"}.get(ready, "NotReady")
    return f"{told},SchedulingDisabled" if node.get("spec", {}).get("unschedulable") else told


def _roles(node: Object, now: datetime) -> Cell:
    prefix = "node-role.kubernetes.io/"
    labels = node["metadata"].get("labels", {})
    roles = [key.removeprefix(prefix) for key in labels if key.startswith(prefix)]
    return ",".join(sorted(roles)) or "<none>"


def _address(wanted: str) -> Read:
    def read(node: Object, now: datetime) -> Cell:
        addresses = node.get("status", {}).get("addresses", [])
        return next((one.get("address", "") for one in addresses if one.get("type") == wanted), "<none>")

    return read


NODE = (
    NAME,
    Column("Status", _node_state),
    Column("Roles", _roles),
    AGE,
    Column("Version", _at("status.nodeInfo.kubeletVersion")),
    Column("Internal-IP", _address("InternalIP"), wide=True),
    Column("External-IP", _address("ExternalIP"), wide=True),
    Column("OS-Image", _at("status.nodeInfo.osImage", "<unknown>"), wide=True),
    Column("Kernel-Version", _at("status.nodeInfo.kernelVersion", "<unknown>"), wide=True),
    Column("Container-Runtime", _at("status.nodeInfo.containerRuntimeVersion", "<unknown>"), wide=True),
)


def _external(service: Object, now: datetime) -> Cell:
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    balancer = service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    addresses = [one.get("ip") or one.get("hostname", "") for one in balancer]
    addresses += spec.get("externalIPs", [])
    if not addresses and spec.get("type") == "LoadBalancer":
        return "<pending>"
    return ",".join(addresses) or "<none>"


def _service_ports(service: Object, now: datetime) -> Cell:
    told = []
    for port in service["spec"].get("ports", []):
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        told.append(f"{port.get('port', 0)}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(told) or "<none>"


SERVICE = (
    NAME,
    Column("Type", _at("spec.type")),
    Column("Cluster-IP", _at("spec.clusterIP", "<none>")),
    Column("External-IP", _external),
    Column("Port(s)", _service_ports),
    AGE,
    Column("Selector", lambda obj, now: _pairs(obj["spec"].get("selector")), wide=True),
)


def _shortened(items: list[str], most: int = 3) -> str:
    more = f" + {len(items) - most} more..." if len(items) > most else ""
    return (",".join(items[:most]) + more) or "<none>"


def _endpoints(endpoints: Object, now: datetime) -> Cell:
    listed: list[str] = []
    for subset in endpoints.get("subsets", []):
        addresses = [one.get("ip", "") for one in subset.get("addresses", [])]
        ports = [port.get("port", 0) for port in subset.get("ports", [])]
        listed += [f"{ip}:{port}" for port in ports for ip in addresses] if ports else addresses
    return _shortened(listed)


def _slice_ports(endpoint_slice: Object, now: datetime) -> Cell:
    return _shortened([str(port.get("port", "*")) for port in endpoint_slice.get("ports", [])])


def _slice_addresses(endpoint_slice: Object, now: datetime) -> Cell:
    endpoints = endpoint_slice.get("endpoints", [])
    return _shortened([address for one in endpoints for address in one.get("addresses", [])])


ENDPOINTS = (NAME, Column("Endpoints", _endpoints), AGE)
ENDPOINT_SLICE = (
    NAME,
    Column("AddressType", _at("addressType")),
    Column("Ports", _slice_ports),
    Column("Endpoints", _slice_addresses),
    AGE,
)


def _last_seen(event: Object, now: datetime) -> Cell:
    series = event.get("series", {}).get("lastObservedTime")
    stamps = (series, event.get("lastTimestamp"), event.get("firstTimestamp"), event.get("eventTime"))
    return since(next(filter(None, stamps), None), now)


def _first_seen(event: Object, now: datetime) -> Cell:
    return since(event.get("firstTimestamp") or event.get("eventTime"), now)


def _event_object(event: Object, now: datetime) -> Cell:
    about = event.get("involvedObject", {})
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


def _event_source(event: Object, now: datetime) -> Cell:
    source = event.get("source", {})
    parts = (source.get("component") or event.get("reportingComponent", ""), source.get("host", ""))
    return ", ".join(filter(None, parts))


def _event_count(event: Object, now: datetime) -> Cell:
    count = event.get("series", {}).get("count") or event.get("count") or 1
    return int(count)


EVENT = (
    Column("Last Seen", _last_seen),
    Column("Type", _at("type")),
    Column("Reason", _at("reason")),
    Column("Object", _event_object),
    Column("Subobject", _at("involvedObject.fieldPath"), wide=True),
    Column("Source", _event_source, wide=True),
    Column("Message", lambda obj, now: str(obj.get("message", "")).strip()),
    Column("First Seen", _first_seen, wide=True),
    Column("Count", _event_count, _INTEGER, wide=True),
    Column("Name", _at("metadata.name"), format="name", wide=True),
)


def _data(obj: Object, now: datetime) -> Cell:
    return len(obj.get("data", {})) + len(obj.get("binaryData", {}))


CONFIG_MAP = (NAME, Column("Data", _data), AGE)
SECRET = (NAME, Column("Type", _at("type")), Column("Data", _data), AGE)
SERVICE_ACCOUNT = (NAME, Column("Secrets", _count("secrets")), AGE)
NAMESPACE = (NAME, Column("Status", _at("status.phase")), AGE)
DISRUPTION_BUDGET = (
    NAME,
    Column("Min Available", _at("spec.minAvailable", "N/A")),
    Column("Max Unavailable", _at("spec.maxUnavailable", "N/A")),
    Column("Allowed Disruptions", _at("status.disruptionsAllowed", 0), _INTEGER),
    AGE,
)
NETWORK_POLICY = (
    NAME,
    Column("Pod-Selector", lambda obj, now: selector_text(obj["spec"].get("podSelector")) or "<none>"),
    AGE,
)
EXTENSION = (NAME, AGE)
LEASE = (NAME, Column("Holder", _at("spec.holderIdentity", "<none>")), AGE)


def table_row(obj: Object, columns: tuple[Column, ...], shown: Object | None, now: datetime) -> Object:
    """One TableRow; `shown` is what the row carries of the object."""
    row: Object = {"cells": [column.read(obj, now) for column in columns]}
    if shown is not None:
        row["object"] = shown
    return row

"""Who wrote an object of a cluster when, without its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from maestro_cli.core.refs import ObjectRef


@dataclass(frozen=True, slots=True)
class FieldWrite:
    """The last write of one manager: `fields` are the paths that it owns, such as `data.routing.yaml`.

    `manager` and `fields` are untrusted.
    """

    manager: str
    at: datetime
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenObject:
    """A ConfigMap, Secret, Service or autoscaler as its metadata tells; `writes` is empty where the cluster
    keeps no `managedFields`."""

    ref: ObjectRef
    resource_version: str
    created_at: datetime
    writes: tuple[FieldWrite, ...] = ()
    target: str = ""  # of an autoscaler: the workload that it scales, `Deployment/fraud`
    selector: Mapping[str, str] = field(default_factory=dict)  # of a Service


@dataclass(frozen=True, slots=True)
class WrittenObjects:
    """What there is in a namespace; `unread` says in words what the caller could not list, and why."""

    objects: tuple[WrittenObject, ...]
    unread: tuple[str, ...] = ()

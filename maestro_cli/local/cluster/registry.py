"""Create, change and delete, for any kind of the table.

Invariant: every write goes through the same steps - shape, defaults, validation, preconditions,
no-op test - and a write that changes nothing gets no revision.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from maestro_cli.local.cluster import kinds
from maestro_cli.local.cluster.kinds import Kind
from maestro_cli.local.cluster.shapes import Unknown, check_depth, conform, ignore_unknown
from maestro_cli.local.cluster.status import (
    ApiError,
    Object,
    already_exists,
    bad_request,
    conflict,
    forbidden,
    invalid,
    invalid_value,
    not_found,
)
from maestro_cli.local.cluster.store import Key, Store, Version
from maestro_cli.local.cluster.validation import check_metadata, check_metadata_change

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_KEPT_METADATA = (
    "name", "namespace", "uid", "creationTimestamp", "generateName", "generation", "deletionTimestamp",
    "deletionGracePeriodSeconds", "resourceVersion",
)  # fmt: skip
# of the metadata, as Go's `omitempty` does
_LEFT_OUT_WHEN_EMPTY = ("labels", "annotations", "finalizers", "ownerReferences")
_FINALIZER_OF = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a write left: the object, and whether it is gone."""

    object: Object
    gone: bool = False
    created: bool = False


def stamp(instant: datetime) -> str:
    """A metav1.Time: whole seconds, UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def now() -> datetime:
    return datetime.now(UTC)


class Registry:
    """The objects of the cluster."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def get(self, kind: Kind, namespace: str, name: str) -> Version:
        """The newest version. Raises ApiError 404."""
        version = self.store.get(kind.shelf, (namespace, name))
        if version is None:
            raise not_found(kind.names, name)
        return version

    def create(
        self,
        kind: Kind,
        namespace: str,
        body: Object,
        *,
        dry_run: bool = False,
        unknown: Unknown = ignore_unknown,
    ) -> Outcome:
        """Store a new object, without the fields its kind has not, of which `unknown` is told.

        Raises ApiError 400, 403, 404 (namespace), 409, 422.
        """
        obj = self._received(kind, body, unknown)
        metadata = obj["metadata"]
        self._place(kind, namespace, metadata)
        if metadata.get("resourceVersion"):
            raise bad_request("resourceVersion should not be set on objects to be created")
        generated = not metadata.get("name") and metadata.get("generateName", "")
        if generated:
            metadata["name"] = self._generate(kind, namespace, generated)
        for field in ("selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields"):
            metadata.pop(field, None)
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = stamp(now())
        if kind.generation:
            metadata["generation"] = 1
        kind.default(obj)
        kind.begin(obj)
        problems = check_metadata(metadata, kind.name_fault) + kind.check(obj)
        if problems:
            raise invalid(kind.names, metadata.get("name", ""), problems)
        key = (namespace, metadata["name"])
        if self.store.get(kind.shelf, key) is not None:
            raise already_exists(kind.names, metadata["name"])
        kind.complete(obj, lambda: [one.object for one in self.store.list(kind.shelf)])
        if not dry_run:
            obj = self.store.put(kind.shelf, key, obj).object
        return Outcome(obj, created=True)

    def _received(self, kind: Kind, body: Any, unknown: Unknown) -> Object:
        """The body as it is stored: shape checked, nulls gone, the header fields first."""
        check_depth(body)
        if not isinstance(body, dict):
            raise bad_request(f"the body is not a {kind.kind}")
        header = {"kind": kind.kind, "apiVersion": kind.api_version}
        for field, wanted in header.items():
            if (body.get(field) or wanted) != wanted:
                raise bad_request(
                    f"the {field} in the data ({body[field]}) does not match the expected one ({wanted})"
                )
        conformed = conform(kind.kind, kind.version, {**body, **header}, kind.message, unknown)
        received = kind.inward({**header, "metadata": {}, **conformed})
        for field in _LEFT_OUT_WHEN_EMPTY:
            if not received["metadata"].get(field, True):
                del received["metadata"][field]
        return received

    def _place(self, kind: Kind, namespace: str, metadata: Object) -> None:
        given = metadata.get("namespace", "")
        if given and given != namespace:
            why = "the namespace of the provided object does not match the namespace sent on the request"
            raise bad_request(why)
        if not kind.namespaced:
            metadata.pop("namespace", None)
            return
        metadata["namespace"] = namespace
        home = self.store.get(kinds.NAMESPACES.shelf, ("", namespace))
        if home is None:
            raise not_found(kinds.NAMESPACES.names, namespace)
        if home.object["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            refused = forbidden(kind.names, metadata.get("name", ""), why)
            cause = {"reason": "NamespaceTerminating", "message": why, "field": "metadata.namespace"}
            refused.details = {**(refused.details or {}), "causes": [cause]}
            raise refused

    def _generate(self, kind: Kind, namespace: str, base: str) -> str:
        for _ in range(8):
            name = base[:58] + "".join(random.choices(_SUFFIX_LETTERS, k=5))
            if self.store.get(kind.shelf, (namespace, name)) is None:
                return name
        raise already_exists(kind.names, name)

    def update(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        change: Callable[[Object], Any],
        *,
        part: str = "",
        dry_run: bool = False,
        unknown: Unknown = ignore_unknown,
    ) -> Outcome:
        """Replace an object by what `change` makes of a copy of it, as for `create`.

        `part` is "status" to write the status alone; otherwise status stays as it was. Raises ApiError
        400, 404, 409 (the new object names another resourceVersion or uid), 422.
        """
        current = self.get(kind, namespace, name)
        new = self._received(kind, change(kind.outward(current.copy())), unknown)
        self._check_identity(kind, new["metadata"], current)
        new = self._merged(kind, new, current.copy(), part)
        kind.default(new)
        if new == current.object:
            return Outcome(current.object)
        old = current.object
        if kind.generation and part != "status" and _desired(new) != _desired(old):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        problems = check_metadata(new["metadata"], kind.name_fault) + kind.check(new)
        problems += check_metadata_change(new["metadata"], old["metadata"]) + kind.check_change(new, old)
        if problems:
            raise invalid(kind.names, name, problems)
        return self._commit(kind, current.key, new, dry_run=dry_run)

    def _check_identity(self, kind: Kind, metadata: Object, current: Version) -> None:
        old = current.object["metadata"]
        name = metadata.get("name", old["name"])
        if name != old["name"]:
            raise bad_request(
                f"the name of the object ({name}) does not match the name on the URL ({old['name']})"
            )
        if metadata.get("namespace", old.get("namespace", "")) != old.get("namespace", ""):
            raise bad_request("the namespace of the object does not match the namespace on the request")
        asked = metadata.get("resourceVersion")
        if asked and asked != old["resourceVersion"]:
            raise conflict(kind.names, name)
        if not asked and not kind.unconditional_update:
            why = "must be specified for an update"
            raise invalid(kind.names, name, [invalid_value("metadata.resourceVersion", 0, why)])
        uid = metadata.get("uid", old["uid"])
        if uid != old["uid"]:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['uid']}"
            raise conflict(kind.names, name, why)

    def _merged(self, kind: Kind, new: Object, old: Object, part: str) -> Object:
        """What may be written through this path, over the rest of what is there."""
        if part == "status":
            return {**old, "status": new.get("status", {})}
        kept = {field: old["metadata"][field] for field in _KEPT_METADATA if field in old["metadata"]}
        fresh = {
            field: value
            for field, value in new["metadata"].items()
            if field not in _KEPT_METADATA and field not in ("managedFields", "selfLink")
        }
        merged = {**new, "metadata": {**kept, **fresh}}
        if kind.has_status:
            merged.pop("status", None)
            if "status" in old:
                merged["status"] = old["status"]
        return merged

    def _commit(self, kind: Kind, key: Key, new: Object, *, dry_run: bool) -> Outcome:
        metadata = new["metadata"]
        done = metadata.get("deletionTimestamp") and not metadata.get("finalizers")
        if done and not metadata.get("deletionGracePeriodSeconds", 0) and not _held(new):
            return self._remove(kind, key, new, dry_run=dry_run)
        if dry_run:
            return Outcome(new)
        return Outcome(self.store.put(kind.shelf, key, new).object)

    def _remove(self, kind: Kind, key: Key, last: Object, *, dry_run: bool) -> Outcome:
        if not dry_run:
            last = self.store.remove(kind.shelf, key, last).object
            self._finish_namespace(key[0])
        return Outcome(last, gone=True)

    def delete(
        self, kind: Kind, namespace: str, name: str, options: Object, *, dry_run: bool = False
    ) -> Outcome:
        """Delete an object, or mark it as going when it has finalizers or is given time to stop.

        `options` is a DeleteOptions. Raises ApiError 404, 409 when a precondition fails.
        """
        current = self.get(kind, namespace, name)
        self._check_preconditions(kind, current, options.get("preconditions") or {})
        obj = current.copy()
        metadata = obj["metadata"]
        asked = options.get("gracePeriodSeconds")
        grace_seconds = kind.grace(obj, asked)
        finalizers = _finalizers(metadata.get("finalizers", []), options.get("propagationPolicy"))
        metadata["finalizers"] = finalizers
        if not finalizers:
            del metadata["finalizers"]
        if not grace_seconds and not finalizers and not _held(obj):
            return self._remove(kind, current.key, obj, dry_run=dry_run)
        already = "deletionTimestamp" in metadata
        if already and (asked is None or grace_seconds >= metadata.get("deletionGracePeriodSeconds", 0)):
            if obj == current.object:
                return Outcome(obj)
            return self._commit(kind, current.key, obj, dry_run=dry_run)
        metadata["deletionTimestamp"] = stamp(now() + timedelta(seconds=grace_seconds))
        metadata["deletionGracePeriodSeconds"] = grace_seconds
        if kind.generation:
            metadata["generation"] = metadata.get("generation", 0) + 1
        if _held(obj):
            obj["status"]["phase"] = "Terminating"
        outcome = self._commit(kind, current.key, obj, dry_run=dry_run)
        if _held(obj) and not dry_run:
            self._empty_namespace(name)
        return outcome

    def expire(self, at: datetime) -> None:
        """Remove what has outlived its kind's time to live."""
        for kind in kinds.KINDS:
            if kind.lives_seconds:
                oldest = stamp(at - timedelta(seconds=kind.lives_seconds))
                for version in self.store.list(kind.shelf):
                    if _last_written(version.object) < oldest:
                        self._remove(kind, version.key, version.copy(), dry_run=False)

    def _check_preconditions(self, kind: Kind, current: Version, wanted: Object) -> None:
        metadata = current.object["metadata"]
        for field, told in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            if wanted.get(field) and wanted[field] != metadata[field]:
                why = (
                    f"Precondition failed: {told} in precondition: {wanted[field]}, "
                    f"{told} in object meta: {metadata[field]}"
                )
                raise conflict(kind.names, metadata["name"], why)

    def _empty_namespace(self, name: str) -> None:
        """The namespace controller's work: delete what is inside, then the namespace itself."""
        for kind in kinds.KINDS:
            for version in self.store.list(kind.shelf, name) if kind.namespaced else ():
                if self.store.get(kind.shelf, version.key) is not None:
                    self.delete(kind, name, version.key[1], {"propagationPolicy": "Background"})
        self._finish_namespace(name)

    def _finish_namespace(self, name: str) -> None:
        home = self.store.get(kinds.NAMESPACES.shelf, ("", name)) if name else None
        if home is None or not home.object["metadata"].get("deletionTimestamp"):
            return
        shelves = {kind.shelf for kind in kinds.KINDS if kind.namespaced}
        if not any(self.store.occupied(shelf, name) for shelf in shelves):
            last = home.copy()
            last["spec"].pop("finalizers", None)
            self.store.remove(kinds.NAMESPACES.shelf, home.key, last)


def _last_written(obj: Object) -> str:
    """The latest time an object tells; such texts sort by time."""
    times = (obj["metadata"]["creationTimestamp"], obj.get("lastTimestamp", ""), obj.get("eventTime", ""))
    return str(max(times))


def _held(obj: Object) -> bool:
    """Whether spec.finalizers hold the object, as they hold a namespace until it is empty."""
    spec = obj.get("spec")
    return isinstance(spec, dict) and bool(spec.get("finalizers"))


def _finalizers(present: list[str], policy: str | None) -> list[str]:
    """Those of an object that is deleted by that policy; without one it keeps what it asked for before."""
    asked = _FINALIZER_OF.get(policy or "")
    if policy is None or asked in present:
        return present
    return [one for one in present if one not in _FINALIZER_OF.values()] + ([asked] if asked else [])


def _desired(obj: Object) -> Object:
    return {name: value for name, value in obj.items() if name not in ("metadata", "status")}


def delete_options(body: Any) -> Object:
    """A DeleteOptions from a request body. Raises ApiError 400, 422."""
    if body is None:
        return {}
    options = conform("DeleteOptions", "v1", body, "DeleteOptions")
    policy = options.get("propagationPolicy", "Background")
    if policy not in ("Background", "Foreground", "Orphan"):
        problem = invalid_value("propagationPolicy", policy, "must be Foreground, Background or Orphan")
        raise ApiError(422, "Invalid", f"DeleteOptions is invalid: {problem.field}: {problem.message}")
    if options.get("orphanDependents"):
        options["propagationPolicy"] = "Orphan"
    return options

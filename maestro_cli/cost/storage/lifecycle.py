"""Lifecycle policies of object stores, in the shapes that their APIs take.

S3: `PutBucketLifecycleConfiguration` (`Filter.Prefix`, `Transitions`). GCS: `lifecycle` of a bucket
(`SetStorageClass` under `matchesPrefix`). Invariant: a policy names whole folders of versions that were
weighed, and moves them; it never deletes, and never matches a version that is kept. One that moves nothing
is none: put on a bucket, it would take away the rules that are there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from maestro_cli.core.errors import NoData, UsageError
from maestro_cli.cost.storage.tiering import Place, Tiering

S3_CLASSES = ("STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
GCS_CLASSES = ("NEARLINE", "COLDLINE", "ARCHIVE")
_S3_MOST_RULES, _S3_MOST_ID = 1000, 255
_GCS_MOST_PREFIXES, _GCS_MOST_IN_ALL = 50, 1000
_UNTOLD = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, and JSON in UTF-8
_NO_ID = re.compile(r"[^A-Za-z0-9._-]")
_AFTER_30_DAYS = ("STANDARD_IA", "ONEZONE_IA")


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy, and the versions it leaves out: an API takes no more, or cannot be told their names."""

    document: dict[str, Any]
    left_out: tuple[str, ...] = ()


def s3_policy(weighed: Iterable[Tiering], storage_class: str, days: int) -> Policy:
    """A lifecycle configuration of a bucket; raises NoData, UsageError for what S3 refuses."""
    _check_class(storage_class, S3_CLASSES, "S3")
    if days < 0 or (storage_class in _AFTER_30_DAYS and days < 30):
        raise UsageError(
            f"S3 moves nothing to {storage_class} after {days} days",
            why="objects go to STANDARD_IA and ONEZONE_IA from their 30th day on",
            fix="--after-days 30",
        )
    moved, untold = _moved(weighed)
    rules = [
        {
            "ID": _NO_ID.sub("_", f"maestro-{index}-{one.version.model}-{one.version.version}")[:_S3_MOST_ID],
            "Status": "Enabled",
            "Filter": {"Prefix": one.version.prefix},
            "Transitions": [{"Days": days, "StorageClass": storage_class}],
        }
        for index, one in enumerate(moved[:_S3_MOST_RULES])
    ]
    return Policy({"Rules": rules}, _names((*moved[_S3_MOST_RULES:], *untold)))


def gcs_policy(weighed: Iterable[Tiering], storage_class: str, days: int) -> Policy:
    """What `lifecycle` of a bucket is to be; raises NoData, UsageError for what GCS refuses."""
    _check_class(storage_class, GCS_CLASSES, "GCS")
    if days < 0:
        raise UsageError(f"nothing is {days} days old", fix="--after-days 30")
    moved, untold = _moved(weighed)
    rules = [
        {
            "action": {"type": "SetStorageClass", "storageClass": storage_class},
            "condition": {"age": days, "matchesPrefix": [one.version.prefix for one in part]},
        }
        for part in _parts(moved[:_GCS_MOST_IN_ALL], _GCS_MOST_PREFIXES)
    ]
    return Policy({"rule": rules}, _names((*moved[_GCS_MOST_IN_ALL:], *untold)))


def _moved(weighed: Iterable[Tiering]) -> tuple[list[Tiering], list[Tiering]]:
    """Those that are moved, what saves most first, and those whose names no API can be told.

    Raises NoData where nothing is moved.
    """
    moving = [one for one in weighed if one.place is Place.MOVE]
    moved = [one for one in moving if not _UNTOLD.search(one.version.prefix)]
    if not moved:
        raise NoData(
            "no version moves: there is no policy",
            why="an empty one would take the rules away that a bucket has",
            fix="leave out --policy: it says why each version stays",
        )
    moved.sort(key=lambda one: (-(one.saving or 0.0), one.version.prefix))
    return moved, [one for one in moving if _UNTOLD.search(one.version.prefix)]


def _parts(moved: Sequence[Tiering], size: int) -> Iterable[Sequence[Tiering]]:
    return (moved[start : start + size] for start in range(0, len(moved), size))


def _names(moved: Sequence[Tiering]) -> tuple[str, ...]:
    return tuple(one.version.name for one in moved)


def _check_class(storage_class: str, known: tuple[str, ...], store: str) -> None:
    if storage_class not in known:
        raise UsageError(
            f"{store} has no storage class {storage_class!r} to move to",
            fix=f"use one of: {', '.join(known)}",
        )

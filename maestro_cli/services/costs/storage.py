"""What is stored of models, and what of it to move: an inventory, the prices, and who needs which version.

A version is needed where a workload, one of its revisions or a config map names it, or where a model server
said in the last 30 days that it had it. Invariant: where the cluster cannot be asked, everything is kept.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from maestro_cli.core.errors import MaestroError, NoData, NotFound, UsageError
from maestro_cli.core.untrusted import Untrusted, visible
from maestro_cli.cost.cluster_series import ANY_CLUSTER, ClusterSeries
from maestro_cli.cost.storage.inventory import read_folder, read_inventory
from maestro_cli.cost.storage.keeping import References, kept_versions, named_versions
from maestro_cli.cost.storage.model import StoredVersion, group_versions
from maestro_cli.cost.storage.report import StorageWanted, Stored
from maestro_cli.cost.storage.tiering import Outlook, weigh_versions

if TYPE_CHECKING:
    from maestro_cli.cost.prices.model import PriceVersion, StorageClass
    from maestro_cli.services.costs.root import CostServices

_NAMING = (
    "/apis/apps/v1/replicasets",
    "/apis/apps/v1/controllerrevisions",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/statefulsets",
    "/apis/apps/v1/daemonsets",
    "/apis/batch/v1/cronjobs",
    "/apis/batch/v1/jobs",
    "/api/v1/configmaps",
)
_OF_OPERATORS = {
    "argoproj.io": "/apis/argoproj.io/v1alpha1/rollouts",
    "serving.kserve.io": "/apis/serving.kserve.io/v1beta1/inferenceservices",
}


def served_query(series: ClusterSeries) -> str:
    """Which versions were loaded in the last 30 days."""
    info = series.of("maestro_model_info")
    return f"count by (namespace, deployment, model, version) (last_over_time({info}[30d]))"


def find_stored(services: CostServices, wanted: StorageWanted) -> Stored:
    """Raises InvalidFile, UsageError, and NoData where nothing of a model is stored."""
    _check(wanted)
    book = services.prices(wanted.prices).machines()
    now = services.clock.now()
    version = book.at(now)
    hot, cold = _classes(version, wanted)
    objects = read_folder(wanted.store) if wanted.store.is_dir() else read_inventory(wanted.store)
    versions, others = group_versions(objects, wanted.prefix, 0 if cold is None else cold.least_bytes)
    if not versions:
        raise NoData(
            f"{visible(str(wanted.store), 120)} holds no version of a model",
            why="keys are MODEL/VERSION/…, and what stands before them is said by --prefix",
            fix="--prefix models/",
        )
    references = _references(services, wanted, versions)
    outlook = Outlook(wanted.months, wanted.reads_per_month, wanted.least_age_days)
    kept = kept_versions(versions, references, wanted.newest)
    return Stored(
        wanted,
        now,
        book.currency,
        weigh_versions(versions, kept, hot=hot, cold=cold, outlook=outlook, now=now),
        len(others),
        sum(one.size_bytes for one in others),
        references.unknown,
    )


def _classes(
    version: PriceVersion | None, wanted: StorageWanted
) -> tuple[StorageClass | None, StorageClass | None]:
    """What both cost; raises UsageError for a class that the prices do not name."""
    if version is None:
        return None, None
    known = [one.name for one in version.storage]
    for name, option in ((wanted.hot, "--from"), (wanted.cold, "--to")):
        if version.storage_class(name) is None:
            raise UsageError(
                f"the prices name no storage class {visible(name, 60)}",
                why=f"they name {visible(', '.join(known), 120)}" if known else "they name none",
                fix=f"{option} {visible(known[0], 60)}" if known else "add storage_classes to the prices",
            )
    hot, cold = version.storage_class(wanted.hot), version.storage_class(wanted.cold)
    if hot == cold:
        raise UsageError(
            f"the prices say the same of {visible(wanted.hot, 60)} and {visible(wanted.cold, 60)}",
            why="one price is for every class",
            fix="name both under storage_classes of the prices",
        )
    return hot, cold


def _check(wanted: StorageWanted) -> None:
    if wanted.hot == wanted.cold:
        raise UsageError(f"from {wanted.hot} to {wanted.cold} is no move", fix="--to STANDARD_IA")
    if not (wanted.months > 0 and wanted.reads_per_month >= 0 and wanted.least_age_days >= 0):
        raise UsageError("months are above 0, reads and days not below", fix="--months 12")
    if wanted.newest < 1:
        raise UsageError("at least the newest version of a model stays", fix="--keep 3")


def _references(
    services: CostServices, wanted: StorageWanted, versions: tuple[StoredVersion, ...]
) -> References:
    """Who needs which version, and why that is not known."""
    models = {one.model for one in versions}
    needed: dict[tuple[str, int], list[str]] = _named_by_hand(wanted.needed, models)
    unknown = ""
    try:
        if not wanted.offline:
            _merge(needed, named_versions(_texts(services), models))
            _merge(needed, _served(services, ANY_CLUSTER))  # one store may be that of several clusters
            if not _served(services, services.cluster_series):
                unknown = "no model server told Prometheus in the last 30 days what it serves"
    except MaestroError as error:
        unknown = error.what
    return References({key: tuple(places) for key, places in needed.items()}, unknown)


def _named_by_hand(needed: Collection[str], models: Collection[str]) -> dict[tuple[str, int], list[str]]:
    found: dict[tuple[str, int], list[str]] = {}
    for text in needed:
        model, at, version = text.rpartition("@")
        if not at or not version.isdecimal():
            raise UsageError(f"{visible(text, 60)} is no version of a model", fix="--needed fraud@3")
        if model not in models:
            raise UsageError(f"no version of {visible(model, 60)} is stored there", fix="--needed fraud@3")
        found.setdefault((model, int(version)), []).append("--needed")
    return found


def _texts(services: CostServices) -> Iterator[tuple[str, str]]:
    """Where, and all that it says, of everything in the cluster that may name a version."""
    cluster = services.cluster  # a context without one is not a cluster without objects
    groups = {group.get("name") for group in cluster.get_object("/apis").get("groups") or ()}
    operators = [path for group, path in _OF_OPERATORS.items() if group in groups]
    for path in (*_NAMING, *operators):
        try:
            found: dict[str, Any] = cluster.get_object(path)
        except NotFound:
            continue  # a cluster that does not know the kind has none of it
        for item in found.get("items") or ():
            meta = item.get("metadata") or {}
            name = f"{path.rpartition('/')[2]}/{meta.get('name', '')} in {meta.get('namespace', '')}"
            yield visible(name, 120), json.dumps(item, ensure_ascii=False).replace("\\n", " ")


def _served(services: CostServices, series: ClusterSeries) -> dict[tuple[str, int], list[str]]:
    found: dict[tuple[str, int], list[str]] = {}
    for sample in services.prometheus.query(served_query(series)).samples:
        version = sample.labels.get("version", "")
        if version.isdecimal():
            who = f"{sample.labels.get('namespace', '')}/{sample.labels.get('deployment', '')}"
            place = f"{visible(Untrusted(who), 120)}, which had it loaded in the last 30 days"
            found.setdefault((sample.labels.get("model", ""), int(version)), []).append(place)
    return found


def _merge(into: dict[tuple[str, int], list[str]], more: dict[tuple[str, int], list[str]]) -> None:
    for key, places in more.items():
        into.setdefault(key, []).extend(places)

"""The `kube_configmap_*` and `kube_secret_*` series: which version of what there is, never its content.

Invariant: pure; as kube-state-metrics 2.x. Secrets are those that the exporter may see, of type TLS.
"""

from __future__ import annotations

from collections.abc import Mapping

from maestro_cli.local.metrics.exposition import Exposition
from maestro_cli.local.objects import Object, metadata, name_of, namespace_of, parse_time

FAMILIES: Mapping[str, str] = {
    "kube_configmap_info": "Information about configmap.",
    "kube_configmap_created": "Unix creation timestamp.",
    "kube_configmap_metadata_resource_version": "Resource version of a configmap.",
    "kube_secret_info": "Information about secret.",
    "kube_secret_created": "Unix creation timestamp.",
    "kube_secret_metadata_resource_version": "Resource version of a secret.",
}


def describe_config_map(page: Exposition, config: Object) -> None:
    """The series of one ConfigMap; the page knows FAMILIES."""
    _describe(page, "configmap", config)


def describe_secret(page: Exposition, secret: Object) -> None:
    """The series of one Secret; the page knows FAMILIES."""
    _describe(page, "secret", secret)


def _describe(page: Exposition, kind: str, thing: Object) -> None:
    labels = {"namespace": namespace_of(thing), kind: name_of(thing)}
    page.add(f"kube_{kind}_info", labels, 1)
    created = parse_time(metadata(thing).get("creationTimestamp"))
    if created is not None:
        page.add(f"kube_{kind}_created", labels, created.timestamp())
    version = str(metadata(thing).get("resourceVersion", ""))
    if version.isdigit():
        page.add(f"kube_{kind}_metadata_resource_version", labels, int(version))

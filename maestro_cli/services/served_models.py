"""What the model servers of a context serve: versions, their share, how they do, shadows and caches.

Invariant: all of it comes from the metrics that every replica has, so that a replica that does not answer is
missing and not imagined; what has no number is None, never zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maestro_cli.core.untrusted import Untrusted

if TYPE_CHECKING:
    from maestro_cli.core.facts.metrics import Sample
    from maestro_cli.services.root import Services

WINDOW = "2m"
_GROUP = "namespace, deployment, model, version"
_WORKLOAD = "namespace, deployment"


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """One version of a model behind one workload; `share` and ratios are of 1, `rate` is a second.

    `replicas` have it loaded, with these `digests`: more than one means that replicas differ.
    """

    namespace: str
    workload: str
    model: str
    version: str
    replicas: int
    digests: tuple[str, ...]
    rate: float | None
    share: float | None
    error_ratio: float | None
    p95_seconds: float | None
    wrong_ratio: float | None
    cache_hit_ratio: float | None
    shadow_agreement: float | None

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.workload}/{self.model}@{self.version}"


_QUERIES: Mapping[str, str] = {
    "info": f"count by ({_GROUP}, digest) (maestro_model_info)",
    "rate": f"sum by ({_GROUP}) (rate(maestro_inference_requests_total[{WINDOW}]))",
    "errors": f'sum by ({_GROUP}) (rate(maestro_inference_requests_total{{code=~"5.."}}[{WINDOW}]))',
    "p95": "histogram_quantile(0.95, "
    f"sum by ({_GROUP}, le) (rate(maestro_inference_duration_seconds_bucket[{WINDOW}])))",
    "judged": f"sum by ({_GROUP}) (rate(maestro_judged_answers_total[{WINDOW}]))",
    "wrong": f'sum by ({_GROUP}) (rate(maestro_judged_answers_total{{verdict="wrong"}}[{WINDOW}]))',
    "hits": f'sum by ({_WORKLOAD}) (rate(maestro_prediction_cache_lookups_total{{result="hit"}}[{WINDOW}]))',
    "lookups": f"sum by ({_WORKLOAD}) "
    f'(rate(maestro_prediction_cache_lookups_total{{result=~"hit|miss"}}[{WINDOW}]))',
    "agree": f'sum by ({_WORKLOAD}) (rate(maestro_shadow_rows_total{{result="agree"}}[{WINDOW}]))',
    "shadowed": f"sum by ({_WORKLOAD}) (rate(maestro_shadow_rows_total[{WINDOW}]))",
}


def read_models(services: Services) -> tuple[ServedVersion, ...]:
    """Every loaded or asked version, by workload and model; raises Unreachable and Refused."""
    found = {name: services.prometheus.query(promql).samples for name, promql in _QUERIES.items()}
    return served(found)


def served(found: Mapping[str, tuple[Sample, ...]]) -> tuple[ServedVersion, ...]:
    """The answers of _QUERIES as one line a version."""
    values = {name: _by_version(samples) for name, samples in found.items()}
    places = {name: _by_place(samples) for name, samples in found.items()}
    loaded: dict[tuple[str, ...], dict[str, int]] = {}
    for sample in found["info"]:
        digests = loaded.setdefault(_version_of(sample), {})
        digests[sample.labels.get("digest", "")] = round(sample.value)
    asked: dict[tuple[str, ...], float] = {}
    for key, rate in values["rate"].items():
        asked[key[:3]] = asked.get(key[:3], 0.0) + rate
    keys = set(loaded) | {key for key, rate in values["rate"].items() if rate > 0}
    return tuple(_line(key, values, places, loaded.get(key, {}), asked.get(key[:3])) for key in sorted(keys))


Values = Mapping[str, Mapping[tuple[str, ...], float]]


def _line(
    key: tuple[str, ...], values: Values, places: Values, digests: Mapping[str, int], asked: float | None
) -> ServedVersion:
    namespace, workload, model, version = map(Untrusted, key)
    rate, place = values["rate"].get(key), key[:2]
    return ServedVersion(
        namespace=namespace,
        workload=workload,
        model=model,
        version=version,
        replicas=sum(digests.values()),
        digests=tuple(sorted(map(Untrusted, digests))),
        rate=rate,
        share=_ratio(rate, asked),
        error_ratio=_ratio(values["errors"].get(key, 0.0), rate),
        p95_seconds=values["p95"].get(key),
        wrong_ratio=_ratio(values["wrong"].get(key, 0.0), values["judged"].get(key)),
        cache_hit_ratio=_ratio(places["hits"].get(place, 0.0), places["lookups"].get(place)),
        shadow_agreement=_ratio(places["agree"].get(place, 0.0), places["shadowed"].get(place)),
    )


def _version_of(sample: Sample) -> tuple[str, ...]:
    return tuple(sample.labels.get(label, "") for label in ("namespace", "deployment", "model", "version"))


def _by_version(samples: tuple[Sample, ...]) -> dict[tuple[str, ...], float]:
    return {_version_of(one): one.value for one in samples if math.isfinite(one.value)}


def _by_place(samples: tuple[Sample, ...]) -> dict[tuple[str, ...], float]:
    return {key[:2]: value for key, value in _by_version(samples).items()}


def _ratio(part: float | None, whole: float | None) -> float | None:
    """None where nothing was counted."""
    return None if part is None or not whole else part / whole

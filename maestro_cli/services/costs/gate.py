"""A change of manifests as a gate of a pipeline: what it will cost a month, judged and told."""

from __future__ import annotations

import math
import re
import shlex
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.chaos.ci.variables import dotenv, shell
from maestro_cli.config.strict import Document, parse_yaml_all, read_text
from maestro_cli.core.errors import ExitCode, InvalidFile, NoData, NotFound, UsageError
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.gate.autoscalers import HORIZONTAL, KEDA, KEDA_PREFIX, is_autoscaler
from maestro_cli.cost.gate.deciding import decide, exit_code_of, verdict_of
from maestro_cli.cost.gate.manifests import read_manifests
from maestro_cli.cost.gate.model import Asked, Assumed, Limits, Manifests, Scale, Span
from maestro_cli.cost.gate.objects import objects_of
from maestro_cli.cost.gate.pricing import compare
from maestro_cli.cost.gate.report import GateReport
from maestro_cli.output.evidence import remove_files, write_files
from maestro_cli.output.writer import json_text
from maestro_cli.services.pipeline_hosts import check_host, commit_of_pipeline, tell_host
from maestro_cli.sources.kustomize import build, is_kustomization

if TYPE_CHECKING:
    from maestro_cli.cost.prices.model import PriceBook, PriceVersion
    from maestro_cli.services.costs.root import CostServices
    from maestro_cli.sources.kube.cluster import KubeCluster

STDIN = "-"
_WRITTEN = ("summary.md", "gate.json", "outputs.env", "gitlab.env")
_CHART = "Chart.yaml"
_MOST_CHARACTERS = 67_108_864
_DOCUMENT = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)  # in YAML that begins one wherever it stands
_ENDINGS = (".yaml", ".yml", ".json")
_KIND = re.compile(r"[A-Z][A-Za-z0-9]{0,62}(\.[a-z0-9.-]{1,253})?")
_RESOURCE = re.compile(r"[a-z0-9.-]{1,253}/[A-Za-z0-9._-]{1,63}")
_SHARE = re.compile(r"([0-9]+(?:\.[0-9]+)?)%")


@dataclass(frozen=True, slots=True)
class GateWanted:
    """What `maestro cost gate` was asked for, as it was written; without `base` of the cluster as it is."""

    manifests: Sequence[str]
    base: str = ""
    max_increase: str = ""
    budget: float | None = None
    at: str = "max"
    prices: Path | None = None
    namespace: str | None = None
    nodes: int | None = None
    job_hours: float | None = None
    ignored: Sequence[str] = ()
    fail_on: frozenset[ExitCode] | None = None
    folder: Path | None = None
    host: str = "auto"


def run_cost_gate(services: CostServices, wanted: GateWanted) -> GateReport:
    """Raises UsageError, NotFound, InvalidFile, NoData without prices, and what the cluster raises."""
    check_host(wanted.host, wanted.folder)
    limits, scale = _limits(wanted), _scale(wanted.at)
    if wanted.folder is not None:
        remove_files(wanted.folder, _WRITTEN)
    if not wanted.manifests:
        raise UsageError("no manifest is given", fix="maestro cost gate FILE..., or --diff BASE HEAD")
    book = services.prices(wanted.prices).machines()
    version = _held(book, services.clock.now())
    documents = [one for text in wanted.manifests for one in _documents(text)]
    if not any(one.data is not None for one in documents):
        raise NotFound(
            f"there is no manifest in {', '.join(wanted.manifests)}", fix="name a file or a folder"
        )
    assumed = _assumed(services, wanted)
    if wanted.base:
        old = read_manifests(_documents(wanted.base), assumed)
        new = read_manifests(documents, assumed, standing=_stood(old))
    else:
        cluster = services.cluster
        assumed = assumed if assumed.nodes is not None else replace(assumed, nodes=len(cluster.list_nodes()))
        old, new = _against(cluster, documents, assumed)
    comparison = compare(old, new, version, assumed.ignored)
    judged = decide(comparison, limits, scale, book.currency)
    code = exit_code_of(comparison, judged)
    report = GateReport(
        comparison, judged, verdict_of(comparison, judged), code,
        code if wanted.fail_on is None or code in wanted.fail_on else ExitCode.OK,
        scale, book.currency, wanted.base or f"the cluster of {services.context_name}",
        ", ".join(wanted.manifests), book.source, version.since, assumed, {},
    )  # fmt: skip
    return replace(report, files=_told(wanted, report))


def _limits(wanted: GateWanted) -> Limits:
    text = wanted.max_increase.strip()
    share = _SHARE.fullmatch(text)
    try:
        amount = None if share or not text else float(text)
    except ValueError:
        amount = math.nan
    if amount is not None and not (math.isfinite(amount) and amount >= 0):
        raise UsageError(f"{text[:40]!r} is no increase", fix="--max-increase 50, or --max-increase 10%")
    if wanted.budget is not None and not (math.isfinite(wanted.budget) and wanted.budget > 0):
        raise UsageError(f"a budget of {wanted.budget:g} a month is none", fix="--budget 500")
    return Limits(amount, float(share[1]) / 100 if share else None, wanted.budget)


def _scale(text: str) -> Scale:
    if text not in (one.value for one in Scale):
        raise UsageError(f"{text[:40]!r} is no end of what autoscaling permits", fix="--at min|max")
    return Scale(text)


def _assumed(services: CostServices, wanted: GateWanted) -> Assumed:
    if wanted.nodes is not None and wanted.nodes < 0:
        raise UsageError(f"{wanted.nodes} nodes are none", fix="--nodes 5")
    if wanted.job_hours is not None and not (math.isfinite(wanted.job_hours) and wanted.job_hours >= 0):
        raise UsageError(f"{wanted.job_hours:g} hours a month are none", fix="--job-hours 30")
    try:
        own = services.context.namespace
    except NotFound:  # manifests are compared without a context too
        own = None
    ignored = frozenset(_ignored(wanted.ignored))
    return Assumed(wanted.namespace or own or "default", wanted.nodes, wanted.job_hours, ignored)


def _ignored(texts: Iterable[str]) -> Iterator[str]:
    """Kinds, with their group or not, and resources; of one text several behind commas."""
    for text in (part.strip() for one in texts for part in one.split(",")):
        if not _KIND.fullmatch(text) and not _RESOURCE.fullmatch(text):
            raise UsageError(
                f"{visible(text, 60)!r} is no kind and no resource",
                fix="--ignore-unknown Prometheus, or Rollout.argoproj.io, or smarter-devices/fuse",
            )
        yield text


def _held(book: PriceBook, now: datetime) -> PriceVersion:
    version = book.at(now)
    if version is None:
        raise NoData("no price holds now", why=f"the first of {book.source} begins later")
    return version


def _documents(text: str) -> list[Document]:
    """Of a file, a folder, a kustomization, or what is piped in."""
    if text == STDIN:
        return list(_parsed(sys.stdin.read(_MOST_CHARACTERS + 1), "(standard input)"))
    path = Path(text)
    if not path.exists():
        raise NotFound(f"there is no {text}", fix="name a file or a folder of manifests")
    if not path.is_dir():
        return list(parse_yaml_all(read_text(path), text))
    if is_kustomization(path):
        return list(_parsed(build(path), f"{text} as built"))
    if (path / _CHART).is_file():
        raise UsageError(
            f"{text} is a chart of Helm",
            why="its templates are no manifests until they are filled in",
            fix=f"helm template NAME {shlex.quote(text)} | maestro cost gate -",
        )
    return [one for file in _files(path) for one in parse_yaml_all(read_text(file), str(file))]


def _parsed(text: str, file: str) -> Iterator[Document]:
    """What a program printed, document by document: all that a chart brings is longer than what people
    write.
    """
    if len(text) > _MOST_CHARACTERS:
        raise InvalidFile(f"is larger than {_MOST_CHARACTERS} characters", file=file)
    marks = [0, *(one.start() for one in _DOCUMENT.finditer(text) if one.start()), len(text)]
    line = 1
    for begin, end in pairwise(marks):
        yield from parse_yaml_all(text[begin:end], file, first_line=line)
        line += text.count("\n", begin, end)


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix in _ENDINGS and path.is_file())


def _stood(old: Manifests) -> dict[ObjectRef, Span]:
    """What replicas may come to where the new manifests say none: 1, or what was said before."""
    spans = ((ref, _replicas(one)) for ref, one in old.asked.items())
    return {ref: Span(min(one.least, 1.0), max(one.most, 1.0)) for ref, one in spans}


def _replicas(one: Asked) -> Span:
    """Of several groups of pods the first is the one that has one pod a replica: the leaders."""
    first = one.parts[0] if one.parts else one
    return Span(first.least, first.most)


def _against(
    cluster: KubeCluster, documents: Sequence[Document], assumed: Assumed
) -> tuple[Manifests, Manifests]:
    """What runs now of what the manifests name, and what would: what they leave out stays as it is."""
    first = read_manifests(documents, assumed)
    named = {one.ref for one in objects_of(documents, assumed.namespace)}
    there = list(_live(cluster, {*first.asked, *filter(is_autoscaler, named)}))
    beside = list(_live(cluster, first.elsewhere))  # targets of autoscalers, which no manifest changes
    scalers = list(_scalers(cluster, {*first.asked, *first.elsewhere}, named))
    runs = read_manifests([*there, *beside], replace(assumed, ignored=frozenset())).asked
    standing = {ref: _replicas(one) for ref, one in runs.items()}
    old = read_manifests([*there, *beside], assumed, kept=scalers)
    return old, read_manifests([*documents, *beside], assumed, standing=standing, kept=scalers)


def _live(cluster: KubeCluster, refs: Iterable[ObjectRef]) -> Iterator[Document]:
    """Those that are there now."""
    for ref in sorted(refs, key=str):
        if ref.kind == HORIZONTAL:
            continue  # comes with its target
        try:
            body, _ = cluster.describing.document(ref)
        except NotFound:
            continue
        yield Document(f"{ref} of the cluster", body)


def _scalers(
    cluster: KubeCluster, refs: Collection[ObjectRef], named: Collection[ObjectRef]
) -> Iterator[Document]:
    """The autoscalers of these, as documents; KEDA's own are not told beside the ScaledObject they are of."""
    keda = {(one.namespace, KEDA_PREFIX + one.name) for one in named if one.kind == KEDA}
    targets = {(ref.kind.partition(".")[0], ref.namespace, ref.name) for ref in refs}
    for namespace in sorted({ref.namespace for ref in refs}):
        for one in cluster.list_autoscalers(namespace):
            is_keda = (one.namespace, one.name) in keda
            if not is_keda and (one.target_kind, one.namespace, one.target_name) in targets:
                spec = {
                    "scaleTargetRef": {"kind": one.target_kind, "name": one.target_name},
                    "minReplicas": one.least,
                    "maxReplicas": one.most,
                }
                meta = {"namespace": one.namespace, "name": one.name}
                body = {"apiVersion": "autoscaling/v2", "kind": one.ref.kind, "metadata": meta, "spec": spec}
                yield Document(f"{one.ref} of the cluster", body)


def _told(wanted: GateWanted, report: GateReport) -> dict[str, str]:
    """Write what pipelines read; returns the paths."""
    from maestro_cli.output.renderers.cost_gate import gate_body, gate_markdown

    folder = wanted.folder
    names = {"summary": "summary.md", "report": "gate.json"}
    paths = {} if folder is None else {what: str(folder / name) for what, name in names.items()}
    summary, variables = gate_markdown(report, commit_of_pipeline()), _variables(report, paths)
    if folder is not None:
        body = {"schema": "maestro.dev/cost-gate/v1", **gate_body(report)}
        files = {
            "summary.md": summary,
            "gate.json": json_text(body) + "\n",
            "outputs.env": shell(variables),
            "gitlab.env": dotenv(variables),
        }
        write_files(folder, files)
    tell_host(wanted.host, summary, variables)
    return (
        {}
        if folder is None
        else {**paths, **{one: str(folder / one) for one in ("outputs.env", "gitlab.env")}}
    )


def _variables(report: GateReport, files: Mapping[str, str]) -> dict[str, str]:
    """By name, as a later step reads them; an amount that is a lower bound alone is told by `unknown`."""
    comparison = report.comparison
    unknown = sum(1 for one in comparison.changed if one.unknown_before or one.unknown_after)
    return {
        "verdict": "" if report.verdict is None else report.verdict.value,
        "code": str(int(report.exit_code)),
        "ends_with": str(int(report.ends_with)),
        "currency": report.currency,
        "increase_min": f"{comparison.increase(Scale.LEAST):.2f}",
        "increase_max": f"{comparison.increase(Scale.MOST):.2f}",
        "total_min": f"{comparison.after(Scale.LEAST):.2f}",
        "total_max": f"{comparison.after(Scale.MOST):.2f}",
        "unknown": str(unknown),
        **{f"{name}_path": path for name, path in files.items()},
    }

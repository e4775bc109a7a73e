"""A change of manifests as a gate of a pipeline: what it will cost a month, judged and told."""

from __future__ import annotations

import math
import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from maestro_cli.chaos.ci.variables import dotenv, shell
from maestro_cli.config.strict import Document, read_text
from maestro_cli.core.errors import ExitCode, InvalidFile, NoData, NotFound, UsageError
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.gate.deciding import decide, exit_code_of, verdict_of
from maestro_cli.cost.gate.manifests import read_manifests
from maestro_cli.cost.gate.model import Assumed, Limits, Scale
from maestro_cli.cost.gate.pricing import compare
from maestro_cli.cost.gate.report import GateReport
from maestro_cli.cost.gate.streams import MOST_CHARACTERS, documents_of
from maestro_cli.output.evidence import remove_files, write_files
from maestro_cli.output.writer import json_text
from maestro_cli.services.costs.gate_cluster import against, stood
from maestro_cli.services.pipeline_hosts import check_host, commit_of_pipeline, tell_host
from maestro_cli.sources.kustomize import build, is_kustomization

if TYPE_CHECKING:
    from maestro_cli.cost.prices.model import PriceBook, PriceVersion
    from maestro_cli.services.costs.root import CostServices

STDIN, _PIPED = "-", "(standard input)"
_WRITTEN = ("summary.md", "gate.json", "outputs.env", "gitlab.env")
_FIX = f"name a file or a folder of manifests, or {os.devnull} where the change deletes all"
_CHART = "Chart.yaml"
_ENDINGS = (".yaml", ".yml", ".json")
_KIND = re.compile(r"[A-Z][A-Za-z0-9]{0,62}(\.[a-z0-9.-]{1,253})?")
_RESOURCE = re.compile(r"[a-z0-9.-]{1,253}/[A-Za-z0-9._-]{1,63}")
_INCREASE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?(%?)")


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
    if [*wanted.manifests, wanted.base].count(STDIN) > 1:
        raise UsageError("what is piped in can be one of them alone", fix="name a file for the other")
    book = services.prices(wanted.prices).machines()
    version = _held(book, services.clock.now())
    documents = [one for text in wanted.manifests for one in _documents(text)]
    before = _documents(wanted.base) if wanted.base else []
    if not _hold_manifests(documents) and not (_hold_manifests(before) and _is_nothing(wanted.manifests)):
        where = ", ".join(_PIPED if one == STDIN else one for one in wanted.manifests)
        raise NotFound(f"there is no manifest in {where}", fix=_FIX)
    assumed = _assumed(services, wanted)
    if wanted.base:
        old = read_manifests(before, assumed)
        new = read_manifests(documents, assumed, standing=stood(old))
    else:
        old, new, assumed = against(services.cluster, documents, assumed)
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


def _hold_manifests(documents: Iterable[Document]) -> bool:
    return any(one.data is not None for one in documents)


def _is_nothing(manifests: Sequence[str]) -> bool:
    """Whether nothing is what was meant, which git's word for it alone says.

    An empty file, pipe or folder is what a program that failed leaves.
    """
    return all(one == os.devnull for one in manifests)


def _limits(wanted: GateWanted) -> Limits:
    text = wanted.max_increase.strip()
    said = _INCREASE.fullmatch(text)
    if text and said is None:
        raise UsageError(
            f"{visible(text, 40)!r} is no increase", fix="--max-increase 50, or --max-increase 10%"
        )
    number, is_share = (None, False) if said is None else (float(said[1]), bool(said[2]))
    if wanted.budget is not None and not (math.isfinite(wanted.budget) and wanted.budget > 0):
        raise UsageError(f"a budget of {wanted.budget:g} a month is none", fix="--budget 500")
    share = number / 100 if number is not None and is_share else None
    return Limits(None if is_share else number, share, wanted.budget)


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
        return list(documents_of(_piped(sys.stdin.buffer, _PIPED), _PIPED))
    path = Path(text)
    if text == os.devnull:
        return []
    if not path.exists():
        raise NotFound(f"there is no {text}", fix=_FIX)
    if not path.is_dir():
        return _read(path)
    if is_kustomization(path):
        return list(documents_of(build(path), f"{text} as built"))
    if (path / _CHART).is_file():
        raise UsageError(
            f"{text} is a chart of Helm",
            why="its templates are no manifests until they are filled in",
            fix=f"helm template NAME {shlex.quote(text)} | maestro cost gate -",
        )
    return [one for file in _files(path) for one in _read(file)]


def _read(path: Path) -> list[Document]:
    if path.is_fifo():  # <(helm template NAME CHART) of a shell
        with path.open("rb") as stream:
            return list(documents_of(_piped(stream, str(path)), str(path)))
    return list(documents_of(read_text(path, most_bytes=MOST_CHARACTERS), str(path)))


def _piped(stream: BinaryIO, file: str) -> str:
    """All that comes, up to what is too large; raises InvalidFile."""
    raw = stream.read(MOST_CHARACTERS + 1)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InvalidFile("is not UTF-8", file=file, line=line) from error


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix in _ENDINGS and path.is_file())


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

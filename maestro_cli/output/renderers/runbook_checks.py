"""Findings in runbooks, and what they cover, as views and as SARIF."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from maestro_cli import __version__
from maestro_cli.core.canonical import plain
from maestro_cli.core.quantities import format_duration
from maestro_cli.core.untrusted import visible
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report
from maestro_cli.runbooks.coverage import Coverage, CoveredAlert, Rot
from maestro_cli.runbooks.lint import Finding
from maestro_cli.runbooks.rehearsal import CaseResult

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def lint_view(findings: Sequence[Finding], *, schema: str) -> Listing[Finding]:
    columns: tuple[Column[Finding], ...] = (
        Column("place", lambda one: f"{one.file}:{one.line}"),
        Column(
            "level",
            lambda one: one.level,
            tone=lambda one: "bad" if one.level == "error" else "warn",
            priority=1,
        ),
        Column("rule", lambda one: one.rule),
        Column("finding", lambda one: one.text, priority=1, folds=True),
    )
    return Listing(schema, columns, findings, empty="nothing to mend")


def sarif(findings: Sequence[Finding], *, rules: Mapping[str, str], command: str) -> dict[str, Any]:
    """SARIF 2.1.0, as code hosts read it; paths are relative to the working folder where they can be."""
    told = [{"id": rule, "shortDescription": {"text": text}} for rule, text in rules.items()]
    driver = {"name": command, "version": __version__, "rules": told}
    return {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": _results(findings)}],
    }


def _results(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Alike findings are told apart by their order."""
    seen: Counter[str] = Counter()
    told = []
    for finding in findings:
        mark = _fingerprint(finding)
        seen[mark] += 1
        told.append({**_result(finding), "partialFingerprints": {"maestro/v1": f"{mark}:{seen[mark]}"}})
    return told


def _result(finding: Finding) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": _uri(finding.file)}, "region": {"startLine": finding.line}}
    return {
        "ruleId": finding.rule,
        "level": finding.level,
        "message": {"text": visible(finding.text)},
        "locations": [{"physicalLocation": place}],
    }


def _fingerprint(finding: Finding) -> str:
    """The same for what stays where lines above it come and go: of its rule, its file and its words."""
    return sha256("\0".join((finding.rule, _uri(finding.file), finding.text)).encode()).hexdigest()


def _uri(file: str) -> str:
    path = Path(file).absolute()
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_uri()


def rehearsals_view(results: Sequence[CaseResult]) -> Listing[CaseResult]:
    columns: tuple[Column[CaseResult], ...] = (
        Column("runbook", lambda one: one.runbook),
        Column("case", lambda one: one.case, priority=0),
        Column(
            "green", lambda one: one.is_green, tone=lambda one: "good" if one.is_green else "bad", priority=1
        ),
        Column("fault", lambda one: one.fault, priority=1, folds=True),
        Column("place", lambda one: f"{one.file}:{one.line}", wide=True),
    )
    return Listing(
        "runbook-rehearsals/v1", columns, results, document=_case, empty="no runbook has a rehearsal"
    )


def _case(result: CaseResult) -> dict[str, Any]:
    return {**plain(result), "green": result.is_green}


def coverage_view(coverage: Coverage) -> Report:
    """Alerts with their runbooks, runbooks with their newest green run."""
    alerts: tuple[Column[CoveredAlert], ...] = (
        Column("alert", lambda one: one.alert.name),
        Column(
            "labels",
            lambda one: ",".join(f"{k}={v}" for k, v in sorted(one.alert.labels.items())),
            priority=3,
        ),
        Column(
            "runbook",
            lambda one: one.runbook or "none",
            tone=lambda one: "" if one.runbook else "bad",
            priority=1,
        ),
        Column("why", lambda one: one.why, wide=True),
        Column("defined in", lambda one: f"{one.alert.file}:{one.alert.line}", wide=True),
    )
    runbooks: tuple[Column[Rot], ...] = (
        Column("runbook", lambda rot: rot.runbook),
        Column("last green", lambda rot: f"{rot.green_at[:19]}Z" if rot.green_at else "never"),
        Column("run", lambda rot: rot.run),
        Column("recent", lambda rot: rot.is_fresh, tone=lambda rot: "" if rot.is_fresh else "warn"),
    )
    covered = sum(1 for one in coverage.alerts if one.runbook)
    within = coverage.within_seconds
    rows: list[tuple[str, object]] = [
        ("alerts with a runbook", f"{covered} of {len(coverage.alerts)}"),
        ("green within", format_duration(within) if within is not None else "not asked"),
        ("met", coverage.is_met),
    ]
    return Report(
        "runbook-coverage/v1",
        {"met": coverage.is_met, **plain(coverage)},
        (
            Fields(rows),
            Heading("Alerts"),
            Listing("runbook-coverage-alerts/v1", alerts, coverage.alerts, empty="no alert is defined"),
            Heading("Runbooks"),
            Listing("runbook-coverage-runbooks/v1", runbooks, coverage.runbooks, empty="none"),
        ),
    )

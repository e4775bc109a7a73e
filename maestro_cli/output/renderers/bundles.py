"""Exported and verified bundles of incidents, as views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.core.canonical import plain
from maestro_cli.core.quantities import counted
from maestro_cli.core.verdict import Verdict
from maestro_cli.output.views import Column, Fields, Listing, Report

if TYPE_CHECKING:
    from pathlib import Path

    from maestro_cli.incidents.report.bundle_check import BundleReport, Problem


def exported_view(path: Path, document: dict[str, object]) -> Report:
    """Where the bundle is, its digest, and the command that verifies it."""
    key = document["key"]
    rows: list[tuple[str, object]] = [
        ("bundle", str(path)),
        ("incident", document["incident"]),
        ("events", f"{document['events']}, {'with' if document['whole_chain'] else 'without'} those between"),
        ("size", f"{document['bytes']} bytes"),
        ("sha256", document["sha256"]),
        ("signed by", key),
        ("verify with", f"maestro incident verify {path} --key {key}"),
    ]
    return Report("incident-export/v1", document, (Fields(rows),))


def bundle_view(path: Path, report: BundleReport) -> Report:
    """The verdict, what it rests on, and each problem; JSON has `verdict` and `problems[]`."""
    rows: list[tuple[str, object]] = [
        ("verdict", report.verdict.value),
        ("why", _why(report)),
        ("bundle", str(path)),
        ("incident", report.incident),
        ("context", report.context),
        ("signed by", report.key),
        ("files", report.files),
        ("events", report.events),
        ("chain", _chain(report)),
        ("head", f"{report.head.seq}:{report.head.hash}"),
    ]
    columns: tuple[Column[Problem], ...] = (
        Column("file", lambda one: one.file),
        Column("problem", lambda one: one.text, tone=lambda _: "bad", priority=1, folds=True),
    )
    problems = Listing("bundle-problems/v1", columns, report.problems)
    document = {**plain(report), "file": str(path), "why": _why(report)}
    return Report(
        "bundle-verification/v1", document, (Fields(rows), problems) if report.problems else (Fields(rows),)
    )


def _why(report: BundleReport) -> str:
    if report.verdict is Verdict.FAIL:
        return f"{counted(len(report.problems), 'thing')} not as signed or written"
    if report.is_trusted and report.anchor_found is False:
        return "the event of the head that was kept elsewhere is not in the bundle, so that head says nothing"
    if report.is_trusted:
        return "every file is as the holder of a key that you trust signed it"
    return (
        "nothing was changed since it was signed, but by a key that you did not name: "
        "anybody can make a bundle with a key of their own"
    )


def _chain(report: BundleReport) -> str:
    if report.gaps == 0:
        return "whole up to the head: the hashes alone prove order and that nothing is missing"
    return (
        f"{report.gaps} gaps, where events of other things stand: that nothing of this incident is missing "
        "there rests on the signature, or on the journal itself"
    )
